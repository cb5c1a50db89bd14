//! What a connect handler is: an async function of up to eight extractors that returns `Result<Session, E>`.

use super::{ConnectError, ConnectParts, FromConnect};
use crate::{contract::Serve, server::ErasedSession};
use std::{future::Future, sync::Arc};

/// Step 1: an async function or closure. `X` pairs its argument types with inferred markers.
#[diagnostic::on_unimplemented(
    message = "a connect handler is an `async fn` (or async closure) of at most 8 extractors",
    label = "not a connect handler",
    note = "expected `async fn(extractors...) -> Result<Session, impl Into<ConnectError>>`"
)]
pub trait ConnectFn<X: ConnectSig>: Clone + Send + Sync + 'static {
    /// What the function returns.
    type Future: Future<Output = Self::Output>;
    /// What its future resolves to.
    type Output;
    #[doc(hidden)]
    fn call(self, args: X::Args) -> Self::Future;
}

/// Argument types paired with inferred markers: `((T1, M1), (T2, M2))`.
pub trait ConnectSig {
    /// The argument types alone.
    type Args: Send;
}

/// Step 2: every argument is an extractor.
pub trait ConnectArgs<N: ?Sized, S>: ConnectSig {
    #[doc(hidden)]
    fn extract(parts: &mut ConnectParts, state: &S) -> impl Future<Output = Result<Self::Args, ConnectError>> + Send;
}

/// Step 3: the output is a `Result`.
#[diagnostic::on_unimplemented(
    message = "a connect handler returns `Result<Session, E>`, not `{Self}`",
    label = "wrap the session in `Ok(..)`; `E` must be `Into<ConnectError>`"
)]
pub trait ConnectOutput {
    /// The session.
    type Session: Send + Sync + 'static;
    #[doc(hidden)]
    fn into_session(self) -> Result<Self::Session, ConnectError>;
}

impl<H: Send + Sync + 'static, E: Into<ConnectError>> ConnectOutput for Result<H, E> {
    type Session = H;
    fn into_session(self) -> Result<H, ConnectError> {
        self.map_err(Into::into)
    }
}

/// Step 4: the session implements the namespace trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the session of `{N}`: it does not implement the namespace trait",
    label = "this connect handler returns `Result<{Self}, _>`",
    note = "add `impl Trait for {Self}` for the trait inside `{N}`"
)]
pub trait Session<N: ?Sized>: Sized {
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn erase(self: Arc<Self>) -> Box<dyn ErasedSession>;
}

#[diagnostic::do_not_recommend]
impl<N: Serve<H> + ?Sized, H: Send + Sync + 'static> Session<N> for H {
    #[allow(private_interfaces)]
    fn erase(self: Arc<Self>) -> Box<dyn ErasedSession> {
        crate::server::erase::<N, H>(self)
    }
}

macro_rules! handlers {
    ($([$($marker:ident $arg:ident),*])*) => { $(
        impl<$($marker, $arg: Send),*> ConnectSig for ($(($arg, $marker),)*) {
            type Args = ($($arg,)*);
        }

        #[allow(non_snake_case)]
        impl<F, Fut, $($marker, $arg: Send),*> ConnectFn<($(($arg, $marker),)*)> for F
        where
            F: FnOnce($($arg),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future,
        {
            type Future = Fut;
            type Output = Fut::Output;
            fn call(self, ($($arg,)*): ($($arg,)*)) -> Fut {
                self($($arg),*)
            }
        }

        #[allow(non_snake_case, unused_variables)]
        impl<N: ?Sized, S: Sync, $($marker, $arg: Send),*> ConnectArgs<N, S> for ($(($arg, $marker),)*)
        where
            $($arg: FromConnect<N, S, $marker>,)*
        {
            async fn extract(parts: &mut ConnectParts, state: &S) -> Result<Self::Args, ConnectError> {
                $(let $arg = $arg::from_connect(parts, state).await?;)*
                Ok(($($arg,)*))
            }
        }
    )* };
}
handlers! {
    []
    [M1 T1]
    [M1 T1, M2 T2]
    [M1 T1, M2 T2, M3 T3]
    [M1 T1, M2 T2, M3 T3, M4 T4]
    [M1 T1, M2 T2, M3 T3, M4 T4, M5 T5]
    [M1 T1, M2 T2, M3 T3, M4 T4, M5 T5, M6 T6]
    [M1 T1, M2 T2, M3 T3, M4 T4, M5 T5, M6 T6, M7 T7]
    [M1 T1, M2 T2, M3 T3, M4 T4, M5 T5, M6 T6, M7 T7, M8 T8]
}
