// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the namespace trait `Answers`",
    label = "needs `impl Answers for {Self}`",
    note = "a connect handler for `dyn Answers` must return `Result<S, _>` where `S: Answers`"
)]
trait Answers: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn none(&self) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn empty(&self) -> impl ::core::future::Future<Output = Ack> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn value(
        &self,
    ) -> impl ::core::future::Future<Output = Vec<Point>> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn tuple(
        &self,
    ) -> impl ::core::future::Future<
        Output = (u8, Option<String>),
    > + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn constant(
        &self,
    ) -> impl ::core::future::Future<Output = Cow<'static, str>> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn result(
        &self,
    ) -> impl ::core::future::Future<
        Output = Result<Point, Wrong>,
    > + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn unit_result(
        &self,
    ) -> impl ::core::future::Future<Output = Result<(), String>> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn alias(
        &self,
    ) -> impl ::core::future::Future<Output = io::Result<Point>> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
///Typed caller of the events of [`Answers`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
struct AnswersEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> AnswersEmitter<__T> {
    ///Emits `none`.
    fn none(&self) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("none");
        self.0.send(__body.finish())
    }
    ///Emits `empty`.
    fn empty(&self) -> __T::Reply<Ack, ::core::convert::Infallible> {
        let mut __body = ::socketio::__private::BodyWriter::event("empty");
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::empty::<::core::convert::Infallible>,
            )
    }
    ///Emits `value`.
    fn value(&self) -> __T::Reply<Vec<Point>, ::core::convert::Infallible> {
        let mut __body = ::socketio::__private::BodyWriter::event("value");
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::value::<
                    Vec<Point>,
                    ::core::convert::Infallible,
                >,
            )
    }
    ///Emits `tuple`.
    fn tuple(&self) -> __T::Reply<(u8, Option<String>), ::core::convert::Infallible> {
        let mut __body = ::socketio::__private::BodyWriter::event("tuple");
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::value::<
                    (u8, Option<String>),
                    ::core::convert::Infallible,
                >,
            )
    }
    ///Emits `constant`.
    fn constant(&self) -> __T::Reply<Cow<'static, str>, ::core::convert::Infallible> {
        let mut __body = ::socketio::__private::BodyWriter::event("constant");
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::value::<
                    Cow<'static, str>,
                    ::core::convert::Infallible,
                >,
            )
    }
    ///Emits `result`.
    fn result(&self) -> __T::Reply<Point, Wrong> {
        let mut __body = ::socketio::__private::BodyWriter::event("result");
        self.0
            .ask(__body.finish(), ::socketio::__private::decode::result::<Point, Wrong>)
    }
    ///Emits `unit_result`.
    fn unit_result(&self) -> __T::Reply<(), String> {
        let mut __body = ::socketio::__private::BodyWriter::event("unit_result");
        self.0.ask(__body.finish(), ::socketio::__private::decode::result::<(), String>)
    }
    ///Emits `alias`.
    fn alias(
        &self,
    ) -> __T::Reply<
        <io::Result<Point> as ::socketio::__private::probe::IsResult>::Ok,
        <io::Result<Point> as ::socketio::__private::probe::IsResult>::Err,
    > {
        let mut __body = ::socketio::__private::BodyWriter::event("alias");
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::result::<
                    <io::Result<Point> as ::socketio::__private::probe::IsResult>::Ok,
                    <io::Result<Point> as ::socketio::__private::probe::IsResult>::Err,
                >,
            )
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn Answers {
    const NAME: &'static str = "Answers";
    type Emitter<__T: ::socketio::__private::Target> = AnswersEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(target: __T) -> AnswersEmitter<__T> {
        AnswersEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        __describe.contract("");
        let mut __events = ::std::vec::Vec::new();
        __events.push(::socketio::__private::describe::EventSpec::new("none", ""));
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("empty", "").ack_empty(),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("value", "")
                    .ack_value(__describe.ack::<Vec<Point>>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("tuple", "")
                    .ack_value(__describe.ack::<(u8, Option<String>)>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("constant", "")
                    .ack_value(__describe.ack::<Cow<'static, str>>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("result", "")
                    .ack_result(__describe.ack::<Point>(), __describe.ack::<Wrong>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("unit_result", "")
                    .ack_result(__describe.ack::<()>(), __describe.ack::<String>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("alias", "")
                    .ack_result(
                        __describe
                            .ack::<
                                <io::Result<
                                    Point,
                                > as ::socketio::__private::probe::IsResult>::Ok,
                            >(),
                        __describe
                            .ack::<
                                <io::Result<
                                    Point,
                                > as ::socketio::__private::probe::IsResult>::Err,
                            >(),
                    ),
            );
        __events
    }
}
#[automatically_derived]
impl ::socketio::__private::Namespace for dyn Answers {
    const PATH: &'static str = "/answers";
    const DOCS: &'static str = "";
    type Emits = dyn ::socketio::__private::NoEvents;
    type Auth = ();
    type Data = ();
    type Cluster = dyn ::socketio::__private::NoServerEvents;
    #[allow(unreachable_patterns, clippy::all, clippy::pedantic, clippy::nursery)]
    fn declares(__event: &str) -> bool {
        match __event {
            "none" => true,
            "empty" => true,
            "value" => true,
            "tuple" => true,
            "constant" => true,
            "result" => true,
            "unit_result" => true,
            "alias" => true,
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
impl<__H: Answers> ::socketio::__private::Serve<__H> for dyn Answers {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "none" => {
                async fn __arm<__H: Answers>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let () = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    <__H as Answers>::none(&__handler).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "empty" => {
                async fn __arm<__H: Answers>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let () = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    <__H as Answers>::empty(&__handler).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "value" => {
                async fn __arm<__H: Answers>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let () = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    let __reply = <__H as Answers>::value(&__handler).await;
                    ::core::result::Result::Ok(
                        ::socketio::__private::ack::value(__event, &__reply),
                    )
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "tuple" => {
                async fn __arm<__H: Answers>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let () = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    let __reply = <__H as Answers>::tuple(&__handler).await;
                    ::core::result::Result::Ok(
                        ::socketio::__private::ack::value(__event, &__reply),
                    )
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "constant" => {
                async fn __arm<__H: Answers>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let () = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    let __reply = <__H as Answers>::constant(&__handler).await;
                    ::core::result::Result::Ok(
                        ::socketio::__private::ack::value(__event, &__reply),
                    )
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "result" => {
                async fn __arm<__H: Answers>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let () = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    let __reply = <__H as Answers>::result(&__handler).await;
                    ::core::result::Result::Ok(
                        match ::socketio::__private::probe::IsResult::as_result(
                            &__reply,
                        ) {
                            ::core::result::Result::Ok(__value) => {
                                ::socketio::__private::ack::ok(__event, __value)
                            }
                            ::core::result::Result::Err(__value) => {
                                ::socketio::__private::ack::err(__event, __value)
                            }
                        },
                    )
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "unit_result" => {
                async fn __arm<__H: Answers>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let () = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    let __reply = <__H as Answers>::unit_result(&__handler).await;
                    ::core::result::Result::Ok(
                        match ::socketio::__private::probe::IsResult::as_result(
                            &__reply,
                        ) {
                            ::core::result::Result::Ok(__value) => {
                                ::socketio::__private::ack::ok(__event, __value)
                            }
                            ::core::result::Result::Err(__value) => {
                                ::socketio::__private::ack::err(__event, __value)
                            }
                        },
                    )
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "alias" => {
                async fn __arm<__H: Answers>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let () = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    let __reply = <__H as Answers>::alias(&__handler).await;
                    ::core::result::Result::Ok(
                        match ::socketio::__private::probe::IsResult::as_result(
                            &__reply,
                        ) {
                            ::core::result::Result::Ok(__value) => {
                                ::socketio::__private::ack::ok(__event, __value)
                            }
                            ::core::result::Result::Err(__value) => {
                                ::socketio::__private::ack::err(__event, __value)
                            }
                        },
                    )
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
    fn reject(
        __handler: &::std::sync::Arc<__H>,
        __event: &::socketio::__private::Incoming,
        __rejection: ::socketio::__private::Rejection,
    ) -> ::socketio::__private::Outcome {
        match __event.name() {
            "result" => {
                #[allow(unused_imports)]
                use ::socketio::__private::probe::{RejectTyped as _, RejectUntyped as _};
                (&::socketio::__private::probe::Reject::<Wrong>::new())
                    .reject(__event, __rejection)
            }
            "unit_result" => {
                #[allow(unused_imports)]
                use ::socketio::__private::probe::{RejectTyped as _, RejectUntyped as _};
                (&::socketio::__private::probe::Reject::<String>::new())
                    .reject(__event, __rejection)
            }
            "alias" => {
                #[allow(unused_imports)]
                use ::socketio::__private::probe::{RejectTyped as _, RejectUntyped as _};
                (&::socketio::__private::probe::Reject::<
                    <io::Result<Point> as ::socketio::__private::probe::IsResult>::Err,
                >::new())
                    .reject(__event, __rejection)
            }
            _ => ::socketio::__private::probe::reject(__event, __rejection),
        }
    }
}
const _: () = {
    #[allow(unused_imports)]
    use ::socketio::__private::probe::NoResult as _;
    ::core::assert!(
        ! < ::socketio::__private::probe::Probe < Vec < Point > >> ::IS_RESULT,
        "event `value` returns a `Result` behind an alias: name the alias `Result` (or write `Result<..>`) so that it becomes a typed `ok`/`error` acknowledgement"
    )
};
const _: () = {
    #[allow(unused_imports)]
    use ::socketio::__private::probe::NoResult as _;
    ::core::assert!(
        ! < ::socketio::__private::probe::Probe < (u8, Option < String >) >> ::IS_RESULT,
        "event `tuple` returns a `Result` behind an alias: name the alias `Result` (or write `Result<..>`) so that it becomes a typed `ok`/`error` acknowledgement"
    )
};
const _: () = {
    #[allow(unused_imports)]
    use ::socketio::__private::probe::NoResult as _;
    ::core::assert!(
        ! < ::socketio::__private::probe::Probe < Cow < 'static, str > >> ::IS_RESULT,
        "event `constant` returns a `Result` behind an alias: name the alias `Result` (or write `Result<..>`) so that it becomes a typed `ok`/`error` acknowledgement"
    )
};
