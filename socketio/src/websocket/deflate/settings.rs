//! `PerMessageDeflate`: what a server wants of the extension.

use super::{MAX_WINDOW_BITS, MIN_WINDOW_BITS};

/// Compression of WebSocket messages, for clients that offer it: browsers do, and so does `ws` in Node.js. `perMessageDeflate`,
/// off by default.
///
/// Without changes, no message refers to another. So a broadcast is compressed once for all clients that have agreed on the same
/// window, and a connection takes no memory for the extension when it is at rest. With
/// [`server_context_takeover`](Self::server_context_takeover), small messages that are like each other become much smaller, but
/// every connection has a compressor of its own, and a broadcast is compressed for each of its receivers.
///
/// Compression takes time, on the thread that serves the connection: about 7 ms for a megabyte of JSON with the default level, and 20
/// ms with level 6. `compress(false)` on an emission keeps it from being compressed.
///
/// ```
/// use socketio::{PerMessageDeflate, SocketIo};
///
/// let io = SocketIo::builder().per_message_deflate(PerMessageDeflate::new().threshold(4096).level(3)).build();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerMessageDeflate {
    pub(crate) threshold_bytes: usize,
    pub(crate) level: u8,
    pub(crate) server_context: bool,
    pub(crate) client_context: bool,
    pub(crate) server_window_bits: u8,
    pub(crate) client_window_bits: u8,
    pub(crate) context_memory_bytes: usize,
}

impl Default for PerMessageDeflate {
    fn default() -> Self {
        PerMessageDeflate {
            threshold_bytes: 1024,
            level: 3,
            server_context: false,
            client_context: false,
            server_window_bits: MAX_WINDOW_BITS,
            client_window_bits: MAX_WINDOW_BITS,
            context_memory_bytes: 64 << 20,
        }
    }
}

impl PerMessageDeflate {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The size in bytes from which a message is compressed, its type included. `threshold`, default 1024.
    pub fn threshold(mut self, bytes: usize) -> Self {
        self.threshold_bytes = bytes;
        self
    }

    /// From 0 (nothing becomes smaller) over 1 (fast) to 9 (small). `zlibDeflateOptions.level`, default 3; the JavaScript server's is
    /// 6, in threads of its own, which takes three times as long here and saves a twelfth more.
    pub fn level(mut self, level: u8) -> Self {
        self.level = level;
        self
    }

    /// Whether messages of the server may refer to earlier ones of the same connection. The opposite of
    /// `serverNoContextTakeover`, default false; the JavaScript server lets the client choose.
    ///
    /// Takes 380 KB (250 KB with a window of 9 bits) for each connection, as long as it lives; see [`context_memory`](Self::context_memory).
    pub fn server_context_takeover(mut self, takeover: bool) -> Self {
        self.server_context = takeover;
        self
    }

    /// Whether messages of the client may refer to earlier ones of the same connection. The opposite of
    /// `clientNoContextTakeover`, default false; the JavaScript server lets the client choose.
    ///
    /// Takes about 48 KB for each connection that has sent something compressed, as long as it lives; see
    /// [`context_memory`](Self::context_memory).
    pub fn client_context_takeover(mut self, takeover: bool) -> Self {
        self.client_context = takeover;
        self
    }

    /// How far back messages of the server may refer: from 9 (512 bytes) to 15 (32 KiB). A client may ask for less.
    /// `serverMaxWindowBits`, default 15.
    pub fn server_max_window_bits(mut self, bits: u8) -> Self {
        self.server_window_bits = bits;
        self
    }

    /// How far back messages of the client may refer: from 9 (512 bytes) to 15 (32 KiB). Below 15, messages of clients that
    /// cannot be told so are not compressed. `clientMaxWindowBits`, default 15.
    pub fn client_max_window_bits(mut self, bits: u8) -> Self {
        self.client_window_bits = bits;
        self
    }

    /// How many bytes all connections together may take for context takeover. Beyond, new connections are given none, and are
    /// compressed nevertheless. Default 64 MiB; the JavaScript server has no limit.
    pub fn context_memory(mut self, bytes: usize) -> Self {
        self.context_memory_bytes = bytes;
        self
    }

    /// What cannot work, in words.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        let window = MIN_WINDOW_BITS..=MAX_WINDOW_BITS;
        [
            (self.level <= 9, "the level is from 0 to 9"),
            (window.contains(&self.server_window_bits), "`server_max_window_bits` is from 9 to 15"),
            (window.contains(&self.client_window_bits), "`client_max_window_bits` is from 9 to 15"),
        ]
        .into_iter()
        .find_map(|(fine, mistake)| (!fine).then_some(mistake))
    }
}
