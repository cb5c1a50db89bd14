//! Clients that read slowly, where they are not disconnected for it: the oldest is dropped, only the newest is kept, or the
//! sender waits. That they are disconnected otherwise: `limits`.

use crate::{
    client::{Client, Options, Transport, within},
    script::{ack, basic, script},
    server::{Server, eventually},
};
use serde_json::{Value, json};
use socketio::{EmitError, SlowConsumer, Socket, SocketIo, Untyped};
use std::sync::{Arc, Mutex};

const LIMIT: usize = 256 << 10;
/// Far more than the limit and the buffers of TCP together.
const EVENTS: u32 = 1000;

async fn slow_client(server: &Server, transport: Transport) -> Client {
    let options = Options { small_buffer: true, ..Options::default() };
    let mut client = Client::connect_with(server.addr, transport, options).await;
    client.join("/", None).await;
    client
}

fn padding() -> String {
    "x".repeat(32 << 10)
}

/// The first arguments of events up to the one that says `last`.
async fn numbers(client: &mut Client, last: u32) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        let event = client.event().await;
        assert!(event.data[2] == Value::Null || event.data[2] == padding(), "a whole event");
        numbers.push(u32::try_from(event.data[1].as_u64().expect("a number")).expect("a small one"));
    }
    numbers
}

over_all_transports! {
    async fn the_oldest_events_are_dropped(transport) {
        let (connect, mut ended) = script(basic);
        let builder = SocketIo::builder().max_buffered(LIMIT).slow_consumer(SlowConsumer::DropOldest);
        let io = builder.namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = slow_client(&server, transport).await;
        let namespace = io.at::<Untyped>("/").expect("registered");
        for n in 0..EVENTS {
            namespace.emit_raw("n", (n, padding())).expect("JSON");
            tokio::task::yield_now().await;
        }
        let numbers = numbers(&mut client, EVENTS - 1).await;
        assert!(numbers.is_sorted_by(|a, b| a < b), "in order: {numbers:?}");
        assert!(numbers.len() < EVENTS as usize, "none was dropped");
        let newest: Vec<u32> = (EVENTS - 4..EVENTS).collect();
        assert!(numbers.ends_with(&newest), "the newest are kept: {numbers:?}");
        assert_eq!(client.call("/", json!(["echo", 1])).await, json!([1]));
        assert!(ended.try_recv().is_err(), "it is not disconnected");
    }

    async fn only_the_newest_of_a_key_is_kept(transport) {
        let (connect, mut ended) = script(basic);
        let io = SocketIo::builder().max_buffered(LIMIT).namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = slow_client(&server, transport).await;
        let namespace = io.at::<Untyped>("/").expect("registered");
        let socket = namespace.sockets().remove(0);
        for n in 0..EVENTS / 2 {
            namespace.conflate("a").emit_raw("a", (2 * n, padding())).expect("JSON");
            socket.conflate("b").emit_raw("b", (2 * n + 1, padding())).expect("JSON");
            tokio::task::yield_now().await;
        }
        socket.emit_raw("end", (EVENTS,)).expect("JSON");
        let numbers = numbers(&mut client, EVENTS).await;
        assert!(numbers.is_sorted_by(|a, b| a < b), "in the order in which they were emitted: {numbers:?}");
        assert!(numbers.len() < EVENTS as usize, "none was replaced");
        assert!(numbers.ends_with(&[EVENTS - 2, EVENTS - 1, EVENTS]), "the newest of each key: {numbers:?}");
        assert!(ended.try_recv().is_err(), "it is not disconnected");
    }

    async fn a_sender_waits_until_its_client_is_ready(transport) {
        let results = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&results);
        let (connect, mut ended) = script(move |socket: Socket<Untyped>, event| {
            let seen = Arc::clone(&seen);
            async move {
                if event.name() != "export" {
                    return basic(socket, event).await;
                }
                let mut result = Ok(());
                for n in 0..EVENTS {
                    result = socket.ready().await;
                    if result.is_err() {
                        break;
                    }
                    socket.emit_raw("n", (n, padding())).expect("there is room");
                }
                seen.lock().expect("no panic").push(result);
                ack(&"done")
            }
        });
        let io = SocketIo::builder().max_buffered(LIMIT).namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut reader = slow_client(&server, transport).await;
        let id = reader.ask("/", json!(["export"])).await;
        let all: Vec<u32> = (0..EVENTS).collect();
        assert_eq!(numbers(&mut reader, EVENTS - 1).await, all);
        assert_eq!(reader.answer("/", id).await, json!(["done"]));
        // Another stops reading, and is disconnected for that.
        reader.close().await;
        within("the end of the first", ended.recv()).await.expect("a report");
        let mut gone = slow_client(&server, transport).await;
        gone.emit("/", json!(["export"])).await;
        gone.event().await;
        io.at::<Untyped>("/").expect("registered").disconnect_sockets(true);
        eventually("its handler ends", || results.lock().expect("no panic").len() == 2).await;
        assert_eq!(*results.lock().expect("no panic"), [Ok(()), Err(EmitError::Disconnected)]);
    }
}
