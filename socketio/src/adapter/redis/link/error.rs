//! `RedisError`: why a first connection failed.

/// Redis cannot be used. Messages name the address, never the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedisError {
    /// The URL or another setting cannot be used.
    #[error("setting for Redis: {0}")]
    Setting(String),
    /// Nobody answers at this address, or not as Redis does.
    #[error("Redis at {address}: {reason}")]
    Unreachable {
        /// Host and port, or the path of the socket.
        address: String,
        /// What happened.
        reason: String,
    },
    /// Redis answered with an error: a wrong password, a missing permission, a version before 6.
    #[error("Redis at {address} refused: {reason}")]
    Refused {
        /// Host and port, or the path of the socket.
        address: String,
        /// What Redis said.
        reason: String,
    },
}

impl RedisError {
    /// The same error of the redis library, for this address.
    pub(super) fn of(address: &str, error: &redis::RedisError) -> Self {
        let (address, reason) = (address.to_owned(), error.to_string());
        match error.is_io_error() {
            true => RedisError::Unreachable { address, reason },
            false => RedisError::Refused { address, reason },
        }
    }

    pub(super) fn unreachable(address: &str, reason: impl std::fmt::Display) -> Self {
        RedisError::Unreachable { address: address.to_owned(), reason: reason.to_string() }
    }
}
