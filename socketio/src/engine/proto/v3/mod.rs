//! Revision 3 of the protocol, pure functions. Spec: Engine.IO protocol, revision 3; where that is silent, `parser-v3` of the
//! reference.
//!
//! | | revision 4 | revision 3 |
//! |---|---|---|
//! | several packets in one body | separated by U+001E | each behind its length, in UTF-16 units or, in a binary body, in bytes |
//! | binary message | no type | type 4 in front, as character or as byte |
//! | heartbeat | the server asks | the client asks |
//!
//! Not here: when it is spoken, see `revision`; JSONP, which is a matter of HTTP, see `engine::jsonp`.

pub(crate) mod packet;
pub(crate) mod payload;
