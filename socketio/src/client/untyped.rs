//! Handlers by name, for namespaces without a contract.

use super::builder::{Connect, Join};
use crate::contract::{Handler, Incoming, Outcome, Untyped, ack_value};
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::HashMap, future::Future, sync::Arc};

impl Connect<Untyped> {
    /// Handles the event of this name; see [`Join::on`].
    ///
    /// ```
    /// # use socketio::{Incoming, Outcome, Service, Socket, SocketIo};
    /// use socketio::{Client, Untyped};
    /// # use std::sync::Arc;
    ///
    /// # struct Session(Socket<Untyped>);
    /// # impl Service for Session {
    /// #     async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
    /// #         let sum = self.0.timeout(std::time::Duration::from_secs(5)).ask_body(socketio::Body::event("add", &(1, 2)).unwrap()).await;
    /// #         Outcome::Done(Some(sum.unwrap().raw_args().to_body()))
    /// #     }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let io = SocketIo::builder().namespace_at::<Untyped, _>("/", async |socket: Socket<Untyped>| {
    /// #     Ok::<_, std::convert::Infallible>(Session(socket))
    /// # }).build();
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    /// # let url = format!("http://{}", listener.local_addr().unwrap());
    /// # tokio::spawn(async move { axum::serve(listener, axum::Router::new().layer(io.layer())).await });
    /// let client = Client::<Untyped>::connect(url)
    ///     .at("/")
    ///     .on("add", |(a, b): (i64, i64)| async move { a + b })
    ///     .on("news", |args: Vec<serde_json::Value>| async move { drop(args) })
    ///     .await
    ///     .unwrap();
    /// client.emit_raw("hello", ("world", 1)).unwrap();
    /// let answer = client.call_raw("ask me to add", ()).await.unwrap();
    /// assert_eq!(answer.raw_args().get::<i64>(0).unwrap(), 3);
    /// # }
    /// ```
    pub fn on<A, F, Fut>(self, event: &str, handler: F) -> Self
    where
        A: DeserializeOwned,
        F: Fn(A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Serialize> + Send + 'static,
    {
        self.with_join(|join| join.on(event, handler))
    }
}

impl Join<Untyped> {
    /// Handles the event of this name; what the handler returns is the first argument of the acknowledgement, if the server
    /// wants one. The arguments are decoded into a tuple, `(String, u32)` or `(Value,)`, or into a `Vec` of them; those that do
    /// not fit are [rejected](Self::on_rejection).
    ///
    /// For binary data take [`Binary`](crate::Binary) or [`Raw`](crate::Raw), not `Value`. Other events go to the
    /// [`handler`](Self::handler), if there is one.
    pub fn on<A, F, Fut>(mut self, event: &str, handler: F) -> Self
    where
        A: DeserializeOwned,
        F: Fn(A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Serialize> + Send + 'static,
    {
        let erased: Handler = Arc::new(move |event: Incoming| match event.decode_all::<A>() {
            Ok(args) => {
                let handled = handler(args);
                Box::pin(async move { ack_value(&event, &handled.await) })
            }
            Err(rejection) => Box::pin(std::future::ready(Outcome::Rejected(rejection))),
        });
        self.named.insert(event.to_owned(), erased);
        self
    }
}

/// Finds the handler by the name of the event.
pub(super) fn by_name(named: HashMap<String, Handler>, others: Option<Handler>) -> Handler {
    Arc::new(move |event| match (named.get(event.name()), &others) {
        (Some(handler), _) | (None, Some(handler)) => handler(event),
        (None, None) => Box::pin(std::future::ready(Outcome::Unhandled(event))),
    })
}
