//! Event layers: what stands around the events of a namespace.

use super::Builder;
use serde_json::Value;
use socketio::{ConnectError, Incoming, Rejection, Socket, layer, namespace};
use std::time::Duration;

#[namespace("/layered", rename_all = "camelCase")]
trait Layered {
    /// Answered twice for each socket.
    #[event]
    async fn scarce(&self) -> Result<u32, Rejection>;
    #[event]
    async fn guarded(&self, text: &str) -> Result<String, String>;
    #[event]
    async fn plain(&self, value: Value) -> Value;
}

struct Session;

impl Layered for Session {
    async fn scarce(&self) -> Result<u32, Rejection> {
        Ok(1)
    }
    async fn guarded(&self, text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }
    async fn plain(&self, value: Value) -> Value {
        value
    }
}

/// Comes first: a layer surrounds the namespaces that were added before it.
pub(super) fn mount(builder: Builder) -> Builder {
    let an_hour = Duration::from_secs(3600);
    builder
        .namespace::<dyn Layered, _>(async |_: Socket<dyn Layered>| Ok::<_, ConnectError>(Session))
        .event_layer(layer::RateLimit::new(1000, an_hour).event("scarce", 2, an_hour))
        .event_layer(layer::from_fn(|event: Incoming, next: layer::Next| async move {
            match event.raw_args().get::<&str>(0) {
                Ok("forbidden") => Rejection::new("not you").with_code("forbidden").into(),
                _ => next.run(event).await,
            }
        }))
}
