//! Servers of one process as a cluster: what is done on one of them is done on all, and what becomes of it when one does not answer.

use crate::server::eventually;
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use serde_json::json;
use socketio::{
    Ack, AckData, Binary, Body, Broadcast, CallError, ClusterError, ClusterState, ConnectError, FetchError, Incoming,
    NamespaceHandle, NsPath, Outcome, RemoteSocket, Service, Socket, SocketIo, Untyped,
    adapter::{Memory, MemoryLink},
    events, namespace,
    test::Client,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;

#[events]
trait HallEvents {
    #[event]
    async fn said(&self, text: &str);
    #[event(volatile)]
    async fn typing(&self);
    #[event]
    async fn photo(&self, bytes: Binary, of: &str);
    #[event]
    async fn number(&self, plus: u32) -> u32;
    #[event]
    async fn choose(&self, of: Vec<String>) -> Result<String, String>;
    #[event]
    async fn never(&self) -> Ack;
}

/// Cannot be written.
#[derive(Debug, Deserialize)]
struct Silent;

impl Serialize for Silent {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("silence"))
    }
}

#[events(schema = false)]
trait Halls {
    #[event]
    async fn take(&self, player: Silent) -> Result<u32, String>;
    #[event]
    async fn note(&self, number: u32);
    #[event]
    async fn name(&self, greeting: &str) -> String;
    #[event]
    async fn half(&self, number: u32) -> Result<u32, String>;
    #[event]
    async fn bytes(&self, bytes: Binary) -> Binary;
    #[event]
    async fn never(&self) -> Ack;
    #[event]
    async fn fail(&self) -> u32;
}

#[namespace("/hall", emits = HallEvents, cluster = Halls, data = String)]
trait Hall {
    #[event]
    async fn sync(&self) -> Ack {
        Ack
    }
}

#[namespace("/tenant/{name}", emits = HallEvents, cluster = Halls)]
trait Tenant {
    #[event]
    async fn sync(&self) -> Ack {
        Ack
    }
}

struct Guest;

impl Hall for Guest {}
impl Tenant for Guest {}

/// What a client does with the events of a hall.
struct Page(u32);

impl HallEvents for Page {
    async fn said(&self, _: &str) {}
    async fn typing(&self) {}
    async fn photo(&self, _: Binary, _: &str) {}
    async fn number(&self, plus: u32) -> u32 {
        self.0 + plus
    }
    async fn choose(&self, of: Vec<String>) -> Result<String, String> {
        of.into_iter().nth(self.0 as usize).ok_or_else(|| "nothing left".to_owned())
    }
    async fn never(&self) -> Ack {
        std::future::pending().await
    }
}

/// What a server does with the events of others.
struct Warden {
    name: &'static str,
    notes: Arc<Mutex<Vec<String>>>,
    path: String,
    /// Lets an odd note go on.
    gate: Arc<Notify>,
}

impl Halls for Warden {
    async fn take(&self, _: Silent) -> Result<u32, String> {
        Ok(0)
    }
    async fn note(&self, number: u32) {
        self.notes.lock().expect("no panic").push(format!("{} {number}", self.path));
        if number % 2 == 1 {
            self.gate.notified().await;
        }
    }
    async fn name(&self, greeting: &str) -> String {
        format!("{greeting} {}", self.name)
    }
    async fn half(&self, number: u32) -> Result<u32, String> {
        tokio::task::yield_now().await;
        if number.is_multiple_of(2) { Ok(number / 2) } else { Err(format!("{number} is odd")) }
    }
    async fn bytes(&self, bytes: Binary) -> Binary {
        bytes.0.iter().rev().copied().collect::<Vec<u8>>().into()
    }
    async fn never(&self) -> Ack {
        std::future::pending().await
    }
    async fn fail(&self) -> u32 {
        panic!("{} fails", self.name)
    }
}

struct House {
    io: SocketIo,
    link: MemoryLink,
    notes: Arc<Mutex<Vec<String>>>,
    gate: Arc<Notify>,
}

impl House {
    fn hall(&self) -> NamespaceHandle<dyn Hall> {
        self.io.of()
    }

    fn notes(&self) -> Vec<String> {
        self.notes.lock().expect("no panic").clone()
    }

    async fn guest(&self, number: u32) -> Client<dyn Hall> {
        Client::connect(&self.io).handler(Page(number)).await.expect("taken in")
    }
}

async fn connect(socket: Socket<dyn Hall>) -> Result<Guest, ConnectError> {
    socket.join("foyer");
    socket.set_data(&"new here".to_owned())?;
    Ok(Guest)
}

fn house(name: &'static str, cluster: &Memory) -> House {
    let (link, notes, gate) = (cluster.link(), Arc::default(), Arc::default());
    let warden = {
        let (notes, gate) = (Arc::clone(&notes), Arc::clone(&gate));
        move |path: &str| Warden { name, notes: Arc::clone(&notes), path: path.to_owned(), gate: Arc::clone(&gate) }
    };
    let of_tenants = warden.clone();
    let io = SocketIo::builder()
        .adapter(link.clone())
        .cluster_timeout(Duration::from_secs(60))
        .namespace::<dyn Hall, _>(connect)
        .namespace::<dyn Tenant, _>(async |_: NsPath<String>| Ok::<_, ConnectError>(Guest))
        .cluster_events::<dyn Hall, _>(move |hall| warden(hall.path()))
        .cluster_events::<dyn Tenant, _>(move |tenant| of_tenants(tenant.path()))
        .build();
    House { io, link, notes, gate }
}

/// Servers that count each other, then servers that tell each other that they live.
fn clusters() -> [Memory; 2] {
    [Memory::new(), Memory::with_heartbeat(Duration::from_secs(5), Duration::from_secs(10))]
}

/// Three servers that know each other.
async fn three(cluster: &Memory) -> [House; 3] {
    let houses = ["north", "east", "south"].map(|name| house(name, cluster));
    for house in &houses {
        within("three servers", async { while house.hall().server_count().await != Ok(3) {} }).await;
    }
    houses
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(3600), future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

fn sorted<T: Ord>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort();
    values
}

fn rooms(socket: &RemoteSocket<dyn Hall>) -> Vec<&str> {
    sorted(socket.rooms()[1..].iter().map(|room| room.as_str()))
}

#[tokio::test(start_paused = true)]
async fn what_is_emitted_on_one_server_arrives_everywhere_and_in_order() {
    for cluster in clusters() {
        let houses = three(&cluster).await;
        let guests = [houses[0].guest(0).await, houses[1].guest(1).await, houses[2].guest(2).await];
        let ids = guests.each_ref().map(Client::id);
        for house in &houses {
            house.hall().emit().said("to all");
            house.hall().to("foyer").to(ids[1]).emit().said("once, in two rooms");
            house.hall().to(ids[2]).emit().said("to the third");
            house.hall().except(ids[0]).emit().said("not to the first");
            house.hall().local().emit().said("only here");
            house.hall().compress(false).conflate("key").emit().said("whatever the options");
            house.hall().emit().photo(vec![1, 2, 3].into(), "a cat");
            house.hall().emit_raw("raw", (1, "x")).expect("JSON");
            house.hall().emit_body(Body::event("body", &[json!({ "y": null })]).expect("JSON"));
            for (number, guest) in guests.iter().enumerate() {
                guest.expect("said", ["to all"]).await;
                guest.expect("said", ["once, in two rooms"]).await;
                if number == 2 {
                    guest.expect("said", ["to the third"]).await;
                }
                if number != 0 {
                    guest.expect("said", ["not to the first"]).await;
                }
                if house.hall().sockets()[0].id() == ids[number] {
                    guest.expect("said", ["only here"]).await;
                }
                guest.expect("said", ["whatever the options"]).await;
                let photo = guest.next_event().await;
                assert_eq!(photo.name(), "photo");
                guest.expect("raw", json!([1, "x"])).await;
                guest.expect("body", json!([{ "y": null }])).await;
            }
        }
        // `broadcast()` leaves out a client of this server, here and there.
        let socket = houses[1].hall().sockets().remove(0);
        socket.broadcast().emit().said("from the second");
        socket.to("foyer").emit().said("from the second, to the foyer");
        for guest in [&guests[0], &guests[2]] {
            guest.expect("said", ["from the second"]).await;
            guest.expect("said", ["from the second, to the foyer"]).await;
        }
        for (house, guest) in houses.iter().zip(&guests) {
            house.hall().local().emit().said("nothing more");
            guest.expect("said", ["nothing more"]).await;
        }
        assert!(guests.iter().all(|guest| guest.unread().is_empty()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_events_arrive_in_order() {
    let cluster = Memory::new();
    let houses = three(&cluster).await;
    let guest = houses[2].guest(0).await;
    for n in 0..1000 {
        houses[n % 2].hall().emit_raw("n", (n,)).expect("JSON");
    }
    for n in 0..1000 {
        guest.expect("n", [n]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn rooms_are_those_of_the_cluster() {
    for cluster in clusters() {
        let [north, east, south] = three(&cluster).await;
        let guests = [north.guest(0).await, east.guest(1).await];
        let ids = guests.each_ref().map(Client::id);
        south.hall().to(ids[0]).sockets_join("tea");
        south.hall().except(ids[0]).sockets_join("coffee");
        south.hall().to("tea").sockets_leave("foyer");
        south.hall().local().sockets_join("nobody");
        // In order: these are carried out before the answer.
        let fetched = within("sockets", south.hall().fetch_sockets()).await.expect("all have answered");
        let by_id = |id: &str| fetched.iter().find(|socket| socket.id() == id).expect("it is there");
        assert_eq!(fetched.len(), 2);
        assert_eq!(rooms(by_id(ids[0].as_str())), ["tea"]);
        assert_eq!(rooms(by_id(ids[1].as_str())), ["coffee", "foyer"]);
        // Where they are, rooms are the same.
        assert_eq!(sorted(north.hall().sockets()[0].rooms()), sorted([ids[0].into(), "tea".into()]));
        south.hall().to("tea").emit().said("tea is ready");
        guests[0].expect("said", ["tea is ready"]).await;
        south.hall().to("coffee").disconnect_sockets(false);
        guests[1].disconnected().await;
        assert!(guests[0].is_connected() && guests[0].unread().is_empty());
        let left = within("sockets", east.hall().fetch_sockets()).await.expect("all have answered");
        assert_eq!(left.iter().map(RemoteSocket::id).collect::<Vec<_>>(), [ids[0].as_str()]);
        east.hall().disconnect_sockets(true);
        guests[0].disconnected().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_of_another_server_is_as_one_of_this() {
    for cluster in clusters() {
        let [north, east, south] = three(&cluster).await;
        let connect = Client::<dyn Hall>::connect(&north.io).handler(Page(7));
        let guest = connect.header("x-colour", "blue").query("from", "mail").await.expect("taken in");
        for house in [&north, &east, &south] {
            let fetched = within("sockets", house.hall().to(guest.id()).fetch_sockets()).await.expect("all have answered");
            let [socket] = &fetched[..] else { panic!("one: {fetched:?}") };
            assert_eq!(socket.id(), guest.id().as_str());
            assert_eq!(socket.is_local(), std::ptr::eq(house, &north));
            assert_eq!(socket.data(), Ok(Some("new here".to_owned())));
            let handshake = socket.handshake();
            assert_eq!((handshake.header("X-Colour"), handshake.query("from")), (Some("blue"), Some("mail")));
            assert_eq!(handshake.auth_json(), "{}");
            assert_eq!(handshake, north.hall().fetch_sockets().await.expect("all")[0].handshake(), "the same everywhere");

            socket.emit().said("hello");
            socket.try_emit().said("again").expect("on its way");
            socket.emit_raw("raw", (1,)).expect("JSON");
            socket.compress(false).emit().said("and again");
            guest.expect("said", ["hello"]).await;
            guest.expect("said", ["again"]).await;
            guest.expect("raw", [1]).await;
            guest.expect("said", ["and again"]).await;
            assert_eq!(within("an answer", socket.emit().number(1)).await, Ok(8));
            assert_eq!(within("an error", socket.emit().choose(vec![])).await, Err(CallError::Rejected("nothing left".to_owned())));
            let raw: AckData = within("an answer", socket.ask_raw("number", (2,)).expect("JSON")).await.expect("answered");
            assert_eq!(raw.raw_args().get::<u32>(0), Ok(9));
            assert_eq!(socket.timeout(Duration::from_secs(3)).emit().never().await, Err(CallError::Timeout));
            // What it was asked.
            guest.expect("number", [1]).await;
            guest.expect("choose", json!([[]])).await;
            guest.expect("number", [2]).await;
            guest.expect("never", ()).await;
            socket.join("attic");
            socket.leave("foyer");
            let now = within("sockets", house.hall().to("attic").fetch_sockets()).await.expect("all have answered");
            assert_eq!(rooms(&now[0]), ["attic"]);
            socket.join("foyer");
            socket.leave("attic");
        }
        let fetched = within("sockets", south.hall().fetch_sockets()).await.expect("all have answered");
        fetched[0].disconnect(false);
        guest.disconnected().await;
        // Every server was asked, and none has it.
        assert_eq!(within("an answer", fetched[0].emit().number(1)).await, Err(CallError::Disconnected));
    }
}

#[tokio::test(start_paused = true)]
async fn all_clients_of_the_cluster_acknowledge() {
    for cluster in clusters() {
        let houses = three(&cluster).await;
        let guests = [houses[0].guest(0).await, houses[1].guest(1).await, houses[1].guest(2).await];
        for (at, house) in houses.iter().enumerate() {
            let here = guests.iter().enumerate().filter(|(number, _)| [0, 1, 1][*number] == at).count();
            let answers = within("answers", house.hall().emit().number(10)).await;
            assert_eq!(answers.iter().filter(|(id, _)| id.is_some()).count(), here, "only those of this server have a name");
            assert_eq!(sorted(answers.into_iter().map(|(_, answer)| answer.expect("answered"))), [10, 11, 12]);
            let local = within("answers", house.hall().local().emit().number(10)).await;
            assert_eq!(local.len(), here);
            let choices = within("answers", house.hall().emit().choose(vec!["a".into(), "b".into()])).await;
            let choices = choices.into_iter().map(|(_, answer)| answer.unwrap_or_else(|error| format!("{error:?}")));
            assert_eq!(sorted(choices), ["Rejected(\"nothing left\")", "a", "b"]);
            assert!(within("no answers", house.hall().to("nowhere").emit().number(0)).await.is_empty());
            // One that never answers, of each of three clients.
            let late = house.hall().timeout(Duration::from_secs(2)).emit().never().await;
            assert_eq!(late.len(), 3);
            assert!(late.iter().all(|(_, answer)| *answer == Err(CallError::Timeout)));
        }
        // As a stream, the first answer is there at once; the rest is forgotten.
        let mut answers = houses[2].hall().emit().number(1);
        assert!(within("one answer", answers.next()).await.is_some_and(|(_, answer)| answer.is_ok()));
        drop(answers);
    }
}

#[tokio::test(start_paused = true)]
async fn servers_emit_to_each_other() {
    for cluster in clusters() {
        let [north, east, south] = three(&cluster).await;
        let hall = north.hall();
        for number in 0..8 {
            hall.server_side_emit().note(number);
        }
        let names = within("names", hall.server_side_emit().name("I am")).await;
        assert_eq!(sorted(names.into_iter().map(|name| name.expect("answered"))), ["I am east", "I am south"]);
        // Each started in order, although every other one waits.
        let expected: Vec<String> = (0..8).map(|number| format!("/hall {number}")).collect();
        assert_eq!((north.notes().len(), east.notes(), south.notes()), (0, expected.clone(), expected));
        let errors = within("errors", hall.server_side_emit().half(3)).await;
        assert_eq!(errors, vec![Err(CallError::Rejected("3 is odd".to_owned())); 2]);
        assert_eq!(within("halves", hall.server_side_emit().half(4)).await, [Ok(2), Ok(2)]);
        let bytes = within("bytes", hall.server_side_emit().bytes(vec![1, 2, 3].into())).await;
        assert_eq!(bytes, vec![Ok(Binary::from(vec![3, 2, 1])); 2]);
        // By name, also to one that has no such handler.
        hall.server_side_emit_raw("note", (8,)).expect("JSON");
        let raw = within("names", hall.server_side_ask_raw("name", ("raw",)).expect("JSON")).await;
        assert!(raw.iter().all(|answer| answer.as_ref().is_ok_and(|data| data.json().starts_with("[\"raw "))));
        for name in ["connect", "connection", "new_namespace"] {
            assert!(hall.server_side_emit_raw(name, ()).is_err() && hall.server_side_ask_raw(name, ()).is_err());
        }
        assert_eq!(hall.server_side_emit().take(Silent).await, [], "what cannot be written is not sent");
        // Who panics or stays silent is waited for, and then missing.
        assert_eq!(hall.server_side_emit().fail().await, vec![Err(CallError::Timeout); 2]);
        assert_eq!(hall.server_side_emit().never().await, vec![Err(CallError::Timeout); 2]);
        assert_eq!(hall.server_side_ask_raw("unknown", ()).expect("JSON").await.len(), 2);
        // The panics and the waiting have stopped nobody.
        assert_eq!(within("halves", hall.server_side_emit().half(4)).await, [Ok(2), Ok(2)]);
        (0..4).for_each(|_| east.gate.notify_one());
    }
}

#[tokio::test(start_paused = true)]
async fn children_of_a_dynamic_namespace_find_each_other() {
    for cluster in clusters() {
        let [north, east, south] = three(&cluster).await;
        let visit = |house: &House, path: &str| Client::<dyn Tenant>::connect(&house.io).path(path.to_owned()).handler(Page(1));
        let acme = [visit(&north, "/tenant/acme").await.expect("in"), visit(&east, "/tenant/acme").await.expect("in")];
        let globex = visit(&south, "/tenant/globex").await.expect("in");
        let here = north.io.at::<dyn Tenant>("/tenant/acme").expect("its pattern");
        within("two servers", async { while here.server_count().await != Ok(2) {} }).await;
        here.emit().said("to acme");
        for client in &acme {
            client.expect("said", ["to acme"]).await;
        }
        assert_eq!(within("sockets", here.fetch_sockets()).await.expect("all have answered").len(), 2);
        assert_eq!(within("names", here.server_side_emit().name("of")).await, [Ok("of east".to_owned())]);
        // All children that this server knows of: not those that only others have.
        let all = south.io.of::<dyn Tenant>();
        all.emit().said("to the tenants of south");
        globex.expect("said", ["to the tenants of south"]).await;
        assert_eq!(within("answers", north.io.of::<dyn Tenant>().emit().number(1)).await.len(), 2);
        assert_eq!(within("sockets", all.fetch_sockets()).await.expect("all have answered").len(), 1);
        north.io.of::<dyn Tenant>().server_side_emit().note(2);
        eventually("the note of acme", || east.notes() == ["/tenant/acme 2"]).await;
        assert!(south.notes().is_empty(), "it has no such child");
        // When the last one has gone, so has the child.
        acme[1].disconnect().await;
        eventually("the end of the child", || east.io.namespaces() == ["/hall"]).await;
        within("one server", async { while here.server_count().await != Ok(1) {} }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_missing_and_the_rest_is_there() {
    let cluster = Memory::new();
    let [north, east, south] = three(&cluster).await;
    let guests = [north.guest(0).await, east.guest(1).await, south.guest(2).await];
    // It is there, and does not get as far as answering.
    let silent = SilentServer::start(&cluster).await;
    assert_eq!(north.hall().server_count().await, Ok(4));
    let short = Duration::from_secs(2);
    let error = north.hall().timeout(short).fetch_sockets().await.expect_err("one is silent");
    assert_eq!((error.error(), error.sockets().len()), (ClusterError::Silent { servers: 1 }, 3));
    assert_eq!(error.to_string(), "1 of the other servers did not answer in time");
    assert_eq!(error.into_sockets().len(), 3);
    let start = tokio::time::Instant::now();
    let answers = north.hall().timeout(short).emit().number(0).await;
    assert_eq!(start.elapsed().as_secs(), 2);
    let here = answers.iter().filter(|(id, answer)| *id == Some(guests[0].id()) && *answer == Ok(0)).count();
    let there = answers.iter().filter(|(id, answer)| id.is_none() && answer.is_ok()).count();
    let missing = answers.iter().filter(|(id, answer)| id.is_none() && *answer == Err(CallError::Timeout)).count();
    assert_eq!((here, there, missing, answers.len()), (1, 2, 1, 4));
    let names = north.hall().server_side_emit().name("I am").await;
    assert_eq!((names.iter().filter(|name| name.is_ok()).count(), names.last()), (2, Some(&Err(CallError::Timeout))));
    drop(silent);
}

/// A server whose only thread is busy.
struct SilentServer {
    leave: Arc<std::sync::Barrier>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl SilentServer {
    async fn start(cluster: &Memory) -> Self {
        let (leave, cluster) = (Arc::new(std::sync::Barrier::new(2)), cluster.clone());
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let barrier = Arc::clone(&leave);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let house = house("silent", &cluster);
                ready.send(()).expect("the test waits");
                barrier.wait();
                drop(house);
            });
        });
        is_ready.await.expect("it starts");
        SilentServer { leave, thread: Some(thread) }
    }
}

impl Drop for SilentServer {
    fn drop(&mut self) {
        self.leave.wait();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_without_its_broker_goes_on_alone() {
    let cluster = Memory::new();
    let [north, east, south] = three(&cluster).await;
    let guests = [north.guest(0).await, east.guest(1).await];
    let changes = north.io.cluster_health().expect("it has an adapter");
    assert_eq!(changes.state, ClusterState::Connected);
    north.link.disconnect();
    eventually("north knows", || north.io.cluster_health().is_some_and(|health| health.state == ClusterState::Disconnected)).await;
    assert_eq!(north.io.cluster_health().expect("it has an adapter").state.as_str(), "disconnected");
    north.hall().emit().said("alone");
    north.hall().sockets_join("attic");
    guests[0].expect("said", ["alone"]).await;
    assert!(north.hall().sockets()[0].in_room("attic"), "at once");
    let error = north.hall().fetch_sockets().await.expect_err("nobody can tell");
    assert_eq!((error.error(), error.sockets().len()), (ClusterError::Unreachable, 1));
    assert!(error.to_string().contains("cannot be reached"));
    assert_eq!(north.hall().server_count().await, Err(ClusterError::Unreachable));
    assert_eq!(east.hall().server_count().await, Ok(2), "the others go on together");
    assert_eq!(within("sockets", south.hall().fetch_sockets()).await.expect("all have answered").len(), 1);
    assert!(guests[1].unread().is_empty());
    north.link.reconnect();
    guests[1].expect("said", ["alone"]).await;
    within("north is back", async { while south.hall().server_count().await != Ok(3) {} }).await;
    assert_eq!(within("sockets", south.hall().to("attic").fetch_sockets()).await.expect("all have answered").len(), 2);
    let health = north.io.cluster_health().expect("it has an adapter");
    assert!(health.published > 0 && health.received > 0 && health.poison == 0, "{health:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_shuts_down_says_goodbye() {
    for cluster in clusters() {
        let [north, east, south] = three(&cluster).await;
        let guest = east.guest(1).await;
        east.io.shutdown(Duration::from_secs(10)).await;
        guest.disconnected().await;
        within("two servers", async { while north.hall().server_count().await != Ok(2) {} }).await;
        south.io.close().await;
        within("one server", async { while north.hall().server_count().await != Ok(1) {} }).await;
        assert_eq!(within("sockets", north.hall().fetch_sockets()).await.expect("alone").len(), 0);
        // What is done there now reaches nobody, and hurts nobody.
        south.hall().emit().said("anybody?");
        assert_eq!(south.hall().server_side_emit().name("I am").await.len(), 1, "it cannot tell");
        drop(east);
        drop(south);
        assert_eq!(north.hall().server_count().await, Ok(1));
    }
}

/// Handles whatever servers emit in an untyped namespace.
struct Relay(NamespaceHandle<Untyped>);

impl Service for Relay {
    async fn event(self: Arc<Self>, event: Incoming) -> Outcome {
        match event.name() {
            "silent" => Outcome::Answered,
            "tell" => {
                self.0.local().emit_body(event.raw_args().to_event("told"));
                Outcome::Done(None)
            }
            _ => Outcome::Done(Some(event.raw_args().to_body())),
        }
    }
}

struct Quiet;

impl Service for Quiet {
    async fn event(self: Arc<Self>, _: Incoming) -> Outcome {
        Outcome::Done(None)
    }
}

#[tokio::test(start_paused = true)]
async fn untyped_namespaces_take_any_event_of_other_servers() {
    let cluster = Memory::new();
    let server = || {
        let connect = async |_: Socket<Untyped>| Ok::<_, ConnectError>(Quiet);
        SocketIo::builder()
            .adapter(cluster.clone())
            .namespace_at::<Untyped, _>("/", connect)
            .namespace_at::<Untyped, _>("/chat", connect)
            .cluster_events_at::<Untyped, _>("/chat", Relay)
            .build()
    };
    let (here, there) = (server(), server());
    let client = Client::<Untyped>::connect(&there).path("/chat").await.expect("taken in");
    let chat = here.at::<Untyped>("/chat").expect("registered");
    chat.server_side_emit_raw("tell", (1, Binary::from(vec![7]))).expect("JSON");
    let told = client.next_event().await;
    assert_eq!(told.name(), "told");
    let echo = within("an echo", chat.server_side_ask_raw("echo", ("a", "b")).expect("JSON")).await;
    assert_eq!(echo[0].as_ref().expect("answered").json(), r#"["a"]"#, "only the first argument travels");
    let silent = chat.server_side_ask_raw("silent", ()).expect("JSON").await;
    assert_eq!(silent.into_iter().map(|answer| answer.map(drop)).collect::<Vec<_>>(), [Err(CallError::Timeout)]);
    // The other namespace has no handler.
    let root = here.at::<Untyped>("/").expect("registered");
    assert_eq!(root.server_side_ask_raw("echo", ()).expect("JSON").await.len(), 1);
}

#[test]
fn mistakes_show_when_the_server_is_built() {
    #[events]
    trait Wrong {
        #[event("new_namespace")]
        async fn appeared(&self, path: &str);
    }
    #[namespace("/wrong", cluster = Wrong)]
    trait Place {}
    impl Place for Guest {}
    let error = SocketIo::builder().adapter(Memory::new()).shared::<dyn Place>(Guest).try_build().expect_err("reserved");
    assert_eq!(
        error.to_string(),
        "servers cannot send each other `new_namespace` (in `Wrong`): to the JavaScript server that name means something else"
    );
    let error = SocketIo::builder().cluster_events_at::<Untyped, _>("/chat", Relay).try_build().expect_err("not there");
    assert!(error.to_string().contains("`/chat`"), "{error}");
}

#[test]
fn a_server_may_be_built_before_there_is_a_runtime() {
    let cluster = Memory::new();
    let early = house("early", &cluster);
    assert_eq!(early.io.cluster_health().expect("it has an adapter").state, ClusterState::Connecting);
    early.hall().emit().said("to nobody");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let late = house("late", &cluster);
        let _layer = early.io.layer();
        assert_eq!(late.hall().server_count().await, Ok(2));
        let guest = late.guest(1).await;
        early.hall().emit().said("to the guest");
        guest.expect("said", ["to the guest"]).await;
    });
}

#[tokio::test]
async fn without_an_adapter_a_server_is_alone() {
    let io = SocketIo::builder().shared::<dyn Hall>(Guest).shared::<dyn Tenant>(Guest).build();
    let client = Client::<dyn Hall>::connect(&io).handler(Page(1)).await.expect("taken in");
    let hall = io.of::<dyn Hall>();
    hall.server_side_emit().note(1);
    assert_eq!(hall.server_side_emit().name("I am").await, []);
    assert_eq!(hall.server_side_emit().name("I am").next().await, None);
    assert_eq!((hall.server_count().await, io.cluster_health()), (Ok(1), None));
    assert_eq!(io.of::<dyn Tenant>().server_count().await, Ok(1));
    hall.settled().await;
    hall.sockets()[0].settled().await;
    let fetched: Result<Vec<RemoteSocket<dyn Hall>>, FetchError<dyn Hall>> = hall.fetch_sockets().await;
    assert_eq!(fetched.expect("alone")[0].id(), client.id().as_str());
    let many: Broadcast<dyn Hall> = hall.to("nowhere");
    assert!(many.emit().number(1).await.is_empty());
    assert!(client.unread().is_empty(), "servers do not emit to clients");
}
