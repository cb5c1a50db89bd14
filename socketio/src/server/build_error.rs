//! `BuildError`: why a server cannot be built.

use super::client_files::ClientFilesError;
use crate::engine::ConfigError;

/// The server cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Two namespaces have the same path.
    #[error("the namespace `{0}` is registered twice")]
    DuplicateNamespace(String),
    /// The path of an untyped namespace is not one.
    #[error("`{0}` is no namespace path: it starts with `/` and has neither `,` nor `?`")]
    NamespacePath(String),
    /// The client bundle cannot be served.
    #[error(transparent)]
    ClientFiles(#[from] ClientFilesError),
}
