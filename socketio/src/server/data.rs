//! The data of a socket between its type and its JSON text, which is what is kept and what other servers get.
//!
//! Not here: where it is kept; see `core`.

use crate::{contract::without_payload, parser::collect_attachments, text::Text};
use serde::{Serialize, de::DeserializeOwned};

/// The data of a socket could not be written or read. Messages do not quote it.
///
/// ```
/// use socketio::{DataError, Socket, namespace};
/// use std::collections::HashMap;
/// # use socketio::{ConnectError, SocketIo, test::Client};
///
/// #[namespace("/grid", data = HashMap<(u8, u8), String>)]
/// trait Grid {}
/// # struct Session;
/// # impl Grid for Session {}
///
/// async fn connect(socket: Socket<dyn Grid>) -> Result<Session, ConnectError> {
///     let fields = HashMap::from([((1, 2), "rook".to_owned())]);
///     // JSON has no such keys.
///     assert_eq!(socket.set_data(&fields), Err(DataError::Encode("key must be a string".to_owned())));
///     socket.set_data(&HashMap::new())?;
///     Ok(Session)
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().namespace::<dyn Grid, _>(connect).build();
/// # let _client = Client::<dyn Grid>::connect(&io).await.unwrap();
/// # assert_eq!(io.of::<dyn Grid>().sockets()[0].data(), Ok(Some(HashMap::new())));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// It cannot be serialized as JSON, for example because it has a map whose keys are not strings, or [`Binary`](crate::Binary).
    #[error("the data of a socket cannot be serialized: {0}")]
    Encode(String),
    /// It is there, but has another shape than the type that the namespace names.
    #[error("the data of a socket has another shape: {0}")]
    Decode(String),
}

pub(super) fn encode<T: Serialize>(data: &T) -> Result<Text, DataError> {
    let mut attachments = Vec::new();
    let json = collect_attachments(&mut attachments, || serde_json::to_string(data));
    let json = json.map_err(|error| DataError::Encode(without_payload(&error)))?;
    if !attachments.is_empty() {
        return Err(DataError::Encode("it is JSON, and has no room for `Binary`".to_owned()));
    }
    Ok(Text::from(json))
}

pub(super) fn decode<T: DeserializeOwned>(json: Option<&Text>) -> Result<Option<T>, DataError> {
    json.map(|json| serde_json::from_str(json)).transpose().map_err(|error| DataError::Decode(without_payload(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parser::Binary;
    use serde_json::Value;
    use std::collections::HashMap;

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(decode::<u8>(None), Ok(None));
        assert_eq!(decode::<Value>(Some(&encode(&[1, 2]).unwrap())), Ok(Some(serde_json::json!([1, 2]))));
        assert_eq!(decode::<()>(Some(&encode(&()).unwrap())), Ok(Some(())));
        assert_eq!(decode::<Option<u8>>(Some(&encode(&None::<u8>).unwrap())), Ok(Some(None)), "set to null is set");
    }

    #[test]
    fn binary_data_is_refused() {
        let nested = [Some(Binary::from(vec![1, 2])), None];
        assert_eq!(encode(&nested), Err(DataError::Encode("it is JSON, and has no room for `Binary`".to_owned())));
        assert_eq!(encode(&[None::<Binary>]), Ok(Text::from("[null]")));
    }

    #[test]
    fn mistakes_do_not_quote_the_data() {
        let keys: HashMap<(u8, u8), u8> = HashMap::from([((1, 2), 3)]);
        assert_eq!(encode(&keys), Err(DataError::Encode("key must be a string".to_owned())));
        let other = decode::<u8>(Some(&Text::from("\"secret\"")));
        assert_eq!(other, Err(DataError::Decode("invalid type: expected u8".to_owned())));
    }
}
