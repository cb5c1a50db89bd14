//! Typed callers: what `.emit()` sends, how it reads answers, and what a contract says about itself.

use super::*;

#[events(rename_all = "camelCase", crate = crate)]
trait Sent {
    /// A message.
    ///
    /// In a room.
    #[event]
    async fn new_message(&self, room: &str, message: &Message<'_>, tags: &[String], to: Option<&Point>);
    #[deprecated(note = "use `newMessage`")]
    #[event(volatile)]
    async fn user_typing(&self, user: Cow<'_, str>);
    #[event]
    async fn many(&self, #[extract] asked: AckRequested, _first: Option<u8>, #[rest] r#rest: Vec<u8>) -> Result<u8, ChatError>;
    #[event]
    async fn are_you_there(&self) -> bool;
    #[event("flush!", volatile)]
    async fn flush(&self);
    #[event]
    async fn done(&self) -> Ack;
    #[cfg(any())]
    #[event]
    async fn never(&self, missing: Missing) -> Missing;
}

fn sent(recorder: &Recorder) -> <dyn Sent as Events>::Emitter<&Recorder> {
    <dyn Sent>::emitter(recorder)
}

#[test]
fn arguments_are_encoded_in_order() {
    let recorder = Recorder::default();
    let message = Message { text: "a\"b".into() };
    let tags = ["x".to_owned(), "y".to_owned()];
    assert_eq!(sent(&recorder).new_message("r", &message, &tags, None), r#"["newMessage","r",{"text":"a\"b"},["x","y"],null]"#);
    #[expect(deprecated)]
    let typing = sent(&recorder).user_typing("u".into());
    assert_eq!(typing, r#"volatile ["userTyping","u"]"#);
    assert_eq!(sent(&recorder).flush(), r#"volatile ["flush!"]"#);
}

#[test]
fn answers_are_decoded_into_the_type_of_the_contract() {
    let ask = |answer| Recorder::answering(answer);
    let yes: (String, Result<bool, CallError<Infallible>>) = sent(&ask("[true]")).are_you_there();
    assert_eq!(yes, (r#"["areYouThere"]"#.to_owned(), Ok(true)));
    assert!(matches!(sent(&ask("[1]")).are_you_there().1, Err(CallError::Decode(_))));
    assert_eq!(sent(&ask("[]")).done().1, Ok(Ack));

    let many = |answer| sent(&ask(answer)).many(Some(1), vec![2, 3]);
    assert_eq!(many(r#"[{"ok":true,"data":4}]"#), (r#"["many",1,2,3]"#.to_owned(), Ok(4)));
    assert_eq!(many(r#"[{"ok":false,"error":"Full"}]"#).1, Err(CallError::Rejected(ChatError::Full)));
}

#[test]
fn a_contract_describes_itself() {
    let mut describe = Describe::default();
    let specs: Vec<EventSpec> = describe.emitted(<dyn Sent>::describe);
    let names: Vec<_> = specs.iter().map(|spec| spec.name).collect();
    assert_eq!(names, ["newMessage", "userTyping", "many", "areYouThere", "flush!", "done"]);
    assert_eq!(specs[0].docs, "A message.\n\nIn a room.");
    assert_eq!(specs[1].deprecated, Some("use `newMessage`"));
    assert_eq!(specs.iter().map(|spec| spec.volatile).collect::<Vec<_>>(), [false, true, false, false, true, false]);

    let args = |spec: &EventSpec| spec.args.iter().map(|arg| (arg.name, arg.kind)).collect::<Vec<_>>();
    assert_eq!(
        args(&specs[0]),
        [("room", ArgKind::Required), ("message", ArgKind::Required), ("tags", ArgKind::Required), ("to", ArgKind::Optional)]
    );
    assert_eq!(args(&specs[2]), [("first", ArgKind::Optional), ("rest", ArgKind::Rest)]);
    assert!(matches!(specs[2].ack, AckSpec::Result(..)));
    assert!(matches!(specs[3].ack, AckSpec::Value(_)));
    assert_eq!(specs[4].ack, AckSpec::None);
    assert_eq!(specs[5].ack, AckSpec::Empty);
    assert_eq!(<dyn Sent as Events>::NAME, "Sent");
}

/// A namespace.
#[namespace("/org/{id}", emits = Sent, auth = Point, crate = crate)]
trait Org {}

#[namespace("/plain", auth = Foreign, schema = false, crate = crate)]
trait Plain {
    #[event]
    async fn foreign(&self, foreign: Foreign) -> Foreign;
}

/// A type without a JSON Schema.
#[derive(Serialize, Deserialize)]
struct Foreign;

#[test]
fn a_namespace_knows_its_path_and_its_types() {
    fn emits<N: Namespace<Auth = A> + ?Sized, A>() -> &'static str {
        <N::Emits as Events>::NAME
    }
    assert_eq!((<dyn Org as Namespace>::PATH, <dyn Org as Namespace>::DOCS), ("/org/{id}", "A namespace."));
    assert_eq!(emits::<dyn Org, Point>(), "Sent");
    assert_eq!(emits::<dyn Plain, Foreign>(), "NoEvents");
    let mut describe = Describe::default();
    assert!(<dyn Org as Namespace>::describe_auth(&mut describe).is_some());
    assert!(<dyn Plain as Namespace>::describe_auth(&mut describe).is_none());
    assert!(<dyn Plain as Events>::describe(&mut describe).is_empty());
    assert!(<dyn NoEvents as Events>::describe(&mut describe).is_empty());
    check::<dyn NoEvents, _>(&Arc::new(()), r#"2["any"]"#, "unhandled: any");
}
