//! What an event costs in memory: how often the server allocates, and that it gives everything back.
//!
//! Counted, not timed. The server has a thread of its own with a runtime of one thread, and the allocator counts by thread: what
//! the client allocates on the thread of the test is not seen, and other tests do not disturb.

mod events;
mod names;
mod server;
