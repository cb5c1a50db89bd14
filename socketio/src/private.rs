//! `__private`: everything that generated code may name, and nothing else.
//!
//! It is no public API: the macro crate is pinned to the same version. Nothing here is used by the rest of the crate.

pub use crate::{
    __pick_trait as pick_trait,
    contract::{BoxFuture, Events, FromEvent, Incoming, Namespace, NoEvents, NoServerEvents, Outcome, Rejection, Serve, Target},
    parser::BodyWriter,
    reason::DisconnectReason,
};

/// How a contract describes itself.
pub mod describe {
    pub use crate::describe::{Describe, EventSpec};
    pub use schemars::Schema;
}

/// How an event becomes the handler's parameters.
pub mod args {
    pub use crate::contract::CowStr;
    use crate::contract::{Args, Incoming, Rejection};

    /// Decodes the arguments of an event and checks that what is left of the packet is well-formed.
    ///
    /// # Errors
    /// An argument is missing or has another type, an extractor refuses the event, or the packet is malformed.
    pub fn decode<'a, T>(event: &'a Incoming, decode: impl FnOnce(&mut Args<'a>) -> Result<T, Rejection>) -> Result<T, Rejection> {
        let mut args = event.args();
        let values = decode(&mut args)?;
        args.finish()?;
        Ok(values)
    }
}

/// How a handler's value becomes an acknowledgement.
pub mod ack {
    pub use crate::contract::{ack_err as err, ack_none as none, ack_ok as ok, ack_value as value};
}

/// How an acknowledgement becomes the caller's value.
pub mod decode {
    pub use crate::contract::{decode_empty as empty, decode_result as result, decode_value as value};
}

/// Questions about a concrete type, answered by the order in which rustc looks up names: inherent before trait, and by value
/// before by reference. Contracts are never generic, so there is always an answer.
pub mod probe {
    use crate::contract::{BoxFuture, Incoming, Outcome, Rejection, RejectionKind, Serve, ack_err};
    use futures_util::FutureExt as _;
    use serde::Serialize;
    use std::{fmt, future::Future, marker::PhantomData, panic::AssertUnwindSafe, sync::Arc};

    /// `Result` as a type function, so that aliases such as `type Result<T> = ..` work.
    #[diagnostic::on_unimplemented(message = "an event names its return type `Result`, but it is not `core::result::Result`")]
    pub trait IsResult {
        /// `T` of `Result<T, E>`.
        type Ok;
        /// `E` of `Result<T, E>`.
        type Err;
        /// The result itself.
        ///
        /// # Errors
        /// It is one.
        fn as_result(&self) -> Result<&Self::Ok, &Self::Err>;
    }

    impl<T, E> IsResult for Result<T, E> {
        type Ok = T;
        type Err = E;
        fn as_result(&self) -> Result<&T, &E> {
            self.as_ref()
        }
    }

    /// What a middleware says about an event.
    #[diagnostic::on_unimplemented(
        message = "a middleware returns `Result<(), Rejection>`, not `{Self}`",
        label = "write `Result<(), socketio::Rejection>`",
        note = "refuse with `Err(Rejection::new(\"..\"))`, and add `.with_code(\"..\")` for programs"
    )]
    pub trait Verdict {
        /// As a result.
        ///
        /// # Errors
        /// The event is refused.
        fn verdict(self) -> Result<(), Rejection>;
    }

    impl Verdict for Result<(), Rejection> {
        fn verdict(self) -> Result<(), Rejection> {
            self
        }
    }

    /// What is generated for one event: decodes the arguments, runs the handler, encodes the answer.
    pub trait Arm<'a, H> {
        /// What it returns.
        type Future: Future<Output = Result<Outcome, Rejection>> + Send + 'a;
        /// Starts.
        fn start(self, handler: &'a Arc<H>, event: &'a Incoming) -> Self::Future;
    }

    impl<'a, H: 'a, F, Fut> Arm<'a, H> for F
    where
        F: FnOnce(&'a Arc<H>, &'a Incoming) -> Fut,
        Fut: Future<Output = Result<Outcome, Rejection>> + Send + 'a,
    {
        type Future = Fut;
        fn start(self, handler: &'a Arc<H>, event: &'a Incoming) -> Fut {
            self(handler, event)
        }
    }

    /// Runs an event's handler and everything around it. A rejection, a panic and an answer that cannot be sent are told to the
    /// peer, if the contract has a way to.
    pub fn run<N, H, A>(handler: Arc<H>, event: Incoming, arm: A) -> BoxFuture<'static, Outcome>
    where
        N: Serve<H> + ?Sized,
        H: Send + Sync + 'static,
        A: for<'a> Arm<'a, H> + Send + 'static,
    {
        Box::pin(async move {
            // Within the guard also what comes before the handler's first wait.
            let guarded = AssertUnwindSafe(async { arm.start(&handler, &event).await });
            let rejection = match guarded.catch_unwind().await {
                Ok(Ok(Outcome::Unanswerable(error))) => Rejection::unanswerable(&error),
                Ok(Ok(outcome)) => return outcome,
                Ok(Err(rejection)) => rejection,
                Err(_) => Rejection::panicked(),
            };
            N::reject(&handler, &event, rejection.of(&event))
        })
    }

    /// The outcome of a rejection where the contract has no error type.
    pub fn reject(event: &Incoming, rejection: Rejection) -> Outcome {
        Outcome::Rejected(rejection.of(event))
    }

    /// Is it a `Result`? Finds one that hides behind an alias.
    #[derive(Debug)]
    pub struct Probe<T>(PhantomData<T>);

    impl<T, E> Probe<Result<T, E>> {
        /// It is.
        pub const IS_RESULT: bool = true;
    }

    /// The answer for every other type.
    pub trait NoResult {
        /// It is not.
        const IS_RESULT: bool = false;
    }

    impl<T> NoResult for Probe<T> {}

    /// Can the error type of an event express a rejection? Then the peer is told.
    pub struct Reject<E>(PhantomData<fn() -> E>);

    impl<E> Reject<E> {
        /// The question.
        #[allow(clippy::new_without_default)]
        pub fn new() -> Self {
            Reject(PhantomData)
        }
    }

    impl<E> fmt::Debug for Reject<E> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Reject")
        }
    }

    /// It can.
    pub trait RejectTyped {
        /// Acknowledges the event with the rejection as its typed error; a malformed packet is not answered, it ends the
        /// connection.
        fn reject(&self, event: &Incoming, rejection: Rejection) -> Outcome;
    }

    impl<E: From<Rejection> + Serialize> RejectTyped for Reject<E> {
        fn reject(&self, event: &Incoming, rejection: Rejection) -> Outcome {
            let rejection = rejection.of(event);
            if rejection.kind() == RejectionKind::Malformed {
                return Outcome::Rejected(rejection);
            }
            match ack_err(event, &E::from(rejection.clone())) {
                Outcome::Done(Some(body)) => Outcome::RejectedWith(Box::new(rejection), body),
                _ => Outcome::Rejected(rejection),
            }
        }
    }

    /// It cannot.
    pub trait RejectUntyped {
        /// Leaves the event unanswered.
        fn reject(&self, event: &Incoming, rejection: Rejection) -> Outcome;
    }

    impl<E> RejectUntyped for &Reject<E> {
        fn reject(&self, event: &Incoming, rejection: Rejection) -> Outcome {
            reject(event, rejection)
        }
    }
}

/// Picks the trait as written for rust-analyzer, and the one with spelled-out futures for rustc: here rather than in the
/// expansion, so that user crates need no `check-cfg`.
#[cfg(not(rust_analyzer))]
#[doc(hidden)]
#[macro_export]
macro_rules! __pick_trait {
    ({ $($rustc:tt)* } { $($ide:tt)* }) => { $($rustc)* };
}

/// The same, for rust-analyzer.
#[cfg(rust_analyzer)]
#[doc(hidden)]
#[macro_export]
macro_rules! __pick_trait {
    ({ $($rustc:tt)* } { $($ide:tt)* }) => { $($ide)* };
}
