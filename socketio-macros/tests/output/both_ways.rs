// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the namespace trait `Upwards`",
    label = "needs `impl Upwards for {Self}`",
    note = "a connect handler for `dyn Upwards` must return `Result<S, _>` where `S: Upwards`"
)]
pub trait Upwards: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn message(
        &self,
        text: &str,
    ) -> impl ::core::future::Future<Output = Ack> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
///Typed caller of the events of [`Upwards`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub struct UpwardsEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> UpwardsEmitter<__T> {
    ///Emits `message`.
    pub fn message(&self, text: &str) -> __T::Reply<Ack, ::core::convert::Infallible> {
        let mut __body = ::socketio::__private::BodyWriter::event("message");
        __body.arg(&text);
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::empty::<::core::convert::Infallible>,
            )
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn Upwards {
    const NAME: &'static str = "Upwards";
    type Emitter<__T: ::socketio::__private::Target> = UpwardsEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(target: __T) -> UpwardsEmitter<__T> {
        UpwardsEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        __describe.contract("");
        let mut __events = ::std::vec::Vec::new();
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("message", "")
                    .arg("text", __describe.arg::<::std::string::String>())
                    .ack_empty(),
            );
        __events
    }
}
#[automatically_derived]
impl ::socketio::__private::Namespace for dyn Upwards {
    const PATH: &'static str = "/";
    const DOCS: &'static str = "";
    type Emits = dyn Downwards;
    type Auth = ();
    type Data = ();
    type Cluster = dyn ::socketio::__private::NoServerEvents;
    #[allow(unreachable_patterns, clippy::all, clippy::pedantic, clippy::nursery)]
    fn declares(__event: &str) -> bool {
        match __event {
            "message" => true,
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
impl<__H: Upwards> ::socketio::__private::Serve<__H> for dyn Upwards {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "message" => {
                async fn __arm<__H: Upwards>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let (__a0,) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args
                                .next::<::socketio::__private::args::CowStr<'_>>("text")?,
                        )),
                    )?;
                    <__H as Upwards>::message(&__handler, &*__a0).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            _ => {
                ::std::boxed::Box::pin(
                    ::core::future::ready(
                        ::socketio::__private::Outcome::Unhandled(__event),
                    ),
                )
            }
        }
    }
}
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the events trait `Downwards`",
    label = "needs `impl Downwards for {Self}`",
    note = "pass a value whose type implements `Downwards` to handle these events"
)]
pub trait Downwards: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn message(
        &self,
        from: &str,
        text: &str,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
///Typed caller of the events of [`Downwards`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub struct DownwardsEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> DownwardsEmitter<__T> {
    ///Emits `message`.
    pub fn message(&self, from: &str, text: &str) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("message");
        __body.arg(&from);
        __body.arg(&text);
        self.0.send(__body.finish())
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn Downwards {
    const NAME: &'static str = "Downwards";
    type Emitter<__T: ::socketio::__private::Target> = DownwardsEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(
        target: __T,
    ) -> DownwardsEmitter<__T> {
        DownwardsEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        __describe.contract("");
        let mut __events = ::std::vec::Vec::new();
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("message", "")
                    .arg("from", __describe.arg::<::std::string::String>())
                    .arg("text", __describe.arg::<::std::string::String>()),
            );
        __events
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
impl<__H: Downwards> ::socketio::__private::Serve<__H> for dyn Downwards {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "message" => {
                async fn __arm<__H: Downwards>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let (__a0, __a1) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args
                                .next::<::socketio::__private::args::CowStr<'_>>("from")?,
                            __args
                                .next::<::socketio::__private::args::CowStr<'_>>("text")?,
                        )),
                    )?;
                    <__H as Downwards>::message(&__handler, &*__a0, &*__a1).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            _ => {
                ::std::boxed::Box::pin(
                    ::core::future::ready(
                        ::socketio::__private::Outcome::Unhandled(__event),
                    ),
                )
            }
        }
    }
}
