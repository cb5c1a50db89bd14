//! What a connect handler is: an async function of up to eight extractors that returns `Result<Session, E>`.

use super::{ConnectError, ConnectParts, FromConnect};
use crate::{contract::Serve, server::ErasedSession};
use std::{fmt, future::Future, sync::Arc};

/// Step 1: a function or closure. `X` pairs its argument types with inferred markers.
///
/// Nobody needs to implement it. It and its siblings are the bounds of a function that passes a connect handler on:
///
/// ```
/// use socketio::{Builder, ConnectArgs, ConnectFn, ConnectFuture, ConnectSig, SocketIo, layer::Trace, namespace};
/// # use socketio::{ConnectError, Socket};
/// # #[namespace("/chat")] trait Chat {}
/// # struct Session;
/// # impl Chat for Session {}
///
/// /// Registers the chat, with what every server of ours has around it.
/// fn with_chat<S, X>(
///     builder: Builder<S>,
///     connect: impl ConnectFn<X, Sig: ConnectArgs<dyn Chat, S>, Future: ConnectFuture<dyn Chat> + Send> + Clone + Send + Sync + 'static,
/// ) -> Builder<S>
/// where
///     S: Clone + Send + Sync + 'static,
///     X: ConnectSig + 'static,
/// {
///     builder.namespace::<dyn Chat, X>(connect).event_layer(Trace::new())
/// }
///
/// async fn connect(_: Socket<dyn Chat>) -> Result<Session, ConnectError> {
///     Ok(Session)
/// }
/// let io = with_chat(SocketIo::builder(), connect).build();
/// assert_eq!(io.namespaces(), ["/chat"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "a connect handler is an `async fn` (or async closure) of at most 8 extractors",
    label = "not a connect handler",
    note = "expected `async fn(extractors...) -> Result<Session, impl Into<ConnectError>>`, the function itself and not a call of it"
)]
pub trait ConnectFn<X: ConnectSig> {
    /// `X`. A bound on it is a bound on the function, so that a mistake in an argument is shown at the function.
    type Sig: ConnectSig;
    /// What the function returns.
    type Future;
    #[doc(hidden)]
    fn call(self, args: <Self::Sig as ConnectSig>::Args) -> Self::Future;
}

/// Argument types paired with inferred markers: `((T1, M1), (T2, M2))`. An example is at [`ConnectFn`].
pub trait ConnectSig {
    /// The argument types alone.
    type Args;
}

/// Step 2: every argument is an extractor. An example is at [`ConnectFn`].
pub trait ConnectArgs<N: ?Sized, S>: ConnectSig<Args: Send> {
    #[doc(hidden)]
    fn extract(parts: &mut ConnectParts, state: &S) -> impl Future<Output = Result<Self::Args, ConnectError>> + Send;
}

/// Step 3: the function is async. What its output lacks is reported by the traits of the output and of its parts. An example is at
/// [`ConnectFn`].
#[diagnostic::on_unimplemented(
    message = "a connect handler is async: this one returns `{Self}`, which is not a future",
    label = "not an `async fn` or async closure",
    note = "expected `async fn(extractors...) -> Result<Session, impl Into<ConnectError>>`"
)]
pub trait ConnectFuture<N: ?Sized> {
    #[doc(hidden)]
    fn session(self) -> impl Future<Output = Result<Accepted, ConnectError>> + Send;
}

impl<N: ?Sized, F> ConnectFuture<N> for F
where
    F: Future<Output: ConnectOutput<N>> + Send,
{
    async fn session(self) -> Result<Accepted, ConnectError> {
        self.await.into_session()
    }
}

/// Step 4: the output is a `Result`.
///
/// ```
/// use socketio::{ConnectOutput, SocketIo, namespace};
/// # #[namespace("/chat")] trait Chat {}
/// # struct Session;
/// # impl Chat for Session {}
///
/// /// Takes in nobody by something that somebody else has computed.
/// fn once<R>(decide: impl Fn() -> R + Clone + Send + Sync + 'static) -> SocketIo
/// where
///     R: ConnectOutput<dyn Chat> + Send + 'static,
/// {
///     SocketIo::builder().namespace::<dyn Chat, _>(move || std::future::ready(decide())).build()
/// }
/// assert_eq!(once(|| Ok::<_, String>(Session)).namespaces(), ["/chat"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "a connect handler returns `Result<Session, E>`, not `{Self}`",
    label = "accept with `Ok(session)`, refuse with `Err(ConnectError::new(..))`"
)]
pub trait ConnectOutput<N: ?Sized> {
    #[doc(hidden)]
    fn into_session(self) -> Result<Accepted, ConnectError>;
}

impl<N: ?Sized, H: Session<N>, E: ConnectRefusal> ConnectOutput<N> for Result<H, E> {
    fn into_session(self) -> Result<Accepted, ConnectError> {
        self.map(|session| Arc::new(session).erase()).map_err(ConnectRefusal::refuse)
    }
}

/// Step 5: the error refuses the client. Everything that is `Into<ConnectError>` does.
///
/// ```
/// use socketio::{ConnectError, ConnectRefusal, SocketIo, namespace};
/// # use socketio::test::Client;
/// # #[namespace("/chat")] trait Chat {}
/// # struct Session;
/// # impl Chat for Session {}
///
/// /// What our look-ups fail with.
/// enum LookUp { Unknown, Offline }
///
/// impl From<LookUp> for ConnectError {
///     fn from(error: LookUp) -> Self {
///         match error {
///             LookUp::Unknown => ConnectError::new("who are you?"),
///             LookUp::Offline => ConnectError::new("try again later").with_data(503),
///         }
///     }
/// }
///
/// async fn connect() -> Result<Session, LookUp> {
///     Err(LookUp::Offline)
/// }
/// # fn refuses<E: ConnectRefusal>(_: E) {}
/// # refuses(LookUp::Unknown);
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let io = SocketIo::builder().namespace::<dyn Chat, _>(connect).build();
/// let refused = Client::<dyn Chat>::connect(&io).await.unwrap_err();
/// assert_eq!((refused.message(), refused.data_json()), ("try again later", Some("503")));
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot refuse a client: it is not `Into<ConnectError>`",
    label = "this connect handler returns `Result<_, {Self}>`",
    note = "return `Result<_, ConnectError>` and turn the error into one: `.map_err(|error| ConnectError::new(error.to_string()))?`",
    note = "for an error type of your own, `impl From<{Self}> for ConnectError` lets `?` do that; `String`, `&str` and `DataError` have it"
)]
pub trait ConnectRefusal {
    #[doc(hidden)]
    fn refuse(self) -> ConnectError;
}

#[diagnostic::do_not_recommend]
impl<E: Into<ConnectError>> ConnectRefusal for E {
    fn refuse(self) -> ConnectError {
        self.into()
    }
}

/// Step 6: the session implements the namespace trait. Its blanket implementation is recommended, because it leads the compiler
/// to the name of the trait that is not implemented.
///
/// ```
/// use socketio::{Session, SocketIo, namespace};
///
/// #[namespace("/chat")]
/// trait Chat {
///     #[event]
///     async fn say(&self, text: &str);
/// }
///
/// /// A server of the chat, whoever handles it.
/// fn server(handler: impl Session<dyn Chat> + Send + Sync + 'static) -> SocketIo {
///     SocketIo::builder().shared::<dyn Chat>(handler).build()
/// }
///
/// struct Printer;
/// impl Chat for Printer {
///     async fn say(&self, text: &str) { println!("{text}"); }
/// }
/// assert_eq!(server(Printer).namespaces(), ["/chat"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the session of `{N}`: it does not implement the namespace trait",
    label = "this makes a `{Self}` the session of each client"
)]
pub trait Session<N: ?Sized>: Sized {
    #[doc(hidden)]
    fn erase(self: Arc<Self>) -> Accepted;
}

impl<N: Serve<H> + ?Sized, H: Send + Sync + 'static> Session<N> for H {
    fn erase(self: Arc<Self>) -> Accepted {
        Accepted(crate::server::erase::<N, H>(self))
    }
}

/// A session on its way into the runtime, which knows neither its type nor its namespace.
pub struct Accepted(pub(crate) Box<dyn ErasedSession>);

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accepted")
    }
}

macro_rules! handlers {
    ($([$($marker:ident $arg:ident),*])*) => { $(
        impl<$($marker, $arg),*> ConnectSig for ($(($arg, $marker),)*) {
            type Args = ($($arg,)*);
        }

        #[allow(non_snake_case)]
        impl<F, Fut, $($marker, $arg),*> ConnectFn<($(($arg, $marker),)*)> for F
        where
            F: FnOnce($($arg),*) -> Fut,
        {
            type Sig = ($(($arg, $marker),)*);
            type Future = Fut;
            fn call(self, ($($arg,)*): ($($arg,)*)) -> Fut {
                self($($arg),*)
            }
        }

        #[allow(non_snake_case, unused_variables)]
        impl<N: ?Sized, S: Sync, $($marker, $arg),*> ConnectArgs<N, S> for ($(($arg, $marker),)*)
        where
            $($arg: FromConnect<N, S, $marker> + Send,)*
        {
            async fn extract(parts: &mut ConnectParts, state: &S) -> Result<Self::Args, ConnectError> {
                $(let $arg = $arg::from_connect(parts, state).await?;)*
                Ok(($($arg,)*))
            }
        }
    )* };
}
// The compiler names these where it cannot infer the arguments of a closure.
handlers! {
    []
    [M1 Extractor1]
    [M1 Extractor1, M2 Extractor2]
    [M1 Extractor1, M2 Extractor2, M3 Extractor3]
    [M1 Extractor1, M2 Extractor2, M3 Extractor3, M4 Extractor4]
    [M1 Extractor1, M2 Extractor2, M3 Extractor3, M4 Extractor4, M5 Extractor5]
    [M1 Extractor1, M2 Extractor2, M3 Extractor3, M4 Extractor4, M5 Extractor5, M6 Extractor6]
    [M1 Extractor1, M2 Extractor2, M3 Extractor3, M4 Extractor4, M5 Extractor5, M6 Extractor6, M7 Extractor7]
    [M1 Extractor1, M2 Extractor2, M3 Extractor3, M4 Extractor4, M5 Extractor5, M6 Extractor6, M7 Extractor7, M8 Extractor8]
}
