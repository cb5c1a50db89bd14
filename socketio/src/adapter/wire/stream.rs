//! The entries of `@socket.io/redis-streams-adapter` 0.3: the fields `uid`, `nsp`, `type` and `data`, which is JSON text, or
//! MessagePack in base64 if there is binary data in it. And the sessions that it keeps, always in base64.
//!
//! The fields of an entry are texts; others beside them are ignored.

use super::{
    Malformed, Unsupported, cluster,
    read::{Session, shape, signed},
    value::Value,
    write::Writer,
};
use crate::adapter::message::{EMITTER, Envelope, Message, NodeId, SessionRecord};

/// The names and values of an entry's fields.
pub(crate) type Fields = Vec<(&'static str, String)>;

/// Writes an entry.
pub(crate) fn entry(message: &Message, me: &NodeId, namespace: &str) -> Result<Fields, Unsupported> {
    let mut fields =
        vec![("uid", me.as_str().to_owned()), ("nsp", namespace.to_owned()), ("type", cluster::number(message)?.to_string())];
    if cluster::has_data(message) {
        let mut out = Writer::default();
        // The emitter of the reference names the namespace twice.
        cluster::data(&mut out, message, (me.as_str() == EMITTER).then_some(namespace))?;
        let value = out.finish();
        let data = if value.attachments.is_empty() {
            String::from_utf8(value.write_json()?).map_err(|_| Unsupported("text that is not UTF-8"))?
        } else {
            value.write_base64()?
        };
        fields.push(("data", data));
    }
    Ok(fields)
}

/// Reads an entry, by the values of its fields: the namespace, and the message. `None`: it is for no namespace, or of a type that
/// is not known.
pub(crate) fn read_entry<'a>(field: impl Fn(&str) -> Option<&'a [u8]>) -> Result<Option<(String, Envelope)>, Malformed> {
    fn text(bytes: &[u8]) -> Result<&str, Malformed> {
        std::str::from_utf8(bytes).map_err(|_| Malformed("text that is not UTF-8"))
    }
    let Some(namespace) = field("nsp") else { return Ok(None) };
    let namespace = text(namespace)?.to_owned();
    let number = text(field("type").unwrap_or_default())?.parse().map_err(|_| Malformed("a message without a type"))?;
    let sender = field("uid").map(text).transpose()?.map(NodeId::from);
    let data = field("data").map(Value::read_text).transpose()?;
    let (data, attachments) = data.as_ref().map_or((None, &[][..]), |data| (Some(&*data.json), &data.attachments));
    let message = cluster::message(number, data, attachments)?;
    message.map(|message| Ok((namespace, signed(sender, message)?))).transpose()
}

/// Writes a session.
pub(crate) fn session(session: &SessionRecord) -> Result<String, Unsupported> {
    let mut out = Writer::default();
    out.session(session);
    out.finish().write_base64()
}

/// Reads a session.
pub(crate) fn read_session(bytes: &[u8]) -> Result<SessionRecord, Malformed> {
    let value = Value::read_base64(bytes)?;
    let session: Session<'_> = shape(&value.json)?;
    Ok(session.record(&value.attachments))
}
