//! What goes wrong: connections that are lost, servers that come and go, and what clients hear of it.

use super::{
    proxy::{Fault, Proxy},
    world::{Bot, Desk, Seen, World, builder, connect, io, login, transports},
};
use crate::server::{Server, eventually};
use socketio::{
    CallError, Client, EmitError, Recovery, SocketIo, Untyped,
    client::{ConnectError, End, Reconnect, Status},
};
use std::{
    future::IntoFuture as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn reconnected(changes: &mut socketio::client::Changes) {
    loop {
        match changes.next().await {
            Some(Status::Connected { .. }) => return,
            Some(_) => {}
            None => panic!("the client gave up"),
        }
    }
}

over_all_transports! {
    async fn a_cut_connection_comes_back(transport) {
        let world = World::start();
        let proxy = Proxy::start(world.server.addr).await;
        let bot = Arc::new(Bot::default());
        let client = connect(&proxy.url(), transport).handler(Arc::clone(&bot)).await.unwrap();
        let mut changes = client.changes();
        for round in 0..3 {
            let pending = client.emit().never();
            assert_eq!(client.emit().half(2).await, Ok(1));
            proxy.cut();
            assert!(matches!(changes.next().await, Some(Status::Disconnected(End::TransportClose | End::TransportError))));
            assert!(matches!(changes.next().await, Some(Status::Reconnecting { attempt: 1, .. })));
            assert_eq!(pending.await, Err(CallError::Disconnected), "what was on its way is lost");
            // What is emitted meanwhile waits, with and without acknowledgement.
            client.emit().note(round);
            assert_eq!(client.volatile().try_emit().note(99), Err(EmitError::NotWritable));
            assert_eq!(client.emit().half(8).await, Ok(4));
            reconnected(&mut changes).await;
        }
        assert_eq!(client.emit().notes().await, Ok(vec![0, 1, 2]));
    }

    async fn what_was_missed_is_heard_once_and_in_order(transport) {
        let io = builder(&Arc::default()).connection_state_recovery(Recovery::new()).build();
        let server = Server::start(&io);
        let proxy = Proxy::start(server.addr).await;
        let bot = Arc::new(Bot::default());
        let client = connect(&proxy.url(), transport).handler(Arc::clone(&bot)).await.unwrap();
        let (id, mut changes, mut numbers) = (client.id(), client.changes(), 0..);
        for round in 0..4 {
            // The first loss comes before the client has heard anything.
            let mut tell = |count| numbers.by_ref().take(count).for_each(|number| io.of::<dyn Desk>().emit().told(number));
            tell(round * 3);
            proxy.cut();
            tell(3);
            loop {
                match changes.next().await {
                    Some(Status::Connected { recovered }) => break assert!(recovered, "round {round}"),
                    Some(_) => {}
                    None => panic!("the client gave up"),
                }
            }
            assert_eq!(client.id(), id);
            tell(1);
        }
        let all: Vec<u32> = (0..numbers.start).collect();
        eventually("everything is heard", || *bot.told.lock().unwrap() == all).await;
        assert_eq!(client.emit().half(2).await, Ok(1));
        assert_eq!(*bot.told.lock().unwrap(), all, "nothing comes twice");
    }

    async fn a_server_is_restarted_in_the_middle_of_traffic(transport) {
        let seen: Arc<Seen> = Arc::default();
        let mut server = Server::start(&io(&seen));
        let proxy = Proxy::start(server.addr).await;
        let client = connect(&proxy.url(), transport).retries(1000).ack_timeout(Duration::from_secs(20)).await.unwrap();
        let mut changes = client.changes();
        for number in 0..300 {
            client.emit().note(number);
        }
        for _ in 0..3 {
            server = Server::start(&io(&seen));
            proxy.set_target(server.addr);
            proxy.cut();
            reconnected(&mut changes).await;
        }
        let notes = client.emit().notes().await.unwrap();
        drop(server);
        // At least once, and in order: what came twice came twice in a row.
        let mut once = notes.clone();
        once.dedup();
        assert_eq!(once, (0..300).collect::<Vec<_>>(), "{notes:?}");
    }

    async fn a_half_closed_connection_is_noticed(transport) {
        let world = World::start();
        let proxy = Proxy::start(world.server.addr).await;
        let client = connect(&proxy.url(), transport).await.unwrap();
        let mut changes = client.changes();
        proxy.set(Fault::HalfClose);
        assert!(matches!(changes.next().await, Some(Status::Disconnected(End::TransportClose | End::TransportError))));
        proxy.set(Fault::None);
        reconnected(&mut changes).await;
        assert_eq!(client.emit().half(2).await, Ok(1));
    }

    async fn a_slow_connection_is_no_fault(transport) {
        let world = World::start();
        let proxy = Proxy::start(world.server.addr).await;
        proxy.set(Fault::Delay(millis(5)));
        let client = connect(&proxy.url(), transport).await.unwrap();
        for number in 0..20 {
            client.emit().note(number);
        }
        assert_eq!(client.emit().notes().await, Ok((0..20).collect()));
    }

    async fn a_server_that_falls_silent_is_given_up(transport) {
        let io = SocketIo::builder().ping_interval(millis(60)).ping_timeout(millis(60)).namespace_at::<Untyped, _>("/", silent).build();
        let server = Server::start(&io);
        let proxy = Proxy::start(server.addr).await;
        let client = Client::<Untyped>::connect(proxy.url())
            .at("/")
            .transports(transports(transport))
            .reconnect(Reconnect::never())
            .await
            .unwrap();
        let mut changes = client.changes();
        proxy.set(Fault::Silence);
        assert_eq!(changes.next().await, Some(Status::Disconnected(End::PingTimeout)));
        assert!(matches!(changes.next().await, Some(Status::GaveUp(_))));
        assert_eq!(changes.next().await, None);
        assert_eq!(client.emit_raw("x", ()), Err(EmitError::Disconnected));
    }

    async fn a_server_that_is_not_there_is_not_hammered(transport) {
        let world = World::start();
        let proxy = Proxy::start(world.server.addr).await;
        let client = connect(&proxy.url(), transport).reconnect(Reconnect::new().delay(millis(10)).max_delay(millis(20)).attempts(5)).await.unwrap();
        let mut changes = client.changes();
        let before = proxy.accepted();
        proxy.set(Fault::Refuse);
        proxy.cut();
        let mut attempts = Vec::new();
        let gave_up = loop {
            match changes.next().await {
                Some(Status::Reconnecting { attempt, delay, .. }) => {
                    assert!(delay >= millis(10) && delay <= millis(20));
                    attempts.push(attempt);
                }
                Some(Status::GaveUp(error)) => break error,
                Some(Status::Disconnected(_)) => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(attempts, [1, 2, 3, 4, 5]);
        assert!(matches!(gave_up, ConnectError::Network(_)), "{gave_up}");
        // One connection for each attempt; one more request may have been under way when the others were cut.
        assert!((5..=7).contains(&(proxy.accepted() - before)), "{}", proxy.accepted() - before);
    }

    async fn the_buffer_is_bounded(transport) {
        let world = World::start();
        let proxy = Proxy::start(world.server.addr).await;
        let client = connect(&proxy.url(), transport).buffer_limit(3, 10_000).await.unwrap();
        let mut changes = client.changes();
        proxy.set(Fault::Refuse);
        proxy.cut();
        assert!(matches!(changes.next().await, Some(Status::Disconnected(_))));
        let taken: Vec<_> = (0..5).map(|number| client.try_emit().note(number)).collect();
        assert_eq!(taken, [Ok(()), Ok(()), Ok(()), Err(EmitError::Full), Err(EmitError::Full)]);
        proxy.set(Fault::None);
        reconnected(&mut changes).await;
        assert_eq!(client.emit().notes().await, Ok(vec![0, 1, 2]));
    }

    async fn calls_that_waited_too_long_are_not_sent(transport) {
        let world = World::start();
        let proxy = Proxy::start(world.server.addr).await;
        let client = connect(&proxy.url(), transport).await.unwrap();
        let mut changes = client.changes();
        proxy.set(Fault::Refuse);
        proxy.cut();
        assert!(matches!(changes.next().await, Some(Status::Disconnected(_))));
        let (late, patient) = (client.timeout(millis(5)).emit().count(1), client.emit().count(2));
        assert_eq!(late.await, Err(CallError::Timeout));
        proxy.set(Fault::None);
        assert_eq!(patient.await, Ok(1));
        assert_eq!(client.emit().notes().await, Ok(vec![2]));
    }

    async fn a_token_is_made_for_each_connection(transport) {
        let world = World::start();
        let proxy = Proxy::start(world.server.addr).await;
        let count = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&count);
        let client = connect(&proxy.url(), transport)
            .auth_with(move || {
                let counted = Arc::clone(&counted);
                async move {
                    tokio::task::yield_now().await;
                    let mut count = counted.lock().unwrap();
                    *count += 1;
                    if *count < 3 { Ok(login(&format!("ann{count}"))) } else { Err("the account is gone") }
                }
            })
            .await
            .unwrap();
        let mut changes = client.changes();
        assert_eq!(client.emit().whoami().await, Ok("ann1".into()));
        proxy.cut();
        reconnected(&mut changes).await;
        assert_eq!(client.emit().whoami().await, Ok("ann2".into()));
        proxy.cut();
        let refused = loop {
            if let Status::Refused(error) = changes.next().await.unwrap() {
                break error;
            }
        };
        assert_eq!(refused, ConnectError::AuthPayload("the account is gone".into()));
    }

    async fn a_server_that_is_still_to_come(transport) {
        // The port is free by then, and taken again.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start(listener.local_addr().unwrap()).await;
        drop(listener);
        let failed = connect(&proxy.url(), transport).await.unwrap_err();
        assert!(matches!(failed, ConnectError::Network(_)), "{failed}");
        let patient = tokio::spawn(connect(&proxy.url(), transport).retry_first(true).into_future());
        let before = proxy.accepted();
        eventually("it tries more than once", || proxy.accepted() > before + 2).await;
        let world = World::start();
        proxy.set_target(world.server.addr);
        let client = patient.await.unwrap().unwrap();
        assert_eq!(client.emit().half(2).await, Ok(1));
    }

    async fn a_client_that_is_dropped_while_it_reconnects(transport) {
        let world = World::start();
        let proxy = Proxy::start(world.server.addr).await;
        let dropped = Arc::new(AtomicUsize::new(0));
        let bot = Bot { told: Mutex::default(), dropped: Some(Arc::clone(&dropped)) };
        let client = connect(&proxy.url(), transport).handler(Arc::new(bot)).await.unwrap();
        let mut changes = client.changes();
        proxy.set(Fault::Refuse);
        proxy.cut();
        assert!(matches!(changes.next().await, Some(Status::Disconnected(_))));
        let pending = client.emit().half(2);
        drop(client);
        assert_eq!(pending.await, Err(CallError::Disconnected));
        // The task drops the handler when it ends.
        eventually("the task has ended", || dropped.load(Ordering::SeqCst) == 1).await;
    }
}

struct Silent;

impl socketio::Service for Silent {
    async fn event(self: Arc<Self>, event: socketio::Incoming) -> socketio::Outcome {
        socketio::Outcome::Unhandled(event)
    }
}

async fn silent(_: socketio::Socket<Untyped>) -> Result<Silent, socketio::ConnectError> {
    Ok(Silent)
}

#[tokio::test]
async fn what_cannot_be_connected_to_says_why() {
    use ConnectError as E;
    let world = World::start();
    let fails = async |url: String, change: fn(socketio::client::Connect<dyn Desk>) -> socketio::client::Connect<dyn Desk>| {
        let mut errors = Vec::new();
        for transport in [crate::client::Transport::Polling, crate::client::Transport::WebSocket] {
            errors.push(change(connect(&url, transport)).await.unwrap_err());
        }
        errors
    };
    let none = |connect| connect;
    for error in fails("http://no-such-host.invalid".into(), none).await {
        assert!(matches!(error, E::Dns(_)), "{error:?}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for error in fails(format!("http://{closed}"), none).await {
        assert!(matches!(error, E::Network(_)), "{error:?}");
    }
    for error in fails(world.url(), |connect| connect.path("/elsewhere")).await {
        assert_eq!(error, E::Http { status: 404, message: "Not Found".into() });
    }
    for error in fails(world.url(), |connect| connect.path("elsewhere")).await {
        assert!(matches!(error, E::Setting(_)), "{error:?}");
    }
    for error in fails(world.url(), |connect| connect.header("bad name", "x")).await {
        assert!(matches!(error, E::Setting(_)), "{error:?}");
    }
    for error in fails(world.url(), |connect| connect.auth_raw(7)).await {
        assert!(matches!(error, E::AuthPayload(_)), "{error:?}");
    }
    // Nobody speaks TLS there.
    for error in fails(format!("https://{}", world.server.addr), none).await {
        assert!(matches!(error, E::Tls(_)), "{error:?}");
    }
    // The last of several versions counts, for the server.
    for error in fails(format!("{}?EIO=3", world.url()), none).await {
        assert_eq!(error, E::ProtocolVersion("Unsupported protocol version".into()));
    }
    // A server that takes connections and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for error in fails(format!("http://{}", mute.local_addr().unwrap()), |connect| connect.timeout(millis(30))).await {
        assert_eq!(error, E::Timeout);
    }
}

#[tokio::test]
async fn what_answers_something_else_is_no_server() {
    for body in ["", "hello", "0{}", "0[1]", "4x", "0{\"sid\":1}", "40"] {
        let app = axum::Router::new().fallback(move || async move { body });
        let server = Server::serve(app);
        let url = format!("http://{}", server.addr);
        let error = connect(&url, crate::client::Transport::Polling).await.unwrap_err();
        assert!(matches!(error, ConnectError::Protocol(_)), "{body}: {error:?}");
        let error = connect(&url, crate::client::Transport::WebSocket).await.unwrap_err();
        assert!(matches!(error, ConnectError::Http { status: 200, .. }), "{body}: {error:?}");
    }
}
