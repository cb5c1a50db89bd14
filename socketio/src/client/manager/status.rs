//! `Status`: where a client stands, and `End`: how its stay in a namespace ended.

use super::ConnectError;
use std::{fmt, time::Duration};

/// Where a client stands in its namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It has not been in its namespace yet.
    Connecting,
    /// It is in its namespace.
    Connected {
        /// The server has kept its id, its rooms and the events that it missed.
        recovered: bool,
    },
    /// It was disconnected. What comes next says whether for good: after [`End::ByServer`] and [`End::ByClient`] it is.
    Disconnected(End),
    /// The next attempt to connect will be made after this delay.
    Reconnecting {
        /// From 1; starts again once the client is in its namespace.
        attempt: u32,
        /// The pause before the attempt.
        delay: Duration,
        /// What came of the last attempt; `None` for the first one.
        error: Option<ConnectError>,
    },
    /// The server does not let the client into the namespace, for good.
    Refused(ConnectError),
    /// No further attempt is made.
    GaveUp(ConnectError),
}

/// How a stay in a namespace ended.
///
/// ```
/// assert_eq!(socketio::client::End::ByServer.to_string(), "io server disconnect");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The server disconnected the client, which does not come back by itself.
    ByServer,
    /// The client left: closed or dropped.
    ByClient,
    /// The server did not ping in time.
    PingTimeout,
    /// The connection was closed, or lost.
    TransportClose,
    /// The connection failed.
    TransportError,
    /// The server sent what is no packet.
    ParseError,
}

impl End {
    /// Whether the client does not come back by itself.
    pub const fn is_final(self) -> bool {
        matches!(self, End::ByServer | End::ByClient)
    }

    /// The reason string of the JavaScript client.
    pub const fn as_str(self) -> &'static str {
        match self {
            End::ByServer => "io server disconnect",
            End::ByClient => "io client disconnect",
            End::PingTimeout => "ping timeout",
            End::TransportClose => "transport close",
            End::TransportError => "transport error",
            End::ParseError => "parse error",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
