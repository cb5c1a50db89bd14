//! Test support: what the fixture servers share.

pub mod conformance;
pub mod forms;
pub mod interop;
pub mod listen;
pub mod load;
pub mod shapes;
