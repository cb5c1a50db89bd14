//! The budget of one typed event in steady state, from bytes to bytes over WebSocket.

use crate::server::{Client, Counted};
use socketio::{ConnectError, Socket, SocketIo, events, namespace};

#[namespace("/echo", emits = EchoEvents)]
trait Echo {
    #[event]
    async fn echo(&self, text: &str) -> String;
    #[event]
    async fn n(&self, number: u32) -> u32;
    /// As `n`, with a name of a hundred letters.
    #[event("abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqr!")]
    async fn long(&self, number: u32) -> u32;
    #[event]
    async fn tell(&self, number: u32);
    #[event]
    async fn tell_long(&self, number: u32);
    #[event]
    async fn tell_all(&self, number: u32);
}

#[events]
trait EchoEvents {
    #[event]
    async fn told(&self, number: u32);
    #[event("abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqr!")]
    async fn long(&self, number: u32);
}

const LONG: &str = "abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqr!";

struct Session(Socket<dyn Echo>);

impl Echo for Session {
    async fn echo(&self, text: &str) -> String {
        text.to_owned()
    }
    async fn n(&self, number: u32) -> u32 {
        number
    }
    async fn long(&self, number: u32) -> u32 {
        number
    }
    async fn tell(&self, number: u32) {
        self.0.emit().told(number);
    }
    async fn tell_long(&self, number: u32) {
        self.0.emit().long(number);
    }
    async fn tell_all(&self, number: u32) {
        self.0.namespace().emit().told(number);
    }
}

/// How often and how much the server allocates for one event.
#[derive(Debug, PartialEq)]
struct Cost {
    times: f64,
    bytes: f64,
}

/// The cost of each of many events that are sent one after the other: the difference between so many and twice as many
/// leaves out what is paid once. `None`: it is sent without asking for an acknowledgement.
fn cost(event: &str, argument: &str, id: Option<u32>, answer: &str) -> Cost {
    const MANY: u32 = 1000;
    let io = SocketIo::builder()
        .namespace::<dyn Echo, _>(async |socket: Socket<dyn Echo>| Ok::<_, ConnectError>(Session(socket)))
        .build();
    let server = Counted::start(&io);
    let mut client = Client::join(&server, "/echo");
    let id = id.map_or_else(String::new, |id| id.to_string());
    let packet = format!("42/echo,{id}[\"{event}\",{argument}]");
    let mut run = |times: u32| {
        server.count(|| {
            for _ in 0..times {
                client.send(&packet);
                assert_eq!(client.receive(), answer);
            }
        })
    };
    // Buffers and queues grow to the size that they keep.
    run(MANY);
    let (once, twice) = (run(MANY), run(2 * MANY));
    let each = |once: u64, twice: u64| (twice as f64 - once as f64) / f64::from(MANY);
    Cost { times: each(once.count_total, twice.count_total), bytes: each(once.bytes_total, twice.bytes_total) }
}

#[test]
fn a_typed_echo_allocates_four_times() {
    // The handler's future, its own `String`, the acknowledgement, and the count of those who share its bytes.
    let cost = cost("echo", "\"hello\"", Some(7), r#"43/echo,7["hello"]"#);
    assert!(cost.times <= 4.0, "{cost:?}");
}

#[test]
fn names_of_events_are_not_allocated() {
    let short = cost("n", "7", Some(7), "43/echo,7[7]");
    let long = cost(LONG, "7", Some(7), "43/echo,7[7]");
    assert_eq!(long, short, "an event with a long name");

    // The name of what is emitted is written where the packet is built, and nowhere else.
    let short = cost("tell", "7", None, r#"42/echo,["told",7]"#);
    let long = cost("tell_long", "7", None, &format!("42/echo,[\"{LONG}\",7]"));
    assert_eq!(long, short, "emitting an event with a long name");
}

/// What the server allocates for a broadcast to so many.
fn broadcast(receivers: usize) -> f64 {
    const MANY: u32 = 500;
    let io = SocketIo::builder()
        .namespace::<dyn Echo, _>(async |socket: Socket<dyn Echo>| Ok::<_, ConnectError>(Session(socket)))
        .build();
    let server = Counted::start(&io);
    let mut clients: Vec<Client> = (0..receivers).map(|_| Client::join(&server, "/echo")).collect();
    let mut run = |times: u32| {
        let counted = server.count(|| {
            for _ in 0..times {
                clients[0].send(r#"42/echo,["tell_all",7]"#);
                clients.iter_mut().for_each(|client| assert_eq!(client.receive(), r#"42/echo,["told",7]"#));
            }
        });
        counted.count_total as f64
    };
    run(MANY);
    (run(2 * MANY) - run(MANY)) / f64::from(MANY)
}

#[test]
fn a_broadcast_allocates_nothing_for_its_receivers() {
    let (one, twenty) = (broadcast(1), broadcast(20));
    // A heartbeat may fall into it, and costs less than one allocation for each broadcast.
    assert!(twenty - one < 1.0, "{one} for one, {twenty} for twenty");
}
