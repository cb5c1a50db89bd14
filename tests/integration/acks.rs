//! Acknowledgements in both directions, and what happens to those that never come.

use crate::{
    client::Client,
    script::{basic, script},
    server::{Server, eventually},
};
use futures_util::{Stream as _, StreamExt as _};
use serde_json::{Value, json};
use socketio::{Binary, Body, CallError, EmitError, Socket, SocketIo, Untyped};
use std::{collections::HashMap, time::Duration};

fn start() -> (SocketIo, Server) {
    let (connect, _ended) = script(basic);
    let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect.clone()).namespace_at::<Untyped, _>("/b", connect).build();
    let server = Server::start(&io);
    (io, server)
}

fn the_socket(io: &SocketIo) -> Socket<Untyped> {
    let sockets = io.at::<Untyped>("/").expect("it is registered").sockets();
    assert_eq!(sockets.len(), 1);
    sockets.into_iter().next().expect("one")
}

fn question(n: u32) -> Body {
    Body::event("question", &(n,)).expect("JSON")
}

const SOON: Duration = Duration::from_millis(50);
const LATE: Duration = Duration::from_secs(15);

over_all_transports! {
    async fn many_at_once_in_any_order(transport) {
        let (io, server) = start();
        let mut client = Client::joined(server.addr, transport).await;
        let socket = the_socket(&io);
        let replies: Vec<_> = (0..200).map(|n| socket.timeout(LATE).ask_body(question(n))).collect();
        let mut asked = Vec::new();
        for _ in 0..200 {
            asked.push(client.event().await);
        }
        for packet in asked.iter().rev() {
            let n = packet.args()[0].clone();
            client.acknowledge(packet, json!([n])).await;
        }
        for (n, reply) in replies.into_iter().enumerate() {
            assert_eq!(reply.await.expect("answered").raw_args().get::<usize>(0), Ok(n));
        }
    }

    async fn questions_of_run_time_over_every_address(transport) {
        let (io, server) = start();
        let mut client = Client::joined(server.addr, transport).await;
        let socket = the_socket(&io);
        let all = socket.namespace();
        let remote = all.fetch_sockets().await.expect("alone").remove(0);
        let one = [
            socket.ask_raw("question", (1, "x")),
            socket.timeout(LATE).ask_raw("question", [1, 2]),
            remote.ask_raw("question", ()),
        ];
        let many = [all.ask_raw("question", (1,)), all.to(socket.id()).ask_raw("question", (Binary::from(vec![1]),))];
        let mut asked = Vec::new();
        for n in 0..5 {
            let packet = client.event().await;
            client.acknowledge(&packet, json!(["answer", n])).await;
            assert_eq!(packet.name(), "question");
            asked.push((packet.args(), packet.attachments.len()));
        }
        let placeholder = json!({ "_placeholder": true, "num": 0 });
        let expected = [(vec![json!(1), json!("x")], 0), (vec![json!(1), json!(2)], 0), (vec![], 0), (vec![json!(1)], 0)];
        assert_eq!((&asked[..4], &asked[4]), (&expected[..], &(vec![placeholder], 1)));
        for (n, reply) in one.into_iter().enumerate() {
            assert_eq!(reply.expect("JSON").await.expect("answered").raw_args().get::<usize>(1), Ok(n));
        }
        for (n, reply) in many.into_iter().enumerate() {
            let answers = reply.expect("JSON").await;
            let [(id, Ok(answer))] = &answers[..] else { panic!("one answer: {answers:?}") };
            assert_eq!((*id, answer.raw_args().get::<usize>(1)), (Some(socket.id()), Ok(3 + n)));
        }

        let reserved = |error: EmitError| assert_eq!(error, EmitError::Reserved("disconnect".to_owned()));
        reserved(socket.ask_raw("disconnect", ()).expect_err("reserved"));
        reserved(socket.compress(false).ask_raw("disconnect", ()).expect_err("reserved"));
        reserved(remote.ask_raw("disconnect", ()).expect_err("reserved"));
        reserved(all.ask_raw("disconnect", ()).expect_err("reserved"));
        reserved(all.to("x").ask_raw("disconnect", ()).expect_err("reserved"));
        assert!(matches!(socket.ask_raw("question", 1), Err(EmitError::Encode(_))), "neither a tuple nor a list");
        assert_eq!(client.call("/", json!(["echo", 1])).await, json!([1]));
        assert!(client.unread().is_empty(), "nothing was sent");
    }

    async fn unknown_and_repeated_ids_are_ignored(transport) {
        let (io, server) = start();
        let mut client = Client::joined(server.addr, transport).await;
        client.join("/b", None).await;
        let socket = the_socket(&io);
        for nonsense in ["3999[1]", "39007199254740991[1]", "3/b,0[1]", "30", "3"] {
            client.send(nonsense).await;
        }
        let reply = socket.timeout(LATE).ask_body(question(1));
        let asked = client.event().await;
        // The same number, but of another namespace.
        client.send(&format!("3/b,{}[\"other namespace\"]", asked.id.expect("an id"))).await;
        client.acknowledge(&asked, json!(["first"])).await;
        client.acknowledge(&asked, json!(["second"])).await;
        assert_eq!(reply.await.expect("answered").raw_args().get::<String>(0).as_deref(), Ok("first"));
        assert_eq!(client.call("/", json!(["echo", "alive"])).await, json!(["alive"]));
    }

    async fn timeouts_and_dropped_replies(transport) {
        let (io, server) = start();
        let mut client = Client::joined(server.addr, transport).await;
        let socket = the_socket(&io);
        let late = socket.timeout(SOON).ask_body(question(1));
        drop(socket.timeout(LATE).ask_body(question(2)));
        assert_eq!(late.await.expect_err("too late"), CallError::Timeout);
        for n in 1..=2 {
            let asked = client.event().await;
            assert_eq!(asked.args(), [json!(n)], "the event left when it was emitted");
            client.acknowledge(&asked, json!([n])).await;
        }
        let reply = socket.timeout(LATE).ask_body(question(3));
        let asked = client.event().await;
        client.acknowledge(&asked, json!([3])).await;
        assert_eq!(reply.await.expect("answered").raw_args().get::<u32>(0), Ok(3));
    }

    async fn disconnected_while_waiting(transport) {
        let (io, server) = start();
        for way in 0..4 {
            let mut client = Client::joined(server.addr, transport).await;
            let socket = the_socket(&io);
            let reply = socket.timeout(LATE).ask_body(question(1));
            let many = socket.namespace().timeout(LATE).ask_body(question(2));
            client.event().await;
            client.event().await;
            match way {
                0 => client.leave("/").await,
                1 => client.close().await,
                2 => {
                    client.start_reading().await;
                    client.kill();
                }
                _ => socket.disconnect(true),
            }
            assert_eq!(reply.await.expect_err("gone"), CallError::Disconnected, "way {way}");
            let many = many.await;
            assert_eq!(many.len(), 1);
            assert_eq!(many[0].0, Some(socket.id()));
            assert!(matches!(many[0].1, Err(CallError::Disconnected)), "way {way}");
            eventually("the socket leaves", || io.at::<Untyped>("/").expect("registered").is_empty()).await;
        }
    }

    async fn a_broadcast_with_silent_and_leaving_clients(transport) {
        let (io, server) = start();
        let namespace = io.at::<Untyped>("/").expect("registered");
        let mut clients = Vec::new();
        for _ in 0..6 {
            let mut client = Client::connect(server.addr, transport).await;
            let id = client.join("/", None).await;
            clients.push((id, client));
        }
        let replies = namespace.timeout(Duration::from_millis(800)).ask_body(question(7));
        let mut silent = Vec::new();
        for (index, (id, mut client)) in clients.into_iter().enumerate() {
            let asked = client.event().await;
            match index % 3 {
                0 => {
                    client.acknowledge(&asked, json!([id])).await;
                    // Twice: it counts once.
                    client.acknowledge(&asked, json!(["again"])).await;
                    silent.push(client);
                }
                1 => silent.push(client),
                _ => client.close().await,
            }
        }
        let replies = replies.await;
        assert_eq!(replies.len(), 6);
        let results: HashMap<_, _> = replies.into_iter().collect();
        assert_eq!(results.len(), 6, "one result for each socket");
        for (id, result) in &results {
            if let Ok(data) = result {
                assert_eq!(data.raw_args().get::<String>(0).as_deref(), Ok(id.expect("of this server").as_str()));
            }
        }
        let count = |error: &CallError| results.values().filter(|result| result.as_ref().err() == Some(error)).count();
        assert_eq!((count(&CallError::Timeout), count(&CallError::Disconnected)), (2, 2));
    }

    async fn answers_of_a_broadcast_come_one_by_one(transport) {
        let (io, server) = start();
        let namespace = io.at::<Untyped>("/").expect("registered");
        let mut first = Client::joined(server.addr, transport).await;
        let mut second = Client::joined(server.addr, transport).await;
        let mut replies = namespace.timeout(Duration::from_millis(800)).ask_body(question(7));
        assert_eq!(replies.size_hint(), (2, Some(2)));
        let asked = first.event().await;
        first.acknowledge(&asked, json!(["first"])).await;
        // Nobody waits for the second client to see the answer of the first.
        let (_, answer) = replies.next().await.expect("two were asked");
        assert_eq!(answer.expect("it answered").raw_args().get::<String>(0).as_deref(), Ok("first"));
        second.event().await;
        let (_, answer) = replies.next().await.expect("two were asked");
        assert_eq!(answer.expect_err("it does not answer"), CallError::Timeout);
        assert!(replies.next().await.is_none());
    }

    async fn binary_acknowledgements(transport) {
        let (io, server) = start();
        let mut client = Client::joined(server.addr, transport).await;
        let socket = the_socket(&io);
        let reply = socket.timeout(LATE).ask_body(Body::event("take", &(Binary::from(vec![1, 2]),)).expect("JSON"));
        let asked = client.event().await;
        assert_eq!(asked.attachments, [vec![1, 2]]);
        let id = asked.id.expect("an id");
        client.send(&format!("62-{id}[{{\"a\":{{\"_placeholder\":true,\"num\":1}},\"b\":{{\"_placeholder\":true,\"num\":0}}}}]")).await;
        client.send_binary(&[9]).await;
        client.send_binary(&[8, 8]).await;
        let data = reply.await.expect("answered");
        let value: HashMap<String, Binary> = data.raw_args().get(0).expect("a map");
        assert_eq!((&value["a"].0[..], &value["b"].0[..]), (&[8, 8][..], &[9][..]));

        client.send("51-77[\"echo\",{\"_placeholder\":true,\"num\":0},\"text\"]").await;
        client.send_binary(&[5; 300]).await;
        let echoed = client.packet().await;
        assert_eq!((echoed.kind, echoed.id), (3, Some(77)));
        assert_eq!(echoed.data[1], Value::from("text"));
        assert_eq!(echoed.attachments, [vec![5; 300]]);
    }
}
