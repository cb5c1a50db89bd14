// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the namespace trait `Parameters`",
    label = "needs `impl Parameters for {Self}`",
    note = "a connect handler for `dyn Parameters` must return `Result<S, _>` where `S: Parameters`"
)]
trait Parameters: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn strings(
        &self,
        a: &str,
        b: Cow<'_, str>,
        c: Option<&str>,
        d: String,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn lent<'a>(
        &self,
        a: &'a Point,
        b: &[Point],
        c: Option<&Point>,
        d: Option<&[Point]>,
        e: Message<'a>,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn optional(
        &self,
        a: Option<u8>,
        b: u8,
        c: Option<u8>,
        asked: AckRequested,
        d: Vec<u8>,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
///Typed caller of the events of [`Parameters`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
struct ParametersEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> ParametersEmitter<__T> {
    ///Emits `strings`.
    fn strings(
        &self,
        a: &str,
        b: Cow<'_, str>,
        c: Option<&str>,
        d: String,
    ) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("strings");
        __body.arg(&a);
        __body.arg(&b);
        __body.arg(&c);
        __body.arg(&d);
        self.0.send(__body.finish())
    }
    ///Emits `lent`.
    fn lent(
        &self,
        a: &'_ Point,
        b: &[Point],
        c: Option<&Point>,
        d: Option<&[Point]>,
        e: Message<'_>,
    ) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("lent");
        __body.arg(&a);
        __body.arg(&b);
        __body.arg(&c);
        __body.arg(&d);
        __body.arg(&e);
        self.0.send(__body.finish())
    }
    ///Emits `optional`.
    fn optional(&self, a: Option<u8>, b: u8, c: Option<u8>, d: Vec<u8>) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("optional");
        __body.arg(&a);
        __body.arg(&b);
        __body.arg(&c);
        __body.rest(&d);
        self.0.send(__body.finish())
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn Parameters {
    const NAME: &'static str = "Parameters";
    type Emitter<__T: ::socketio::__private::Target> = ParametersEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(
        target: __T,
    ) -> ParametersEmitter<__T> {
        ParametersEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        __describe.contract("");
        let mut __events = ::std::vec::Vec::new();
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("strings", "")
                    .arg("a", __describe.arg::<::std::string::String>())
                    .arg("b", __describe.arg::<::std::string::String>())
                    .arg(
                        "c",
                        __describe.arg::<::core::option::Option<::std::string::String>>(),
                    )
                    .arg("d", __describe.arg::<String>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("lent", "")
                    .arg("a", __describe.arg::<Point>())
                    .arg("b", __describe.arg::<::std::vec::Vec<Point>>())
                    .arg("c", __describe.arg::<::core::option::Option<Point>>())
                    .arg(
                        "d",
                        __describe
                            .arg::<::core::option::Option<::std::vec::Vec<Point>>>(),
                    )
                    .arg("e", __describe.arg::<Message<'static>>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("optional", "")
                    .arg("a", __describe.arg::<::core::option::Option<u8>>())
                    .arg("b", __describe.arg::<u8>())
                    .optional("c", __describe.arg::<u8>())
                    .rest("d", __describe.arg::<u8>()),
            );
        __events
    }
}
#[automatically_derived]
impl ::socketio::__private::Namespace for dyn Parameters {
    const PATH: &'static str = "/parameters";
    const DOCS: &'static str = "";
    type Emits = dyn ::socketio::__private::NoEvents;
    type Auth = ();
    type Data = ();
    type Cluster = dyn ::socketio::__private::NoServerEvents;
    #[allow(unreachable_patterns, clippy::all, clippy::pedantic, clippy::nursery)]
    fn declares(__event: &str) -> bool {
        match __event {
            "strings" => true,
            "lent" => true,
            "optional" => true,
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
impl<__H: Parameters> ::socketio::__private::Serve<__H> for dyn Parameters {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "strings" => {
                async fn __arm<__H: Parameters>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let (__a0, __a1, __a2, __a3) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args.next::<::socketio::__private::args::CowStr<'_>>("a")?,
                            __args.next::<::socketio::__private::args::CowStr<'_>>("b")?,
                            __args
                                .next::<
                                    ::core::option::Option<
                                        ::socketio::__private::args::CowStr<'_>,
                                    >,
                                >("c")?,
                            __args.next::<String>("d")?,
                        )),
                    )?;
                    <__H as Parameters>::strings(
                            &__handler,
                            &*__a0,
                            __a1.0,
                            __a2.as_deref(),
                            __a3,
                        )
                        .await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "lent" => {
                async fn __arm<__H: Parameters>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let (__a0, __a1, __a2, __a3, __a4) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args.next::<Point>("a")?,
                            __args.next::<::std::vec::Vec<Point>>("b")?,
                            __args.next::<::core::option::Option<Point>>("c")?,
                            __args
                                .next::<
                                    ::core::option::Option<::std::vec::Vec<Point>>,
                                >("d")?,
                            __args.next::<Message<'_>>("e")?,
                        )),
                    )?;
                    <__H as Parameters>::lent(
                            &__handler,
                            &__a0,
                            &__a1[..],
                            __a2.as_ref(),
                            __a3.as_deref(),
                            __a4,
                        )
                        .await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "optional" => {
                async fn __arm<__H: Parameters>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let (__a0, __a1, __a2, __a3, __a4) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args.next::<::core::option::Option<u8>>("a")?,
                            __args.next::<u8>("b")?,
                            __args.opt::<u8>("c")?,
                            <AckRequested as ::socketio::__private::FromEvent>::from_event(
                                __event,
                            )?,
                            __args.rest::<u8>("d")?,
                        )),
                    )?;
                    <__H as Parameters>::optional(
                            &__handler,
                            __a0,
                            __a1,
                            __a2,
                            __a3,
                            __a4,
                        )
                        .await;
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
