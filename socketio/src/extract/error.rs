//! `ConnectError`: a refused client, as its `connect_error` handler sees it.

use crate::server::DataError;
use axum_core::response::Response;
use http_body_util::{BodyExt, Limited};
use serde::Serialize;
use std::{convert::Infallible, fmt};

/// The message of an HTTP rejection is shown up to this length.
const REJECTION_TEXT_BYTES: usize = 1024;

/// Refuses a client: it receives a `connect_error` with this message and data, and its connection stays.
///
/// ```
/// # use serde_json::json;
/// # use socketio::{SocketIo, namespace, test::Client};
/// use socketio::{Auth, ConnectError};
///
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// # struct Login { password: String }
/// #[namespace("/members", auth = Login)]
/// trait Members {}
/// struct Member;
/// impl Members for Member {}
///
/// async fn connect(Auth(login): Auth<Login>) -> Result<Member, ConnectError> {
///     if login.password == "open sesame" {
///         Ok(Member)
///     } else {
///         Err(ConnectError::new("unauthorized").with_data(json!({ "attempts left": 2 })))
///     }
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().namespace::<dyn Members, _>(connect).build();
/// let refused = Client::<dyn Members>::connect(&io).auth(Login { password: "sesame".to_owned() }).await.unwrap_err();
/// assert_eq!(refused.message(), "unauthorized");
/// assert_eq!(refused.data_json(), Some(r#"{"attempts left":2}"#));
/// # Client::<dyn Members>::connect(&io).auth(Login { password: "open sesame".to_owned() }).await.unwrap();
/// # });
/// ```
///
/// A message alone may be a `&str` or a `String`, also as the error type of the connect handler. Errors of other crates are turned
/// into one; for your own, `impl From<MyError> for ConnectError` lets `?` do it:
///
/// ```
/// # use socketio::{SocketIo, namespace, test::Client};
/// use socketio::{ConnectError, NsPath, Socket};
///
/// #[namespace("/board/{year}", data = u16)]
/// trait Board {}
/// struct Session;
/// impl Board for Session {}
///
/// async fn connect(socket: Socket<dyn Board>, NsPath(year): NsPath<String>) -> Result<Session, ConnectError> {
///     let year = year.parse().map_err(|error| ConnectError::new(format!("year: {error}")))?;
///     if year < 2020 {
///         return Err("too old".into());
///     }
///     socket.set_data(&year)?;
///     Ok(Session)
/// }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().namespace::<dyn Board, _>(connect).build();
/// # for (path, message) in [("/board/x", "year: invalid digit found in string"), ("/board/1999", "too old")] {
/// #     assert_eq!(Client::<dyn Board>::connect(&io).path(path).await.unwrap_err().message(), message);
/// # }
/// # let _client = Client::<dyn Board>::connect(&io).path("/board/2021").await.unwrap();
/// # assert_eq!(io.of::<dyn Board>().sockets()[0].data(), Ok(Some(2021)));
/// // Also like this:
/// async fn closed() -> Result<Session, String> {
///     Err("closed until Monday".to_owned())
/// }
/// # let io = SocketIo::builder().namespace::<dyn Board, _>(closed).build();
/// # let refused = Client::<dyn Board>::connect(&io).path("/board/2021").await.unwrap_err();
/// # assert_eq!(refused, ConnectError::new("closed until Monday"));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectError {
    message: String,
    /// JSON text.
    data: Option<String>,
}

impl ConnectError {
    /// A refusal with a message: `error.message` in the client.
    pub fn new(message: impl Into<String>) -> Self {
        ConnectError { message: message.into(), data: None }
    }

    /// Adds data: `error.data` in the client. Data that cannot be serialized is left out.
    pub fn with_data(mut self, data: impl Serialize) -> Self {
        self.data = serde_json::to_string(&data).ok();
        self
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The data, as JSON text.
    pub fn data_json(&self) -> Option<&str> {
        self.data.as_deref()
    }

    /// The payload of the CONNECT_ERROR packet.
    pub(crate) fn to_json(&self) -> String {
        let message = serde_json::Value::from(self.message.as_str());
        match &self.data {
            Some(data) => format!("{{\"message\":{message},\"data\":{data}}}"),
            None => format!("{{\"message\":{message}}}"),
        }
    }

    /// What an axum extractor refused with: its text as the message, its status as data.
    pub(super) async fn from_response(response: Response) -> Self {
        let status = response.status();
        let text = Limited::new(response.into_body(), REJECTION_TEXT_BYTES).collect().await.ok();
        let text = text.and_then(|text| String::from_utf8(text.to_bytes().into()).ok()).filter(|text| !text.is_empty());
        let message = text.unwrap_or_else(|| status.canonical_reason().unwrap_or("refused").to_owned());
        ConnectError::new(message).with_data(serde_json::json!({ "status": status.as_u16() }))
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConnectError {}

/// The message.
impl From<&str> for ConnectError {
    fn from(message: &str) -> Self {
        ConnectError::new(message)
    }
}

/// The message.
impl From<String> for ConnectError {
    fn from(message: String) -> Self {
        ConnectError::new(message)
    }
}

/// For `socket.set_data(..)?` in connect handlers.
impl From<DataError> for ConnectError {
    fn from(error: DataError) -> Self {
        ConnectError::new(error.to_string())
    }
}

impl From<Infallible> for ConnectError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
