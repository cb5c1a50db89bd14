//! One server at a time: what each rule of `Cluster` comes to.

use super::*;
use crate::{parser::Body, room::Target};

const SECOND: Duration = Duration::from_secs(1);
const HEARTBEAT: Liveness = Liveness::Heartbeat { interval: Duration::from_secs(5), timeout: Duration::from_secs(10) };

/// A server, its clock, and what it wants done, as text.
struct Bench {
    cluster: Cluster,
    now: Instant,
}

impl Bench {
    fn new(liveness: Liveness) -> Self {
        Bench { cluster: Cluster::new("me".into(), liveness), now: Instant::now() }
    }

    /// One that has heard of these already.
    fn among(nodes: &[&str]) -> Self {
        let mut bench = Bench::new(HEARTBEAT);
        assert_eq!(bench.handle(Input::Opened), ["publish hello"]);
        for node in nodes {
            assert_eq!(bench.hear(node, Message::Alive), [""; 0]);
        }
        bench
    }

    #[track_caller]
    fn handle(&mut self, input: Input) -> Vec<String> {
        self.cluster.handle(input, self.now);
        std::iter::from_fn(|| self.cluster.poll()).map(shown).collect()
    }

    fn hear(&mut self, sender: &str, message: Message) -> Vec<String> {
        let sender = (!sender.is_empty()).then(|| sender.into());
        self.handle(Input::Received(Envelope { sender, message, offset: None }))
    }

    fn ask(&mut self, id: &str, question: Question) -> Vec<String> {
        self.handle(Input::Ask { id: id.into(), question, timeout: 5 * SECOND })
    }

    fn count(&mut self, id: &str, servers: impl Into<Option<usize>>) -> Vec<String> {
        self.handle(Input::Counted { id: id.into(), servers: servers.into() })
    }

    fn after(&mut self, time: Duration) -> Vec<String> {
        self.now += time;
        self.handle(Input::Time)
    }

    /// How long it is until the deadline.
    fn rests(&self) -> Option<Duration> {
        self.cluster.deadline().map(|deadline| deadline - self.now)
    }
}

fn shown(output: Output) -> String {
    match output {
        Output::Publish(message) => format!("publish {}", named(&message)),
        Output::Respond(to, message) => format!("tell {} {}", to.map_or("all".to_owned(), |to| to.to_string()), named(&message)),
        Output::Census(id) => format!("census {id}"),
        Output::Perform(Deed::Ask { id, from, timeout, .. }) => format!("perform ask {id} of {from:?} in {timeout:?}"),
        Output::Perform(Deed::Emit { ask, .. }) => format!("perform emit {ask:?}"),
        Output::Perform(Deed::Broadcast { offset, .. }) => format!("perform broadcast {offset:?}"),
        Output::Perform(deed) => format!("perform {}", format!("{deed:?}").split(' ').next().unwrap_or_default().to_lowercase()),
        Output::Found(id, Finding::Sockets(sockets)) => format!("found {id} {} sockets", sockets.len()),
        Output::Found(id, Finding::Acknowledged(body) | Finding::Server(body)) => format!("found {id} {}", body.json()),
        Output::Finished(id, Ending::Complete { servers }) => format!("complete {id} of {servers}"),
        Output::Finished(id, Ending::TimedOut { servers, clients }) => {
            format!("over {id} without {servers} servers {clients} clients")
        }
    }
}

fn named(message: &Message) -> String {
    let name = format!("{message:?}").split([' ', '(']).next().unwrap_or_default().to_lowercase();
    message.request().map_or(name.clone(), |id| format!("{name} {id}"))
}

fn body(value: &str) -> Body {
    Body::ack(&(value,)).expect("a string")
}

fn clients(single: bool) -> Question {
    Question::Clients { target: Target::default(), event: body("ev"), single }
}

fn sockets() -> Question {
    Question::Sockets { target: Target::default() }
}

fn fetched(id: &str) -> Message {
    Message::Fetched { id: id.into(), sockets: Vec::new() }
}

fn asked(id: &str, clients: u64) -> Message {
    Message::Asked { id: id.into(), clients }
}

fn acknowledged(id: &str, value: &str) -> Message {
    Message::Acknowledged { id: id.into(), answer: body(value) }
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_question_is_published_before_the_servers_are_counted() {
    let mut bench = Bench::new(Liveness::Census);
    assert_eq!(bench.handle(Input::Opened), NOTHING);
    assert_eq!(bench.ask("q", sockets()), ["publish fetch q", "census q"]);
    assert_eq!(bench.hear("a", fetched("q")), ["found q 0 sockets"], "faster than the count");
    assert_eq!(bench.count("q", 3), NOTHING);
    assert_eq!(bench.hear("a", fetched("q")), NOTHING, "once is enough");
    assert_eq!(bench.hear("b", fetched("q")), ["found q 0 sockets", "complete q of 3"]);
    assert_eq!(bench.hear("c", fetched("q")), NOTHING, "nobody waits for it");
    assert_eq!(bench.rests(), None);
}

#[test]
fn who_is_alone_is_done_at_once() {
    for servers in [0, 1] {
        for question in [clients(false), sockets(), Question::Servers { event: body("ev") }, Question::Count] {
            let mut bench = Bench::new(Liveness::Census);
            bench.ask("q", question);
            assert_eq!(bench.count("q", servers), ["complete q of 1"]);
        }
    }
    let mut bench = Bench::new(HEARTBEAT);
    assert_eq!(bench.ask("q", sockets()), ["complete q of 1"]);
    assert_eq!(bench.ask("q", clients(false)), ["publish ask q", "complete q of 1"], "others may be there, unheard of");
    assert_eq!(bench.ask("q", Question::Servers { event: body("ev") }), ["publish askservers q", "complete q of 1"]);
}

#[test]
fn what_nobody_counts_ends_with_the_time() {
    let mut bench = Bench::new(Liveness::Census);
    bench.ask("q", sockets());
    assert_eq!(bench.count("q", None), NOTHING);
    assert_eq!(bench.hear("a", fetched("q")), ["found q 0 sockets"]);
    assert_eq!(bench.rests(), Some(5 * SECOND));
    assert_eq!(bench.after(5 * SECOND), ["over q without 1 servers 0 clients"]);
    assert_eq!(bench.count("q", 2), NOTHING);

    assert_eq!(bench.ask("n", Question::Count), ["census n"]);
    assert_eq!(bench.count("n", None), ["over n without 1 servers 0 clients"], "nothing else was to come");
    bench.ask("n", Question::Count);
    assert_eq!(bench.count("n", 4), ["complete n of 4"]);
}

#[test]
fn clients_are_waited_for_as_far_as_they_are_known() {
    let mut bench = Bench::new(Liveness::Census);
    assert_eq!(bench.ask("q", clients(false)), ["publish ask q", "census q"]);
    bench.count("q", 3);
    assert_eq!(bench.hear("a", asked("q", 2)), NOTHING);
    assert_eq!(bench.hear("a", acknowledged("q", "1")), [r#"found q ["1"]"#]);
    assert_eq!(bench.hear("b", asked("q", 0)), NOTHING);
    assert_eq!(bench.hear("b", acknowledged("q", "x")), NOTHING, "it has no clients");
    assert_eq!(bench.hear("a", acknowledged("q", "2")), [r#"found q ["2"]"#, "complete q of 3"]);

    bench.ask("r", clients(false));
    bench.count("r", 4);
    bench.hear("a", asked("r", 2));
    bench.hear("a", acknowledged("r", "1"));
    bench.hear("b", asked("r", u64::MAX));
    bench.hear("b", asked("r", 1));
    assert_eq!(bench.after(4 * SECOND), NOTHING);
    assert_eq!(bench.after(SECOND), [format!("over r without 1 servers {} clients", usize::MAX)]);
}

#[test]
fn answers_without_a_name_are_counted() {
    let mut bench = Bench::new(Liveness::Census);
    bench.ask("q", clients(false));
    bench.count("q", 3);
    for message in [asked("q", 1), acknowledged("q", "1"), asked("q", 2), acknowledged("q", "2")] {
        bench.hear("", message);
    }
    assert_eq!(bench.hear("", acknowledged("q", "3")), [r#"found q ["3"]"#, "complete q of 3"]);
    bench.ask("r", sockets());
    bench.count("r", 3);
    bench.hear("", fetched("r"));
    assert_eq!(bench.hear("", fetched("r")), ["found r 0 sockets", "complete r of 3"]);
}

#[test]
fn one_client_is_enough_where_one_is_asked() {
    let mut bench = Bench::new(Liveness::Census);
    bench.ask("q", clients(true));
    assert_eq!(bench.hear("a", acknowledged("q", "1")), [r#"found q ["1"]"#, "complete q of 1"]);
    bench.ask("q", clients(true));
    bench.count("q", 2);
    assert_eq!(bench.hear("a", asked("q", 0)), ["complete q of 2"], "it is nowhere");
}

#[test]
fn the_dead_are_not_waited_for() {
    let mut bench = Bench::among(&["a", "b", "c"]);
    assert_eq!(bench.ask("n", Question::Count), ["complete n of 4"]);
    bench.ask("q", clients(false));
    bench.ask("s", sockets());
    bench.hear("a", asked("q", 1));
    bench.hear("b", asked("q", 3));
    bench.hear("a", fetched("s"));
    bench.hear("b", fetched("s"));
    assert_eq!(bench.hear("c", Message::Bye), ["complete s of 3"]);
    bench.hear("a", acknowledged("q", "1"));
    assert_eq!(bench.hear("b", Message::Bye), ["complete q of 3"], "with the clients of a server that has gone");
    assert_eq!(bench.ask("n", Question::Count), ["complete n of 2"]);
    assert_eq!(bench.rests(), Some(5 * SECOND));
    assert_eq!(bench.after(5 * SECOND), ["publish alive"]);
    let question = Input::Ask { id: "l".into(), question: sockets(), timeout: 60 * SECOND };
    assert_eq!(bench.handle(question), ["publish fetch l"]);
    assert_eq!(bench.after(5 * SECOND), ["complete l of 1", "publish alive"], "the last one was silent for ten seconds");
    assert_eq!(bench.ask("n", Question::Count), ["complete n of 1"]);
}

#[test]
fn a_server_says_that_it_is_there_when_it_has_said_nothing_else() {
    let mut bench = Bench::among(&[]);
    assert_eq!(bench.after(4 * SECOND), NOTHING);
    assert_eq!(bench.handle(Input::Tell(Message::Emit { event: body("ev") })), ["publish emit"]);
    assert_eq!(bench.after(4 * SECOND), NOTHING);
    assert_eq!(bench.hear("a", Message::Hello), ["publish alive"]);
    assert_eq!(bench.after(5 * SECOND), ["publish alive"]);
    assert_eq!(bench.handle(Input::Close), ["publish bye"]);
    assert_eq!((bench.rests(), bench.after(60 * SECOND)), (None, Vec::new()));
}

#[test]
fn who_has_slept_does_not_give_others_up_for_it() {
    let mut bench = Bench::among(&["a"]);
    assert_eq!(bench.after(60 * SECOND), ["publish alive"], "what has come meanwhile is yet to be read");
    assert_eq!(bench.ask("n", Question::Count), ["complete n of 2"]);
    bench.after(5 * SECOND);
    assert_eq!(bench.ask("n", Question::Count), ["complete n of 1"]);
}

#[test]
fn emitters_are_no_servers_and_an_echo_is_nobody() {
    let mut bench = Bench::among(&[]);
    let join = || Message::Join { target: Target::default(), rooms: Vec::new() };
    assert_eq!(bench.hear(EMITTER, join()), ["perform join"]);
    assert_eq!(bench.hear("", join()), ["perform join"]);
    assert_eq!(bench.hear("me", join()), NOTHING);
    assert_eq!(bench.ask("n", Question::Count), ["complete n of 1"]);

    let mut bench = Bench::new(Liveness::Census);
    bench.ask("q", sockets());
    assert_eq!(bench.hear("", Message::Fetch { id: "q".into(), target: Target::default() }), NOTHING);
    for message in [Message::Hello, Message::Alive, Message::Bye] {
        assert_eq!(bench.hear("a", message), NOTHING, "where servers are counted");
    }
}

#[test]
fn what_others_ask_is_performed_and_answered_to_them() {
    let mut bench = Bench::new(Liveness::Census);
    let id = || RequestId::from("x");
    let target = Target::default;
    let ask = |timeout| Message::Ask { id: id(), target: target(), event: body("ev"), timeout, single: false };
    assert_eq!(bench.hear("a", ask(None)), [r#"perform ask x of Some(NodeId("a")) in Some(10s)"#]);
    assert_eq!(bench.hear("", ask(Some(SECOND))), ["perform ask x of None in Some(1s)"]);
    assert_eq!(bench.hear("", ask(Some(Duration::MAX))), ["perform ask x of None in Some(3600s)"]);
    for (message, deed) in [
        (Message::Leave { target: target(), rooms: Vec::new() }, "perform leave"),
        (Message::Disconnect { target: target(), close: true }, "perform disconnect"),
        (Message::Fetch { id: id(), target: target() }, "perform fetch"),
        (Message::FetchIds { id: id(), rooms: Vec::new() }, "perform fetchids"),
        (Message::FetchRooms { id: id() }, "perform fetchrooms"),
        (Message::Broadcast { target: target(), event: body("ev") }, "perform broadcast None"),
        (Message::Emit { event: body("ev") }, "perform emit None"),
        (Message::AskServers { id: id(), event: body("ev") }, r#"perform emit Some((RequestId("x"), Some(NodeId("a"))))"#),
    ] {
        assert_eq!(bench.hear("a", message), [deed]);
    }
    for (answer, told) in [
        (Answer::Clients(1), "tell a asked x"),
        (Answer::Acknowledged(body("1")), "tell a acknowledged x"),
        (Answer::Sockets(Vec::new()), "tell a fetched x"),
        (Answer::Server(body("1")), "tell a serveranswered x"),
        (Answer::Ids(Vec::new()), "tell a fetchedids x"),
        (Answer::Rooms(Vec::new()), "tell a fetchedrooms x"),
    ] {
        assert_eq!(bench.handle(Input::Answer { id: id(), to: Some("a".into()), answer }), [told]);
    }
}

#[test]
fn what_is_forgotten_or_closed_is_over() {
    let mut bench = Bench::new(Liveness::Census);
    bench.ask("q", clients(false));
    assert_eq!(bench.handle(Input::Forget("q".into())), NOTHING);
    assert_eq!(bench.hear("a", acknowledged("q", "1")), NOTHING);
    assert_eq!(bench.rests(), None);

    bench.ask("r", sockets());
    bench.count("r", 2);
    assert_eq!(bench.handle(Input::Close), ["over r without 1 servers 0 clients"]);
    assert_eq!(bench.ask("s", sockets()), ["over s without 1 servers 0 clients"]);
    assert_eq!(bench.hear("a", Message::Emit { event: body("ev") }), NOTHING);
}

#[test]
fn no_time_is_too_long_for_the_clock() {
    let mut bench = Bench::new(Liveness::Heartbeat { interval: Duration::MAX, timeout: Duration::MAX });
    bench.handle(Input::Opened);
    bench.hear("a", Message::Alive);
    bench.handle(Input::Ask { id: "q".into(), question: sockets(), timeout: Duration::MAX });
    assert_eq!(bench.rests(), Some(LONGEST_QUESTION));
    let mut bench = Bench::new(Liveness::Heartbeat { interval: Duration::ZERO, timeout: Duration::ZERO });
    bench.handle(Input::Opened);
    assert!(bench.rests() > Some(Duration::ZERO), "no busy loop");
}
