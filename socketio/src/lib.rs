//! Socket.IO for Rust.
pub mod contract;
pub mod describe;
pub mod id;
pub mod parser;
pub mod reason;
pub mod room;
pub mod text;

#[cfg(feature = "server")]
pub mod engine;
#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "server")]
pub use engine::{
    cookie::{Cookie, CookieError, SameSite},
    cors::{Cors, CorsError},
};
#[cfg(feature = "server")]
pub use server::client_files::ClientFilesError;
