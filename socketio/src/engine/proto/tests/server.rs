//! Single transitions of the server's half: a script of what happens and what comes of it.
//!
//! A script is a list of lines `input -> outputs`, played on one session. `+30` lets so many seconds pass before the rest of
//! the line.

use super::world::TIMING;
use crate::{
    engine::proto::{Input, Message, Output, Packet, Path, Revision, ServerSession},
    reason::DisconnectReason::{self, ForcedClose, PingTimeout, SlowConsumer},
    text::Text,
};
use std::time::{Duration, Instant};

pub(super) struct Script {
    session: ServerSession,
    start: Instant,
    now: Instant,
}

fn input(text: &str) -> Input {
    let (name, data) = text.split_once(' ').unwrap_or((text, ""));
    let packet = || Packet::decode(Text::from(data)).ok();
    match name {
        "GET" => Input::Poll,
        "GET-aborted" => Input::PollAborted,
        "GET-answered" => Input::PollAnswered,
        "POST-started" => Input::PostStarted,
        "POST-octets" => Input::PostUnacceptable,
        "POST-too-large" => Input::PostDropped,
        "POST-aborted" => Input::PostAborted,
        "POST" => Input::Post(data.replace('|', "\x1e").into()),
        "probe-opened" => Input::ProbeOpened,
        "probe" => Input::ProbePacket(packet()),
        "probe-closed" => Input::ProbeClosed,
        "ws" => Input::Packet(packet()),
        "ws-closed" => Input::TransportClosed,
        "ws-failed" => Input::TransportFailed,
        "close" => Input::Close(ForcedClose),
        "drained" => Input::Drained,
        "abort" => Input::Abort(SlowConsumer),
        "suspend" => Input::Suspended(true),
        "resume" => Input::Suspended(false),
        "tick" => Input::Tick,
        _ => panic!("no input: {text}"),
    }
}

fn shown(output: Output) -> String {
    let text = |packet: &Packet| match super::super::Frame::control(packet).into_data() {
        super::super::FrameData::Text(framed) => String::from_utf8_lossy(framed.as_payload()).into_owned(),
        super::super::FrameData::Binary(bytes) => format!("{bytes:?}"),
    };
    match output {
        Output::Message(Message::Text(text)) => format!("message {text}"),
        Output::Message(Message::Binary(bytes)) => format!("binary {}", String::from_utf8_lossy(&bytes)),
        Output::Send(packet) => format!("send {}", text(&packet)),
        Output::AnswerPoll(packets) => format!("answer-GET {}", packets.iter().map(text).collect::<Vec<_>>().join("|")),
        Output::RefusePoll => "400-GET".into(),
        Output::AcceptPost => "ok".into(),
        Output::RefusePost => "400-POST".into(),
        Output::CutPost => "cut-POST".into(),
        Output::AcceptProbe => "accept".into(),
        Output::RefuseProbe => "refuse".into(),
        Output::SendProbe(packet) => format!("probe {}", text(&packet)),
        Output::CloseProbe => "close-probe".into(),
        Output::Upgraded => "upgraded".into(),
        Output::Closed(reason) => format!("closed: {reason}"),
    }
}

impl Script {
    fn new(websocket: bool) -> Self {
        let now = Instant::now();
        Script { session: ServerSession::new(websocket, TIMING, now), start: now, now }
    }

    /// A session of revision 3.
    pub(super) fn legacy(websocket: bool) -> Self {
        let Script { session, start, now } = Script::new(websocket);
        Script { session: session.speaking(Revision::Three { base64: false }, now), start, now }
    }

    #[track_caller]
    pub(super) fn play(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (before, expected) = line.split_once("->").unwrap_or((line, ""));
            let mut before = before.trim();
            if let Some(rest) = before.strip_prefix('+') {
                let (seconds, rest) = rest.split_once(' ').expect("a time and an input");
                self.now += Duration::from_secs_f64(seconds.parse().expect("seconds"));
                before = rest;
            }
            self.session.handle(input(before), self.now);
            let outputs: Vec<String> = std::iter::from_fn(|| self.session.poll()).map(shown).collect();
            assert_eq!(outputs.join(", "), expected.trim(), "after `{line}`");
        }
    }

    /// Seconds since the start.
    pub(super) fn deadline(&self) -> Option<f64> {
        self.session.deadline().map(|at| (at - self.start).as_secs_f64())
    }
}

/// Plays a script on a session that started over polling.
#[track_caller]
fn check(script: &str) {
    Script::new(false).play(script);
}

/// Plays a script on a session that started on a WebSocket.
#[track_caller]
fn check_websocket(script: &str) {
    Script::new(true).play(script);
}

const UPGRADE: &str = "probe-opened -> accept\n probe 2probe -> probe 3probe\n probe 5 -> upgraded";

#[test]
fn a_post_brings_its_messages_in_order() {
    check("POST-started\n POST 4a|bYg==|4c -> ok, message a, binary b, message c");
    check("POST-started\n POST 0|3|5|6|4a -> ok, message a");
}

#[test]
fn a_second_get_is_refused_and_ends_the_session() {
    check("GET\n GET -> 400-GET, answer-GET 1, closed: transport error");
}

#[test]
fn a_second_post_is_refused_and_the_first_is_cut() {
    check("POST-started\n POST-started -> 400-POST, cut-POST, closed: transport error\n POST 4a");
    check("GET\n POST-started\n POST-started -> 400-POST, answer-GET 1, cut-POST, closed: transport error");
}

#[test]
fn an_aborted_request_ends_the_session() {
    check("GET-aborted -> closed: transport error");
    check("GET\n GET-aborted -> answer-GET 1, closed: transport error");
    check("POST-started\n POST-aborted -> cut-POST, closed: transport error");
}

#[test]
fn a_binary_post_ends_the_session() {
    check("POST-octets -> 400-POST, closed: transport error");
    check("GET\n POST-octets -> 400-POST, answer-GET 1, closed: transport error");
}

#[test]
fn a_post_that_is_too_large_is_survived() {
    check("POST-started\n POST-too-large\n POST-started\n POST 4a -> ok, message a");
}

#[test]
fn a_close_in_a_post_ends_the_hanging_get_with_a_noop() {
    check("GET\n POST-started\n POST 1 -> ok, answer-GET 6, closed: transport close");
    check("POST-started\n POST 4a|1|4b -> ok, message a, closed: transport close");
}

#[test]
fn garbage_is_answered_with_ok_and_ends_the_session() {
    check("POST-started\n POST -> ok, closed: parse error");
    check("GET\n POST-started\n POST x -> ok, answer-GET 1, closed: parse error");
    // Unlike in the reference, what came before it is delivered.
    check("POST-started\n POST 4a||4b -> ok, message a, closed: parse error");
}

#[test]
fn a_ping_of_the_client_ends_the_session() {
    check("POST-started\n POST 2|4a -> ok, closed: transport error");
    check_websocket("ws 2 -> closed: transport error");
}

#[test]
fn on_a_websocket_other_packets_are_ignored_and_garbage_closes() {
    check_websocket("ws 0\n ws 1\n ws 3\n ws 5\n ws 6\n ws 4a -> message a\n ws bYg== -> binary b\n ws -> closed: parse error");
    check_websocket("ws x -> closed: parse error\n ws 4a");
    check_websocket("ws-closed -> closed: transport close\n ws-closed");
    check_websocket("ws-failed -> closed: transport error");
}

#[test]
fn only_probe_and_upgrade_are_taken_on_a_probe() {
    for packet in ["4a", "2", "2other", "3probe", "1", "6", "x", ""] {
        check(&format!(
            "GET\n probe-opened -> accept\n probe {packet} -> close-probe\n probe 5\n probe-closed
             POST-started\n POST 4a -> ok, message a\n probe-opened -> accept"
        ));
    }
}

#[test]
fn an_upgrade_is_accepted_with_and_without_a_probe() {
    check(&format!("{UPGRADE}\n ws 4a -> message a\n GET -> 400-GET\n probe-opened -> refuse\n ws 4b -> message b"));
    check("probe-opened -> accept\n probe 5 -> upgraded");
    check("GET\n probe-opened -> accept\n probe 5 -> answer-GET 1, upgraded");
}

#[test]
fn a_second_probe_is_refused() {
    check("probe-opened -> accept\n probe-opened -> refuse\n probe 2probe -> probe 3probe\n probe-opened -> refuse");
    check_websocket("probe-opened -> refuse");
}

#[test]
fn while_a_client_probes_its_gets_are_ended() {
    check(
        "GET\n probe-opened -> accept\n +1 tick\n probe 2probe -> probe 3probe\n +0.09 tick\n +0.01 tick -> answer-GET 6
         +0.1 tick\n GET\n +0.1 tick -> answer-GET 6\n GET\n probe 5 -> answer-GET 1, upgraded\n +1 tick",
    );
}

#[test]
fn an_upgrade_that_takes_too_long_is_given_up() {
    check("probe-opened -> accept\n +9.9 tick\n +0.1 tick -> close-probe\n probe 5\n probe-opened -> accept\n probe 5 -> upgraded");
    check("probe-opened -> accept\n +5 probe 2probe -> probe 3probe\n +5 tick -> close-probe\n +5 GET\n +1 tick");
}

#[test]
fn a_probe_that_closes_is_forgotten() {
    check("probe-opened -> accept\n probe-closed\n probe-opened -> accept\n +20 tick -> close-probe");
}

#[test]
fn what_is_left_of_polling_does_not_end_an_upgraded_session() {
    check("GET\n probe-opened -> accept\n probe 5 -> answer-GET 1, upgraded\n GET-aborted\n ws 4a -> message a");
    check(&format!("POST-started\n {UPGRADE}\n POST-aborted\n ws 4a -> message a"));
    check(&format!("POST-started\n {UPGRADE}\n POST 4a -> ok, message a\n ws 4b -> message b"));
    check(&format!("{UPGRADE}\n POST-started -> 400-POST\n POST 4a\n ws 4b -> message b"));
}

#[test]
fn a_ping_goes_out_and_is_waited_for() {
    check("+24.9 tick\n +0.1 tick -> send 2\n +19.9 tick\n +0.1 tick -> closed: ping timeout");
    check("GET\n +25 tick -> send 2\n GET-answered\n GET\n +20 tick -> answer-GET 1, closed: ping timeout");
    check_websocket("+25 tick -> send 2\n +5 ws 3\n +24 tick\n +1 tick -> send 2\n +20 tick -> closed: ping timeout");
}

#[test]
fn the_first_other_packet_restarts_the_pong_timeout_once() {
    check_websocket("+25 tick -> send 2\n +19 ws 4a -> message a\n +19 ws 4b -> message b\n +1 tick -> closed: ping timeout");
    check_websocket(
        "+25 tick -> send 2\n +19 ws 6\n +19 ws 3\n +25 tick -> send 2\n +19 ws 6\n +19 tick\n +1 tick -> closed: ping timeout",
    );
    // Before the ping, it changes nothing.
    check_websocket("+24 ws 4a -> message a\n +1 tick -> send 2\n +20 tick -> closed: ping timeout");
}

#[test]
fn a_pong_is_not_waited_for_while_nothing_is_read() {
    let mut script = Script::new(true);
    script.play("suspend\n +25 tick -> send 2");
    // Four more heartbeats.
    assert_eq!(script.deadline(), Some(225.0));
    script.play("+175 tick\n resume");
    assert_eq!(script.deadline(), Some(220.0));
    script.play("suspend\n +100 resume\n +19 ws 3");
    assert_eq!(script.deadline(), Some(344.0));
    // A client whose end cannot be seen does not live for ever.
    script.play("suspend\n +25 tick -> send 2\n +199 tick\n +1 tick -> closed: ping timeout");
}

#[test]
fn a_close_takes_a_hanging_get() {
    check("GET\n close\n drained -> answer-GET 1, closed: forced close");
    check_websocket("close\n drained -> closed: forced close");
}

#[test]
fn a_close_waits_for_the_next_get() {
    check("close\n +29 tick\n GET\n drained -> answer-GET 6|1, closed: forced close\n GET -> 400-GET");
    check("close\n +30 tick -> closed: forced close");
    check("close\n +30 tick -> closed: forced close\n POST-started -> 400-POST\n POST-octets -> 400-POST\n probe-opened -> refuse");
    // What is queued leaves first, with the GET that hangs.
    check("GET\n close\n GET-answered\n GET\n drained -> answer-GET 6|1, closed: forced close");
}

#[test]
fn a_closing_session_ignores_what_it_is_sent() {
    check(
        "close\n POST-started\n POST 4a|x|2 -> ok\n probe-opened -> refuse\n GET\n drained -> answer-GET 6|1, closed: forced close",
    );
    check_websocket("close\n ws 4a\n ws x\n ws-closed -> closed: forced close");
    check("close\n POST-started\n POST 4a|1 -> ok, closed: forced close");
    check("close\n GET-aborted -> closed: forced close");
    check("close\n abort -> closed: forced close");
}

#[test]
fn a_closing_session_does_not_ping() {
    check_websocket("+24 close\n +10 tick\n +20 tick -> closed: forced close");
}

#[test]
fn a_close_lets_an_upgrade_finish() {
    check("probe-opened -> accept\n close\n probe 2probe -> probe 3probe\n probe 5 -> upgraded\n drained -> closed: forced close");
    check("probe-opened -> accept\n close\n +10 tick -> close-probe\n +20 tick -> closed: forced close");
    check("probe-opened -> accept\n close\n +1 GET\n drained -> answer-GET 6|1, close-probe, closed: forced close");
    check("probe-opened -> accept\n close\n probe 4a -> close-probe\n GET\n drained -> answer-GET 6|1, closed: forced close");
}

#[test]
fn an_abort_is_immediate() {
    check("GET\n POST-started\n probe-opened -> accept\n abort -> close-probe, answer-GET 1, cut-POST, closed: slow consumer");
    check_websocket("abort -> closed: slow consumer\n ws 4a\n tick\n close\n drained\n abort");
}

#[test]
fn the_path_follows_the_state() {
    let mut script = Script::new(false);
    for (line, path) in [
        ("tick", Path::Hold),
        ("GET", Path::Poll),
        ("GET-answered", Path::Hold),
        ("probe-opened -> accept", Path::Hold),
        ("GET", Path::Poll),
        ("probe 5 -> answer-GET 1, upgraded", Path::WebSocket),
        ("close", Path::WebSocket),
        ("drained -> closed: forced close", Path::Hold),
    ] {
        script.play(line);
        assert_eq!(script.session.path(), path, "after `{line}`");
    }
    assert_eq!(script.deadline(), None);
}

#[test]
fn a_long_post_does_not_leave_its_memory_behind() {
    let mut script = Script::new(false);
    script.session.handle(Input::PostStarted, script.now);
    script.session.handle(Input::Post(vec!["4"; 10_000].join("\x1e").into()), script.now);
    assert_eq!(std::iter::from_fn(|| script.session.poll()).count(), 10_001);
    assert_eq!(script.session.queued_capacity(), 0);
}

#[test]
fn the_reasons_are_the_references() {
    let reasons = [ForcedClose, PingTimeout, DisconnectReason::TransportClose, DisconnectReason::TransportError];
    assert_eq!(reasons.map(DisconnectReason::as_str), ["forced close", "ping timeout", "transport close", "transport error"]);
}
