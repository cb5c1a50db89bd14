//! What travels: calls in both directions, errors, binary data, order, several namespaces over one connection.

use super::world::{Bot, Desk, Room, World, login};
use crate::server::eventually;
use socketio::{
    Binary, CallError, Client, EmitError,
    client::{ConnectError, End, Status},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

over_all_transports! {
    async fn calls_in_both_directions(transport) {
        let world = World::start();
        let bot = Arc::new(Bot::default());
        let client = world.connect(transport).handler(Arc::clone(&bot)).await.unwrap();
        assert!(client.is_connected());
        assert_eq!(client.status(), Status::Connected { recovered: false });
        assert_eq!(client.id().unwrap().len(), 20);
        assert_eq!(client.emit().whoami().await, Ok("ann".to_owned()));
        // Both are on their way before the first is waited for.
        let (two, three) = (client.emit().half(4), client.emit().half(3));
        assert_eq!(two.await, Ok(2));
        assert_eq!(three.await, Err(CallError::Rejected("3 is odd".into())));
        assert_eq!(client.emit().ask_me(21).await, Ok(42));
        client.emit().tell(500);
        assert_eq!(client.emit().ask_me(1).await, Ok(2));
        assert_eq!(*bot.told.lock().unwrap(), (0..500).collect::<Vec<_>>());
        client.close().await;
        eventually("no connection is left", || world.io.connections() == 0).await;
    }

    async fn binary_data(transport) {
        let world = World::start();
        let client = world.connect(transport).await.unwrap();
        for size in [0, 1, 1000, 300_000] {
            let bytes = Binary::from(vec![7; size]);
            assert_eq!(client.emit().echo(bytes.clone()).await, Ok(bytes));
        }
    }

    async fn a_burst_keeps_its_order(transport) {
        let world = World::start();
        let client = world.connect(transport).await.unwrap();
        for number in 0..5000 {
            client.emit().note(number);
        }
        assert_eq!(client.emit().notes().await, Ok((0..5000).collect()));
    }

    async fn a_refusal_has_message_and_data(transport) {
        let world = World::start();
        let refused = world.connect(transport).auth(login("")).await.unwrap_err();
        assert_eq!(refused, ConnectError::Refused { message: "who are you?".into(), data: Some("7".into()) });
        assert_eq!(refused.data::<u32>(), Some(7));
        let unknown = Client::<dyn Room>::connect(world.url()).at("/nowhere").await.unwrap_err();
        assert_eq!(unknown, ConnectError::Refused { message: "Invalid namespace".into(), data: None });
        eventually("no connection is left", || world.io.connections() == 0).await;
    }

    async fn several_namespaces_over_one_connection(transport) {
        let world = World::start();
        let desk = world.connect(transport).await.unwrap();
        let seven = desk.of::<dyn Room>().at("/room/7").await.unwrap();
        let eight = desk.of::<dyn Room>().at("/room/8").await.unwrap();
        assert_eq!(world.io.connections(), 1);
        assert_eq!(desk.of::<dyn Room>().at("/room/8").await.unwrap_err(), ConnectError::AlreadyJoined("/room/8".into()));
        assert_eq!((seven.emit().path().await, eight.emit().path().await), (Ok("/room/7".into()), Ok("/room/8".into())));
        assert_eq!(desk.of::<dyn Desk>().at("/desk").auth(login("")).await.unwrap_err(), ConnectError::AlreadyJoined("/desk".into()));
        drop(eight);
        let eight = desk.of::<dyn Room>().at("/room/8").await.unwrap();
        drop(desk);
        eventually("the desk hears of it", || world.seen.gone.lock().unwrap().len() == 1).await;
        // The connection lives as long as somebody needs it.
        assert_eq!((seven.emit().path().await, eight.emit().path().await), (Ok("/room/7".into()), Ok("/room/8".into())));
        assert_eq!(world.io.connections(), 1);
        drop((seven, eight));
        eventually("no connection is left", || world.io.connections() == 0).await;
    }

    async fn the_server_disconnects(transport) {
        let world = World::start();
        for close in [false, true] {
            let client = world.connect(transport).await.unwrap();
            let mut changes = client.changes();
            let first = client.id();
            let pending = client.emit().never();
            client.emit().leave_me(close);
            assert_eq!(changes.next().await, Some(Status::Disconnected(End::ByServer)));
            assert_eq!(pending.await, Err(CallError::Disconnected));
            assert_eq!(client.try_emit().note(1), Err(EmitError::Disconnected));
            assert_eq!(client.emit().whoami().await, Err(CallError::Disconnected));
            // It does not come back by itself, as in JavaScript.
            eventually("no connection is left", || world.io.connections() == 0).await;
            client.rejoin().await.unwrap();
            assert_ne!(client.id(), first);
            assert_eq!(client.emit().whoami().await, Ok("ann".to_owned()));
        }
    }

    async fn time_runs_out(transport) {
        let world = World::start();
        let client = world.connect(transport).ack_timeout(Duration::from_millis(30)).await.unwrap();
        assert_eq!(client.emit().never().await, Err(CallError::Timeout));
        assert_eq!(client.timeout(Duration::from_millis(1)).emit().never().await, Err(CallError::Timeout));
        assert_eq!(client.timeout(Duration::from_secs(60)).emit().half(2).await, Ok(1));
    }

    async fn nothing_is_left_when_the_last_handle_goes(transport) {
        let world = World::start();
        let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let dropped = Arc::new(AtomicUsize::new(0));
        let bot = Bot { told: Default::default(), dropped: Some(Arc::clone(&dropped)) };
        let client = world.connect(transport).handler(Arc::new(bot)).await.unwrap();
        let (other, emitter) = (client.clone(), client.emit());
        let pending = client.emit().never();
        client.emit().note(1);
        drop(client);
        assert_eq!(other.emit().half(2).await, Ok(1));
        drop(other);
        // An emitter keeps no connection, and a call ends with it.
        assert_eq!(pending.await, Err(CallError::Disconnected));
        assert_eq!(emitter.half(2).await, Err(CallError::Disconnected));
        eventually("the handler is dropped", || dropped.load(Ordering::SeqCst) == 1).await;
        eventually("no connection is left", || world.io.connections() == 0).await;
        eventually("no task is left", || tokio::runtime::Handle::current().metrics().num_alive_tasks() <= before).await;
        assert_eq!(*world.seen.notes.lock().unwrap(), [1]);
    }
}
