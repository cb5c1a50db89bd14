//! The loads of the comparison, and which servers can take them.

use crate::load::{Echo, FanOut, Load, Payload};

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) load: Load,
    /// Part of a quick run.
    quick: bool,
}

impl Scenario {
    /// A server called `x-y` is a variant of `x` that decodes arguments into something else, which only these rows show.
    pub(crate) fn is_for(&self, server: &str) -> bool {
        let objects = matches!(&self.load, Load::Echo(Echo { payload: Payload::Object(_), .. }));
        match self.load {
            Load::Polling(_) if server == "floor" => false,
            _ => objects || !server.contains('-'),
        }
    }

    pub(crate) fn is_quick(&self) -> bool {
        self.quick
    }
}

const fn echo(clients: usize, in_flight: usize, payload: Payload) -> Load {
    Load::Echo(Echo { clients, in_flight, namespaces: 1, payload })
}

const fn fan_out(receivers: usize, in_flight: usize) -> Load {
    Load::FanOut(FanOut { receivers, in_flight, size: 64, other_rooms: 0 })
}

const fn scenario(name: &'static str, title: &'static str, quick: bool, load: Load) -> Scenario {
    Scenario { name, title, load, quick }
}

pub(crate) const SCENARIOS: [Scenario; 14] = [
    scenario("echo-1", "echo, 100 clients, 1 in flight", true, echo(100, 1, Payload::Object(48))),
    scenario("echo-16", "echo, 100 clients, 16 in flight", true, echo(100, 16, Payload::Object(48))),
    scenario("text-1k", "echo, 1 KB text, 4 in flight", false, echo(100, 4, Payload::Text(1024))),
    scenario("object-1k", "echo, 1 KB object, 4 in flight", true, echo(100, 4, Payload::Object(1024))),
    scenario("object-16k", "echo, 16 KB object, 20 clients, 2 in flight", true, echo(20, 2, Payload::Object(16_384))),
    scenario(
        "namespaces",
        "echo, 10 namespaces, 50 clients, 10 in flight",
        false,
        Load::Echo(Echo { clients: 50, in_flight: 10, namespaces: 10, payload: Payload::Text(48) }),
    ),
    scenario("binary-1k", "binary echo, 1 KB, 2 in flight", false, echo(100, 2, Payload::Binary(1024))),
    scenario("binary-64k", "binary echo, 64 KB, 10 clients, 2 in flight", false, echo(10, 2, Payload::Binary(65_536))),
    scenario("fan-100", "fan-out to 100, for each delivery", false, fan_out(100, 1)),
    scenario("fan-1000", "fan-out to 1000", true, fan_out(1000, 1)),
    scenario("fan-5000", "fan-out to 5000", false, fan_out(5000, 1)),
    scenario("fan-1000-8", "fan-out to 1000, 8 in flight", true, fan_out(1000, 8)),
    scenario("connect", "connect over WebSocket and leave, 32 at a time", true, Load::Connect(32)),
    scenario("polling", "echo over long polling, 50 clients", true, Load::Polling(50)),
];
