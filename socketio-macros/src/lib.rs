//! The attribute macros of the `socketio` crate.
