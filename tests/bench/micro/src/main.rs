//! How long single functions take: the codec, frames, an event from frame to frame, a broadcast. `scripts/bench --micro [NAME]`.
//!
//! For looking at one function while it is being changed. What guards against regressions is counted: `socketio-instructions`.

use divan::{Bencher, black_box, counter::BytesCount};
use frame::frame;
use load::{
    Kind, Typed,
    text::{object, string},
};
use socketio::{
    Incoming,
    parser::{Body, Decoder, encode_ack, encode_event},
};
use tokio::runtime::{Builder, Runtime};
use wire::{Client, Server};

// The server behind pipes, and what is sent.
#[path = "../../instructions/src/frame.rs"]
mod frame;
#[allow(dead_code, unreachable_pub, unused_imports, reason = "shared with the fixture server")]
#[path = "../../../src/load/mod.rs"]
mod load;
#[allow(dead_code, reason = "shared with the counting of instructions")]
#[path = "../../instructions/src/wire.rs"]
mod wire;

// The frames are private to the crate: here they are compiled again, as the fuzz targets do.
mod text {
    pub(crate) use socketio::Text;
}
#[allow(dead_code, unreachable_pub, unused_imports, reason = "not all of it is of interest here")]
#[path = "../../../../socketio/src/websocket/mod.rs"]
mod websocket;

fn main() {
    divan::main();
}

const SIZES: [usize; 3] = [48, 1024, 16_384];

mod packet {
    use super::*;

    /// A packet's header and name.
    #[divan::bench(args = SIZES)]
    fn decode(bencher: Bencher<'_, '_>, size: usize) {
        let text = format!("2/ns,7[\"echo\",{}]", object(size));
        bencher.counter(BytesCount::of_str(&text)).with_inputs(|| text.as_str().into()).bench_values(|text| {
            let packet = Decoder::default().text(text).expect("a packet").expect("no attachments");
            Incoming::new(packet).expect("an event")
        });
    }

    /// The arguments of a decoded packet, into a type.
    #[divan::bench(args = SIZES)]
    fn typed_argument(bencher: Bencher<'_, '_>, size: usize) {
        let text = format!("2/ns,7[\"echo\",{}]", object(size));
        let packet = Decoder::default().text(text.as_str().into()).expect("a packet").expect("no attachments");
        let event = Incoming::new(packet).expect("an event");
        bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
            let mut args = event.args();
            let value: Typed = args.next("value").expect("an argument");
            args.finish().expect("no more");
            value
        });
    }

    #[divan::bench(args = SIZES)]
    fn encode(bencher: Bencher<'_, '_>, size: usize) {
        let value: Typed = serde_json::from_str(&object(size)).expect("an object");
        bencher
            .counter(BytesCount::new(size))
            .bench_local(|| encode_event("/ns", None, Body::event("msg", &(&value,)).expect("it can be serialized")));
    }

    #[divan::bench]
    fn encode_acknowledgement(bencher: Bencher<'_, '_>) {
        bencher.bench_local(|| encode_ack("/ns", black_box(7), Body::ack(&("done",)).expect("it can be serialized")));
    }
}

mod frames {
    use super::*;
    use crate::websocket::{Incoming, Input, Opcode, Reader, Role, Spare, write_header};

    /// Sixteen frames that one read brought.
    #[divan::bench(args = SIZES)]
    fn read_sixteen(bencher: Bencher<'_, '_>, size: usize) {
        let bytes = frame(1, string(size).as_bytes()).repeat(16);
        let mut spare = Spare::default();
        bencher.counter(BytesCount::new(bytes.len())).with_inputs(|| bytes.clone()).bench_local_refs(|bytes| {
            let mut reader = Reader::new(Role::Server, 1 << 20);
            let mut input = Input::new(bytes, &mut spare);
            let mut seen = 0;
            while let Some(incoming) = reader.next(&mut input).expect("they are valid") {
                seen += usize::from(matches!(incoming, Incoming::Text(_)));
            }
            assert_eq!(seen, 16);
        });
    }

    #[divan::bench(args = SIZES)]
    fn header(bencher: Bencher<'_, '_>, size: usize) {
        let mut room = [0; 16];
        bencher.bench_local(|| write_header(&mut room, Opcode::Text, black_box(size)));
    }
}

mod server {
    use super::*;

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_time().build().expect("a runtime")
    }

    /// A typed event and its acknowledgement, from frame to frame.
    #[divan::bench(args = [1, 16])]
    fn echo(bencher: Bencher<'_, '_>, in_flight: usize) {
        let runtime = runtime();
        let json = object(48);
        let requests: Vec<u8> =
            (0..in_flight).flat_map(|id| frame(1, format!("42{}[\"echo\",{json}]", 100 + id).as_bytes())).collect();
        let (mut client, answers) = runtime.block_on(async {
            let mut client = Client::join(&Server::start(Kind::Typed)).await;
            client.send(&requests).await;
            let answers = client.frames(in_flight).await;
            (client, answers)
        });
        let mut buffer = vec![0; answers.len()];
        bencher.counter(divan::counter::ItemsCount::new(in_flight)).bench_local(|| {
            runtime.block_on(async {
                client.send(&requests).await;
                client.expect(&answers, &mut buffer).await;
            });
        });
    }

    /// One event to a room.
    #[divan::bench(args = [10, 100, 1000])]
    fn fan_out(bencher: Bencher<'_, '_>, receivers: usize) {
        let runtime = runtime();
        let data = r#"{"a":10000001,"pad":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#;
        let request = frame(1, format!(r#"42["broadcast",{{"data":{data},"room":"r"}}]"#).as_bytes());
        let message = format!(r#"42["msg",{data}]"#);
        let expected = [&[0x81, message.len() as u8], message.as_bytes()].concat();
        let (mut publisher, mut room) = runtime.block_on(async {
            let server = Server::start(Kind::Typed);
            let mut room = Vec::new();
            for _ in 0..receivers {
                let mut client = Client::join(&server).await;
                client.send(&frame(1, br#"421["join","r"]"#)).await;
                client.frames(1).await;
                room.push(client);
            }
            (Client::join(&server).await, room)
        });
        let mut buffer = vec![0; expected.len()];
        bencher.counter(divan::counter::ItemsCount::new(receivers)).bench_local(|| {
            runtime.block_on(async {
                publisher.send(&request).await;
                for client in &mut room {
                    client.expect(&expected, &mut buffer).await;
                }
            });
        });
    }
}
