//! `ConnectError`: why a client is not in its namespace.

/// Why a client could not connect, or could not join its namespace.
///
/// Texts about the network and TLS are those of the operating system and of the TLS library: for people, not for comparing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The server's connect handler refused the client, or there is no such namespace: `connect_error` in JavaScript.
    #[error("refused by the server: {message}")]
    Refused {
        /// `error.message` of the JavaScript client.
        message: String,
        /// `error.data`, as JSON text.
        data: Option<String>,
    },
    /// The URL, a header, a root certificate or another setting cannot be used. Nothing was sent.
    #[error("{0}")]
    Setting(String),
    /// The name of the host could not be resolved.
    #[error("the host name does not resolve: {0}")]
    Dns(String),
    /// No TCP connection could be opened, or it was lost before the session was open.
    #[error("no connection: {0}")]
    Network(String),
    /// No TLS session could be agreed on: the certificate is not trusted, or is for another name, or nobody speaks TLS there.
    #[error("no TLS session: {0}")]
    Tls(String),
    /// The server did not answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The server speaks another version of the Engine.IO protocol.
    #[error("the server speaks another version of the protocol: {0}")]
    ProtocolVersion(String),
    /// The server refused the HTTP request.
    #[error("the server answered with HTTP status {status}: {message}")]
    Http {
        /// The status, such as 403.
        status: u16,
        /// What the server says about it; its message if it is an Engine.IO server.
        message: String,
    },
    /// What answered does not speak Engine.IO or Socket.IO.
    #[error("not a Socket.IO server: {0}")]
    Protocol(String),
    /// The payload for `auth` could not be made.
    #[error("no auth payload: {0}")]
    AuthPayload(String),
    /// This connection is in that namespace already.
    #[error("the connection is in the namespace `{0}` already")]
    AlreadyJoined(String),
    /// The client was closed, or the server disconnected it, before it was in its namespace.
    #[error("closed before the namespace was joined")]
    Closed,
}

impl ConnectError {
    /// The data of a [refusal](Self::Refused), decoded. `None`: there is none, or it has another type.
    ///
    /// ```
    /// use socketio::client::ConnectError;
    ///
    /// let error = ConnectError::Refused { message: "later".into(), data: Some(r#"{"seconds":3}"#.into()) };
    /// let data: serde_json::Value = error.data().unwrap();
    /// assert_eq!(data["seconds"], 3);
    /// ```
    pub fn data<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        match self {
            ConnectError::Refused { data, .. } => serde_json::from_str(data.as_deref()?).ok(),
            _ => None,
        }
    }

    /// Reads the payload of a CONNECT_ERROR packet.
    pub(crate) fn refused(json: &str) -> Self {
        #[derive(serde::Deserialize)]
        struct Refusal<'a> {
            message: String,
            #[serde(borrow)]
            data: Option<&'a serde_json::value::RawValue>,
        }
        match serde_json::from_str::<Refusal<'_>>(json) {
            Ok(Refusal { message, data }) => ConnectError::Refused { message, data: data.map(|data| data.get().to_owned()) },
            // Servers of older versions send the message alone.
            Err(_) => ConnectError::Refused { message: serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()), data: None },
        }
    }
}
