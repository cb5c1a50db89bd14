//! Why a socket or session ended: one enum for the whole stack, with the reference's strings.

use std::fmt;

/// Why a socket was disconnected.
///
/// [`as_str`](Self::as_str) gives the reason string of the JavaScript server. A client sees its own reasons, which differ:
/// it reports `io server disconnect` for [`ServerNamespace`](Self::ServerNamespace).
///
/// ```
/// use socketio::DisconnectReason;
///
/// /// Whether the client went on purpose.
/// fn on_purpose(reason: DisconnectReason) -> bool {
///     matches!(reason, DisconnectReason::ClientNamespace)
/// }
/// assert!(on_purpose(DisconnectReason::ClientNamespace));
/// assert_eq!(DisconnectReason::PingTimeout.to_string(), "ping timeout");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The client left the namespace (`socket.disconnect()` in the client).
    ClientNamespace,
    /// The server disconnected the socket, alone or together with its connection.
    ServerNamespace,
    /// The connection was closed: websocket closed, TCP connection gone, or the client closed the session.
    TransportClose,
    /// The client broke the Engine.IO protocol, or the connection failed.
    TransportError,
    /// An Engine.IO packet could not be decoded.
    ParseError,
    /// A Socket.IO packet could not be decoded, or the client broke the Socket.IO protocol over WebSocket.
    ForcedClose,
    /// No namespace was joined in time, or the client broke the Socket.IO protocol over long polling.
    ForcedServerClose,
    /// The client did not answer a ping in time.
    PingTimeout,
    /// The server is shutting down.
    ServerShuttingDown,
    /// The client did not read: its outgoing buffer reached the byte limit. The JavaScript server has no such limit.
    SlowConsumer,
}

impl DisconnectReason {
    /// Whether a client that was disconnected so may have its session back. The end was an accident, not a decision.
    pub(crate) const fn is_recoverable(self) -> bool {
        match self {
            DisconnectReason::TransportClose
            | DisconnectReason::TransportError
            | DisconnectReason::ForcedClose
            | DisconnectReason::ForcedServerClose
            | DisconnectReason::PingTimeout
            | DisconnectReason::ServerShuttingDown
            | DisconnectReason::SlowConsumer => true,
            DisconnectReason::ClientNamespace | DisconnectReason::ServerNamespace | DisconnectReason::ParseError => false,
        }
    }

    /// The reason string of the JavaScript server.
    pub const fn as_str(self) -> &'static str {
        match self {
            DisconnectReason::ClientNamespace => "client namespace disconnect",
            DisconnectReason::ServerNamespace => "server namespace disconnect",
            DisconnectReason::TransportClose => "transport close",
            DisconnectReason::TransportError => "transport error",
            DisconnectReason::ParseError => "parse error",
            DisconnectReason::ForcedClose => "forced close",
            DisconnectReason::ForcedServerClose => "forced server close",
            DisconnectReason::PingTimeout => "ping timeout",
            DisconnectReason::ServerShuttingDown => "server shutting down",
            DisconnectReason::SlowConsumer => "slow consumer",
        }
    }
}

impl fmt::Display for DisconnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
