//! Brokers on Redis, compatible with the adapters of the JavaScript server. `link` is the connection; the brokers say what is on it.

pub(crate) mod link;
