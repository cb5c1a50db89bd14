//! What is spoken with clients: the spelling of packets, old versions, attachments, compression of WebSocket messages.

use super::Builder;
use crate::{engine::PerMessageDeflate, parser::Parser, server::Spelling};

impl<S: Clone + Send + Sync + 'static> Builder<S> {
    /// Also serves clients of Socket.IO 1 and 2, and JSONP polling. `allowEIO3`, default false. Clients since Socket.IO 3 do not
    /// notice; rooms may hold clients of all versions.
    ///
    /// An old client takes the id of its session for the id of its socket in `/`. So [`Socket::id`](crate::Socket::id) tells it
    /// too, and whoever is told that id can speak for the client, as with the JavaScript server.
    pub fn allow_eio3(self, allow: bool) -> Self {
        self.config(|config| config.allow_eio3(allow))
    }

    /// What the ids of Engine.IO sessions begin with: the mark of this server among those behind a load balancer, at most 4
    /// characters out of `A-Z`, `a-z`, `0-9`, `-` and `_`. Default nothing.
    ///
    /// Long polling spreads one session over many requests, all of which must reach the server that has it. Clients repeat the id in
    /// the query (`sid=n0_...`), so the balancer can go by its mark: no cookies, no hashing of addresses, and clients of any kind. The
    /// rest of the id is random, 96 bits of it: so no mark may be the beginning of another one, as `1` is of `10`. See `docs/cluster.md` for the rules of nginx and HAProxy.
    ///
    /// ```
    /// use socketio::SocketIo;
    ///
    /// let mark = std::env::var("SERVER").unwrap_or("n0_".to_owned()); // the number of the pod
    /// let io = SocketIo::builder().session_mark(mark).build();
    /// assert!(SocketIo::builder().session_mark("server 1").try_build().is_err());
    /// ```
    pub fn session_mark(self, mark: impl Into<String>) -> Self {
        self.config(|config| config.session_mark(mark))
    }

    /// How packets are spelled, for all clients of this server: [`MsgPack`](crate::parser::MsgPack) or a parser of your own.
    /// `parser`, default the protocol's own, which needs no parser. Clients must be given the same.
    pub fn parser(mut self, parser: impl Parser) -> Self {
        self.spelling = Spelling::custom(parser);
        self
    }

    /// Compresses WebSocket messages of clients that offer permessage-deflate, and takes theirs compressed. `perMessageDeflate`,
    /// default off. An inflated message is no larger than [`max_payload`](Self::max_payload).
    ///
    /// ```
    /// use socketio::{PerMessageDeflate, SocketIo};
    ///
    /// let io = SocketIo::builder().per_message_deflate(PerMessageDeflate::new()).build();
    /// ```
    pub fn per_message_deflate(self, deflate: PerMessageDeflate) -> Self {
        self.config(|config| config.per_message_deflate(deflate))
    }

    /// The largest number of attachments in one packet. `maxAttachments` of the parser, default 10. Clients have a limit
    /// of their own for what they receive.
    pub fn max_attachments(mut self, attachments: usize) -> Self {
        self.max_attachments = attachments;
        self
    }

    /// The largest sum of all attachments of one packet. Default the largest number of them times the largest message.
    pub fn max_attachment_bytes(mut self, bytes: usize) -> Self {
        self.max_attachment_bytes = Some(bytes);
        self
    }
}
