//! Middleware, fallback and disconnect.

use super::*;

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        self.0.lock().expect("not poisoned").push(line.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("not poisoned"))
    }
}

#[namespace("/hooked", crate = crate)]
trait Hooked {
    #[middleware]
    async fn allow(&self, event: &Incoming) -> Result<(), Rejection>;
    #[fallback]
    async fn unknown(self: Arc<Self>, event: &str, args: RawArgs<'_>);
    #[disconnect]
    async fn left(&self, reason: DisconnectReason);
    #[event]
    async fn plain(&self, x: u8) -> u8;
    #[event]
    async fn typed(&self, x: u8) -> Result<u8, ChatError>;
    #[event]
    async fn forbidden(&self) -> Result<u8, ChatError>;
}

impl Hooked for Log {
    async fn allow(&self, event: &Incoming) -> Result<(), Rejection> {
        self.add(format!("allow {}", event.name()));
        if event.name().contains("forbidden") { Err(Rejection::new("not today")) } else { Ok(()) }
    }
    async fn unknown(self: Arc<Self>, event: &str, args: RawArgs<'_>) {
        self.add(format!("unknown {event} {}", args.len()));
    }
    async fn left(&self, reason: DisconnectReason) {
        self.add(format!("left {}", reason.as_str()));
    }
    async fn plain(&self, x: u8) -> u8 {
        x
    }
    async fn typed(&self, x: u8) -> Result<u8, ChatError> {
        Ok(x)
    }
    async fn forbidden(&self) -> Result<u8, ChatError> {
        unreachable!("the middleware refuses it")
    }
}

#[test]
fn middleware_comes_before_every_event() {
    let log = Arc::new(Log::default());
    check::<dyn Hooked, _>(&log, r#"21["plain",1]"#, "[1]");
    check::<dyn Hooked, _>(&log, r#"21["forbidden"]"#, r#"[{"ok":false,"error":{"Invalid":"not today"}}]"#);
    check::<dyn Hooked, _>(&log, r#"21["forbidden too"]"#, "Refused: not today");
    assert_eq!(log.take(), ["allow plain", "allow forbidden", "allow forbidden too"]);
}

#[test]
fn fallback_gets_what_the_trait_does_not_name() {
    let log = Arc::new(Log::default());
    check::<dyn Hooked, _>(&log, r#"21["other",1,"two"]"#, "[]");
    assert_eq!(log.take(), ["allow other", "unknown other 2"]);
}

#[test]
fn disconnect_is_told_once() {
    let log = Arc::new(Log::default());
    let left = <dyn Hooked as Serve<Log>>::on_disconnect(&log, DisconnectReason::TransportClose).expect("a hook");
    assert_eq!(log.take(), [""; 0], "futures do nothing until they are polled");
    finish(left);
    assert_eq!(log.take(), ["left transport close"]);
    assert!(<dyn NoEvents as Serve<()>>::on_disconnect(&Arc::new(()), DisconnectReason::TransportClose).is_none());
}

#[namespace("/guarded", crate = crate)]
trait Guarded {
    #[middleware]
    async fn allow(&self, event: &Incoming) -> Result<(), Rejection>;
    #[cfg(any())]
    #[fallback]
    async fn unknown(&self, event: &str, args: RawArgs<'_>);
    #[cfg(any())]
    #[disconnect]
    async fn left(&self, reason: Missing);
}

impl Guarded for Log {
    async fn allow(&self, event: &Incoming) -> Result<(), Rejection> {
        self.add(event.name());
        Ok(())
    }
}

#[test]
fn middleware_also_counts_events_that_nobody_handles() {
    let log = Arc::new(Log::default());
    check::<dyn Guarded, _>(&log, r#"2["flood"]"#, "unhandled: flood");
    assert_eq!(log.take(), ["flood"]);
}

#[test]
fn malformed_packets_reach_neither_handler_nor_fallback() {
    let log = Arc::new(Log::default());
    for packet in [r#"21["plain",1,nonsense]"#, r#"21["plain",1"#, r#"21["other",1,]"#, r#"21["typed",nonsense]"#] {
        let mut decoder = Decoder::default();
        // Whether the decoder or the cursor finds it is not the contract's concern.
        let Ok(Some(packet)) = decoder.text(crate::text::Text::from(packet.to_owned())) else { continue };
        let Some(event) = Incoming::new(packet) else { continue };
        match finish(<dyn Hooked as Serve<Log>>::dispatch(&log, event)) {
            Outcome::Rejected(rejection) => assert_eq!(rejection.kind(), RejectionKind::Malformed),
            outcome => panic!("{outcome:?}"),
        }
    }
    let lines = log.take();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.starts_with("allow")), "{lines:?}");
    assert!(matches!(ack_none(), Outcome::Done(None)));
}
