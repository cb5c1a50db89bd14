//! Which namespaces there are: patterns, predicates and what is refused.

use crate::{
    client::Client,
    script::{basic, script},
    server::Server,
};
use serde_json::json;
use socketio::{BuildError, ConnectError, EmitError, Socket, SocketIo, Untyped, namespace};

#[namespace("/room/{id}")]
trait RoomById {}

#[namespace("/room/{name}")]
trait RoomByName {}

struct Visitor;

impl RoomById for Visitor {}
impl RoomByName for Visitor {}

async fn visit_by_id(_: Socket<dyn RoomById>) -> Result<Visitor, ConnectError> {
    Ok(Visitor)
}

async fn visit_by_name(_: Socket<dyn RoomByName>) -> Result<Visitor, ConnectError> {
    Ok(Visitor)
}

/// All that a client cannot be told with an event.
const RESERVED: [&str; 6] = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

over_all_transports! {
    async fn a_panicking_predicate_refuses_one_client_and_no_more(transport) {
        let (connect, mut ended) = script(basic);
        let io = SocketIo::builder()
            .namespace_at::<Untyped, _>("/", connect.clone())
            .namespace_matching::<Untyped, _>(
                |path| {
                    assert_ne!(path, "/boom", "on purpose");
                    path.starts_with("/dyn/")
                },
                connect,
            )
            .build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        client.join("/dyn/1", None).await;
        for _ in 0..3 {
            let refused = client.try_join("/boom", None).await.expect_err("the predicate panics");
            assert_eq!(refused, json!({ "message": "internal error" }));
        }
        let refused = client.try_join("/nowhere", None).await.expect_err("there is no such namespace");
        assert_eq!(refused, json!({ "message": "Invalid namespace" }));
        for namespace in ["/", "/dyn/1"] {
            assert_eq!(client.call(namespace, json!(["echo", 1])).await, json!([1]), "{namespace} stays");
        }
        client.join("/dyn/2", None).await;
        assert!(ended.try_recv().is_err(), "nobody left");
        assert_eq!(io.namespaces(), ["/", "/dyn/1", "/dyn/2"]);
    }

    async fn reserved_names_do_not_leave_the_server(transport) {
        let (connect, _ended) = script(basic);
        let io = SocketIo::builder().namespace_at::<Untyped, _>("/", connect).build();
        let server = Server::start(&io);
        let mut client = Client::joined(server.addr, transport).await;
        let namespace = io.at::<Untyped>("/").expect("registered");
        let socket = namespace.sockets().remove(0);
        for name in RESERVED {
            let reserved = Err(EmitError::Reserved(name.to_owned()));
            assert_eq!(socket.emit_raw(name, (1,)), reserved);
            assert_eq!(socket.volatile().emit_raw(name, (1,)), reserved);
            assert_eq!(namespace.emit_raw(name, (1,)), reserved);
            assert_eq!(namespace.except("nobody").emit_raw(name, (1,)), reserved);
        }
        socket.emit_raw("connected", (1,)).expect("it only looks alike");
        client.expect("/", json!(["connected", 1])).await;
    }
}

#[test]
fn a_pattern_is_no_namespace_but_its_children_are() {
    let io = SocketIo::builder().namespace::<dyn RoomById, _>(visit_by_id).build();
    let all = io.try_of::<dyn RoomById>().expect("it stands for its children");
    all.emit_raw("nobody hears it", ()).expect("JSON");
    assert_eq!((all.path(), all.len()), ("/room/{id}", 0));
    assert!(io.try_of::<dyn RoomByName>().is_none());
    assert_eq!(io.namespaces(), [""; 0], "looking makes no child");
    let child = io.at::<dyn RoomById>("/room/1").expect("it matches");
    assert_eq!((child.path(), child.len()), ("/room/1", 0));
    assert!(io.at::<dyn RoomByName>("/room/1").is_none(), "it has another contract");
    assert!(io.at::<dyn RoomById>("/room/1/2").is_none());
    assert!(all.sockets().is_empty());
    assert_eq!(io.namespaces(), ["/room/1"]);
    drop(child);
    assert_eq!(io.namespaces(), [""; 0]);
}

#[test]
fn two_patterns_for_the_same_paths_are_refused() {
    let twice =
        SocketIo::builder().namespace::<dyn RoomById, _>(visit_by_id).namespace::<dyn RoomByName, _>(visit_by_name).try_build();
    let Err(BuildError::DuplicateNamespace(pattern)) = twice else { panic!("{twice:?}") };
    assert_eq!(pattern, "/room/{}");
    let (connect, _ended) = script(basic);
    let beside = SocketIo::builder().namespace::<dyn RoomById, _>(visit_by_id).namespace_at::<Untyped, _>("/room/1", connect);
    beside.try_build().expect("a path goes in front of a pattern");
}
