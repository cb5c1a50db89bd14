// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the namespace trait `Conditional`",
    label = "needs `impl Conditional for {Self}`",
    note = "a connect handler for `dyn Conditional` must return `Result<S, _>` where `S: Conditional`"
)]
/// Two lines,
/// indented:
///
///     code
pub trait Conditional: ::core::marker::Send + ::core::marker::Sync + 'static {
    /// The old way.
    ///
    /// Use [`Conditional::open`].
    #[deprecated(since = "2.0.0", note = "use `open`")]
    fn open_file(
        &self,
        path: &str,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    #[deprecated]
    fn close(&self) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    #[cfg(unix)]
    fn open(
        &self,
        descriptor: u32,
    ) -> impl ::core::future::Future<Output = Ack> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    #[cfg(not(unix))]
    fn open(
        &self,
        handle: u64,
    ) -> impl ::core::future::Future<Output = Ack> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    #[cfg(feature = "audit")]
    fn audit(
        &self,
        event: &Incoming,
    ) -> impl ::core::future::Future<
        Output = Result<(), Rejection>,
    > + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
///Typed caller of the events of [`Conditional`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub struct ConditionalEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> ConditionalEmitter<__T> {
    /// The old way.
    ///
    /// Use [`Conditional::open`].
    #[deprecated(since = "2.0.0", note = "use `open`")]
    pub fn open_file(&self, path: &str) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("open_file");
        __body.arg(&path);
        self.0.send(__body.finish())
    }
    ///Emits `close`.
    #[deprecated]
    pub fn close(&self) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("close");
        self.0.send(__body.finish())
    }
    #[cfg(unix)]
    ///Emits `open`.
    pub fn open(&self, descriptor: u32) -> __T::Reply<Ack, ::core::convert::Infallible> {
        let mut __body = ::socketio::__private::BodyWriter::event("open");
        __body.arg(&descriptor);
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::empty::<::core::convert::Infallible>,
            )
    }
    #[cfg(not(unix))]
    ///Emits `open`.
    pub fn open(&self, handle: u64) -> __T::Reply<Ack, ::core::convert::Infallible> {
        let mut __body = ::socketio::__private::BodyWriter::event("open");
        __body.arg(&handle);
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::empty::<::core::convert::Infallible>,
            )
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn Conditional {
    const NAME: &'static str = "Conditional";
    type Emitter<__T: ::socketio::__private::Target> = ConditionalEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(
        target: __T,
    ) -> ConditionalEmitter<__T> {
        ConditionalEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        __describe.contract("Two lines,\nindented:\n\n    code");
        let mut __events = ::std::vec::Vec::new();
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new(
                        "open_file",
                        "The old way.\n\nUse [`Conditional::open`].",
                    )
                    .deprecated("use `open`")
                    .arg("path", __describe.arg::<::std::string::String>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("close", "")
                    .deprecated(""),
            );
        #[cfg(unix)]
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("open", "")
                    .arg("descriptor", __describe.arg::<u32>())
                    .ack_empty(),
            );
        #[cfg(not(unix))]
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("open", "")
                    .arg("handle", __describe.arg::<u64>())
                    .ack_empty(),
            );
        __events
    }
}
#[automatically_derived]
impl ::socketio::__private::Namespace for dyn Conditional {
    const PATH: &'static str = "/conditional";
    const DOCS: &'static str = "Two lines,\nindented:\n\n    code";
    type Emits = dyn ::socketio::__private::NoEvents;
    type Auth = ();
    type Data = ();
    type Cluster = dyn ::socketio::__private::NoServerEvents;
    #[allow(unreachable_patterns, clippy::all, clippy::pedantic, clippy::nursery)]
    fn declares(__event: &str) -> bool {
        match __event {
            "open_file" => true,
            "close" => true,
            #[cfg(unix)]
            "open" => true,
            #[cfg(not(unix))]
            "open" => true,
            _ => false,
        }
    }
}
#[automatically_derived]
#[allow(
    deprecated,
    unreachable_patterns,
    unused_variables,
    unused_mut,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
impl<__H: Conditional> ::socketio::__private::Serve<__H> for dyn Conditional {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "open_file" => {
                async fn __arm<__H: Conditional>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    #[cfg(feature = "audit")]
                    {
                        let __verdict = <__H as Conditional>::audit(&__handler, __event)
                            .await;
                        ::socketio::__private::probe::Verdict::verdict(__verdict)?;
                    }
                    let (__a0,) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args
                                .next::<::socketio::__private::args::CowStr<'_>>("path")?,
                        )),
                    )?;
                    <__H as Conditional>::open_file(&__handler, &*__a0).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "close" => {
                async fn __arm<__H: Conditional>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    #[cfg(feature = "audit")]
                    {
                        let __verdict = <__H as Conditional>::audit(&__handler, __event)
                            .await;
                        ::socketio::__private::probe::Verdict::verdict(__verdict)?;
                    }
                    let () = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    <__H as Conditional>::close(&__handler).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            #[cfg(unix)]
            "open" => {
                async fn __arm<__H: Conditional>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    #[cfg(feature = "audit")]
                    {
                        let __verdict = <__H as Conditional>::audit(&__handler, __event)
                            .await;
                        ::socketio::__private::probe::Verdict::verdict(__verdict)?;
                    }
                    let (__a0,) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args.next::<u32>("descriptor")?,
                        )),
                    )?;
                    <__H as Conditional>::open(&__handler, __a0).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            #[cfg(not(unix))]
            "open" => {
                async fn __arm<__H: Conditional>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    #[cfg(feature = "audit")]
                    {
                        let __verdict = <__H as Conditional>::audit(&__handler, __event)
                            .await;
                        ::socketio::__private::probe::Verdict::verdict(__verdict)?;
                    }
                    let (__a0,) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args.next::<u64>("handle")?,
                        )),
                    )?;
                    <__H as Conditional>::open(&__handler, __a0).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            _ => {
                async fn __arm<__H: Conditional>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    #[cfg(feature = "audit")]
                    {
                        let __verdict = <__H as Conditional>::audit(&__handler, __event)
                            .await;
                        ::socketio::__private::probe::Verdict::verdict(__verdict)?;
                    }
                    ::core::result::Result::Ok(
                        ::socketio::__private::Outcome::Unhandled(
                            ::core::clone::Clone::clone(__event),
                        ),
                    )
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
        }
    }
}
