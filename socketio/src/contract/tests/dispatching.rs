//! From a packet to the handler and back to an acknowledgement.

use super::*;

/// Every kind of parameter and of acknowledgement.
#[namespace("/kinds", rename_all = "camelCase", crate = crate)]
trait Kinds {
    #[event]
    async fn strings(&self, a: &str, b: Cow<'_, str>, c: Option<&str>, d: String) -> String;
    #[event]
    async fn lent<'a>(&self, a: &'a Point, b: &[Point], c: Message<'a>, d: Option<&Point>, e: Option<&[Point]>) -> String;
    #[event]
    async fn optional(&self, a: Option<u8>, b: u8, c: Option<u8>) -> String;
    #[event]
    async fn variadic(&self, a: Option<u8>, #[extract] asked: AckRequested, #[rest] b: Vec<String>) -> String;
    #[event("binary data")]
    async fn binary(&self, data: &Binary, nested: Option<Binary>) -> Binary;
    #[event]
    async fn no_ack(&self, x: u8);
    #[event]
    async fn empty_ack(&self) -> Ack;
    #[event]
    async fn typed(&self, x: u8) -> Result<u8, ChatError>;
    #[event]
    async fn untyped(&self, x: u8) -> Result<Point, Refused>;
    #[event]
    async fn unanswerable(&self) -> std::collections::BTreeMap<Point2, u8>;
    #[event]
    async fn unanswerable_typed(&self) -> Result<std::collections::BTreeMap<Point2, u8>, Rejection>;
}

/// A key that JSON does not have.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
struct Point2(u8, u8);

struct Session;

impl Kinds for Session {
    async fn strings(&self, a: &str, b: Cow<'_, str>, c: Option<&str>, d: String) -> String {
        let borrowed = matches!(b, Cow::Borrowed(_));
        format!("{a}|{b}|{borrowed}|{c:?}|{d}")
    }
    async fn lent<'a>(&self, a: &'a Point, b: &[Point], c: Message<'a>, d: Option<&Point>, e: Option<&[Point]>) -> String {
        let borrowed = matches!(c.text, Cow::Borrowed(_));
        format!("{}|{}|{}|{borrowed}|{}|{}", a.x, b.len(), c.text, d.is_some(), e.map_or(0, <[Point]>::len))
    }
    async fn optional(&self, a: Option<u8>, b: u8, c: Option<u8>) -> String {
        format!("{a:?}|{b}|{c:?}")
    }
    async fn variadic(&self, a: Option<u8>, asked: AckRequested, b: Vec<String>) -> String {
        format!("{a:?}|{}|{}", asked.0, b.concat())
    }
    async fn binary(&self, data: &Binary, nested: Option<Binary>) -> Binary {
        Binary::from(Bytes::from([&data.0[..], nested.as_ref().map_or(&[], |nested| &nested.0[..])].concat()))
    }
    async fn no_ack(&self, x: u8) {
        assert_eq!(x, 7);
    }
    async fn empty_ack(&self) -> Ack {
        Ack
    }
    async fn typed(&self, x: u8) -> Result<u8, ChatError> {
        if x == 0 { Err(ChatError::Full) } else { Ok(x) }
    }
    async fn untyped(&self, x: u8) -> Result<Point, Refused> {
        if x == 0 { Err(Refused) } else { Ok(Point { x }) }
    }
    async fn unanswerable(&self) -> std::collections::BTreeMap<Point2, u8> {
        [(Point2(1, 2), 3)].into()
    }
    async fn unanswerable_typed(&self) -> Result<std::collections::BTreeMap<Point2, u8>, Rejection> {
        Ok([(Point2(1, 2), 3)].into())
    }
}

#[track_caller]
fn kinds(packet: &str, expected: &str) {
    check::<dyn Kinds, _>(&Arc::new(Session), packet, expected);
}

#[test]
fn strings_are_borrowed_unless_they_have_escapes() {
    kinds(r#"2/kinds,1["strings","a","b","c","d"]"#, r#"["a|b|true|Some(\"c\")|d"]"#);
    kinds(r#"2/kinds,1["strings","\u0041","\n","\"",""]"#, r#"["A|\n|false|Some(\"\\\"\")|"]"#);
    kinds(r#"2/kinds,1["strings","","",null,""]"#, r#"["||true|None|"]"#);
}

#[test]
fn references_lend_what_was_decoded() {
    kinds(r#"21["lent",{"x":1},[{"x":2},{"x":3}],{"text":"t"},{"x":4},[{"x":5}]]"#, r#"["1|2|t|true|true|1"]"#);
    kinds(r#"21["lent",{"x":1},[],{"text":"\t"}]"#, r#"["1|0|\t|false|false|0"]"#);
}

#[test]
fn only_trailing_options_may_be_missing() {
    kinds(r#"21["optional",1,2,3]"#, r#"["Some(1)|2|Some(3)"]"#);
    kinds(r#"21["optional",null,2]"#, r#"["None|2|None"]"#);
    kinds(r#"21["optional",null,2,null]"#, r#"["None|2|None"]"#);
    kinds(r#"21["optional",2]"#, "Payload: event `optional`, argument 1 (`b`): missing");
}

#[test]
fn rest_takes_what_is_left() {
    kinds(r#"21["variadic",1,"a","b"]"#, r#"["Some(1)|true|ab"]"#);
    kinds(r#"21["variadic"]"#, r#"["None|true|"]"#);
    let outcome = finish(<dyn Kinds as Serve<Session>>::dispatch(&Arc::new(Session), incoming(r#"2["variadic",1]"#, &[])));
    assert_eq!(shown(outcome), "[]", "nobody asked");
}

#[test]
fn binary_data_travels_as_attachments() {
    let packet = r#"52-1["binary data",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;
    let outcome = finish(<dyn Kinds as Serve<Session>>::dispatch(&Arc::new(Session), incoming(packet, &[b"second", b"first "])));
    let Outcome::Done(Some(body)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(body.attachments(), [Bytes::from_static(b"first second")]);
}

#[test]
fn acknowledgements_follow_the_return_type() {
    kinds(r#"2["noAck",7]"#, "[]");
    kinds(r#"21["noAck",7]"#, "[]");
    kinds(r#"21["emptyAck"]"#, "[]");
    kinds(r#"21["typed",5]"#, r#"[{"ok":true,"data":5}]"#);
    kinds(r#"21["typed",0]"#, r#"[{"ok":false,"error":"Full"}]"#);
    kinds(r#"21["untyped",0]"#, r#"[{"ok":false,"error":null}]"#);
    kinds(r#"2["typed",5]"#, "[]");
}

#[test]
fn an_answer_that_cannot_be_sent_is_a_rejection() {
    kinds(r#"21["unanswerable"]"#, "Unanswerable: event `unanswerable`: the answer cannot be serialized: key must be a string");
    kinds(
        r#"21["unanswerableTyped"]"#,
        r#"[{"ok":false,"error":{"kind":"unanswerable","event":"unanswerableTyped","message":"the answer cannot be serialized: key must be a string"}}]"#,
    );
    kinds(r#"2["unanswerable"]"#, "[]");
}

/// What a layer in front of the handler refuses is answered as if the event's own middleware had.
#[test]
fn a_refusal_in_front_of_dispatch_gets_the_answer_of_the_contract() {
    let reject = |packet: &str, rejection: Rejection| {
        shown(<dyn Kinds as Serve<Session>>::reject(&Arc::new(Session), &incoming(packet, &[]), rejection))
    };
    let refused = || Rejection::new("not today");
    assert_eq!(reject(r#"21["typed",5]"#, refused()), r#"[{"ok":false,"error":{"Invalid":"not today"}}]"#);
    assert_eq!(
        reject(r#"21["unanswerableTyped"]"#, Rejection::rate_limited(std::time::Duration::from_micros(1500))),
        concat!(
            r#"[{"ok":false,"error":{"kind":"rateLimited","event":"unanswerableTyped","#,
            r#""message":"too many events, try again in 2 ms","retryAfterMs":2}}]"#
        )
    );
    for name in ["untyped", "emptyAck", "noAck", "strings", "nobody knows"] {
        assert_eq!(reject(&format!(r#"21["{name}"]"#), refused()), "Refused: not today");
    }
    // Nobody asked, and the hook still sees it, with the event's name.
    let outcome = <dyn Kinds as Serve<Session>>::reject(&Arc::new(Session), &incoming(r#"2["typed"]"#, &[]), refused());
    assert!(matches!(outcome, Outcome::Rejected(rejection) if rejection.event() == "typed"));
}

#[test]
fn extra_arguments_are_ignored() {
    kinds(r#"21["typed",5,{"more":[1,2]},"x"]"#, r#"[{"ok":true,"data":5}]"#);
    kinds(r#"21["emptyAck",1,2,3]"#, "[]");
}

#[test]
fn rejections_are_acknowledged_if_the_error_type_can_express_them() {
    kinds(r#"21["typed"]"#, r#"[{"ok":false,"error":{"Invalid":"missing"}}]"#);
    kinds(r#"21["untyped"]"#, "Payload: event `untyped`, argument 0 (`x`): missing");
    kinds(r#"21["noAck"]"#, "Payload: event `noAck`, argument 0 (`x`): missing");
}

#[test]
fn unknown_events_are_handed_back() {
    kinds(r#"21["no_ack",7]"#, "unhandled: no_ack");
    kinds(r#"21["",7]"#, "unhandled: ");
}

#[test]
fn each_future_has_its_own_size() {
    let size = |packet: &str| {
        let future: BoxFuture<'static, Outcome> =
            <dyn Kinds as Serve<Session>>::dispatch(&Arc::new(Session), incoming(packet, &[]));
        size_of_val(&*future)
    };
    let (small, large) = (size(r#"2["emptyAck"]"#), size(r#"2["lent"]"#));
    assert!(small < large, "{small} and {large} bytes");
    assert!(size(r#"2["unknown"]"#) <= size_of::<Option<Outcome>>(), "an unknown event costs no state machine");
}
