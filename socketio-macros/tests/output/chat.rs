// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the namespace trait `Chat`",
    label = "needs `impl Chat for {Self}`",
    note = "a connect handler for `dyn Chat` must return `Result<S, _>` where `S: Chat`"
)]
/// Chat rooms.
pub trait Chat: ::core::marker::Send + ::core::marker::Sync + 'static {
    /// Join a room; answers with the number of people in it.
    fn join(
        &self,
        room: &str,
    ) -> impl ::core::future::Future<
        Output = Result<u32, ChatError>,
    > + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    /// Post a message to a room you joined.
    fn say(
        &self,
        room: &str,
        text: &str,
    ) -> impl ::core::future::Future<Output = Result<()>> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn typing(
        &self,
        room: &str,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn left(
        &self,
        reason: DisconnectReason,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
///Typed caller of the events of [`Chat`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub struct ChatEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> ChatEmitter<__T> {
    /// Join a room; answers with the number of people in it.
    pub fn join(&self, room: &str) -> __T::Reply<u32, ChatError> {
        let mut __body = ::socketio::__private::BodyWriter::event("join");
        __body.arg(&room);
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::result::<u32, ChatError>,
            )
    }
    /// Post a message to a room you joined.
    pub fn say(
        &self,
        room: &str,
        text: &str,
    ) -> __T::Reply<
        <Result<()> as ::socketio::__private::probe::IsResult>::Ok,
        <Result<()> as ::socketio::__private::probe::IsResult>::Err,
    > {
        let mut __body = ::socketio::__private::BodyWriter::event("chat message");
        __body.arg(&room);
        __body.arg(&text);
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::result::<
                    <Result<()> as ::socketio::__private::probe::IsResult>::Ok,
                    <Result<()> as ::socketio::__private::probe::IsResult>::Err,
                >,
            )
    }
    ///Emits `typing`.
    pub fn typing(&self, room: &str) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("typing");
        __body.arg(&room);
        self.0.send(__body.finish())
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn Chat {
    const NAME: &'static str = "Chat";
    type Emitter<__T: ::socketio::__private::Target> = ChatEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(target: __T) -> ChatEmitter<__T> {
        ChatEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        __describe.contract("Chat rooms.");
        let mut __events = ::std::vec::Vec::new();
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new(
                        "join",
                        "Join a room; answers with the number of people in it.",
                    )
                    .arg("room", __describe.arg::<::std::string::String>())
                    .ack_result(__describe.ack::<u32>(), __describe.ack::<ChatError>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new(
                        "chat message",
                        "Post a message to a room you joined.",
                    )
                    .arg("room", __describe.arg::<::std::string::String>())
                    .arg("text", __describe.arg::<::std::string::String>())
                    .ack_result(
                        __describe
                            .ack::<
                                <Result<()> as ::socketio::__private::probe::IsResult>::Ok,
                            >(),
                        __describe
                            .ack::<
                                <Result<()> as ::socketio::__private::probe::IsResult>::Err,
                            >(),
                    ),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("typing", "")
                    .arg("room", __describe.arg::<::std::string::String>()),
            );
        __events
    }
}
#[automatically_derived]
impl ::socketio::__private::Namespace for dyn Chat {
    const PATH: &'static str = "/chat";
    const DOCS: &'static str = "Chat rooms.";
    type Emits = dyn ChatEvents;
    type Auth = Login;
    type Data = ();
    type Cluster = dyn ::socketio::__private::NoServerEvents;
    fn describe_auth(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::core::option::Option<::socketio::__private::describe::Schema> {
        ::core::option::Option::Some(__describe.auth::<Login>())
    }
    #[allow(unreachable_patterns, clippy::all, clippy::pedantic, clippy::nursery)]
    fn declares(__event: &str) -> bool {
        match __event {
            "join" => true,
            "chat message" => true,
            "typing" => true,
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
impl<__H: Chat> ::socketio::__private::Serve<__H> for dyn Chat {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "join" => {
                async fn __arm<__H: Chat>(
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
                                .next::<::socketio::__private::args::CowStr<'_>>("room")?,
                        )),
                    )?;
                    let __reply = <__H as Chat>::join(&__handler, &*__a0).await;
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
            "chat message" => {
                async fn __arm<__H: Chat>(
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
                                .next::<::socketio::__private::args::CowStr<'_>>("room")?,
                            __args
                                .next::<::socketio::__private::args::CowStr<'_>>("text")?,
                        )),
                    )?;
                    let __reply = <__H as Chat>::say(&__handler, &*__a0, &*__a1).await;
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
            "typing" => {
                async fn __arm<__H: Chat>(
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
                                .next::<::socketio::__private::args::CowStr<'_>>("room")?,
                        )),
                    )?;
                    <__H as Chat>::typing(&__handler, &*__a0).await;
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
    fn reject(
        __handler: &::std::sync::Arc<__H>,
        __event: &::socketio::__private::Incoming,
        __rejection: ::socketio::__private::Rejection,
    ) -> ::socketio::__private::Outcome {
        match __event.name() {
            "join" => {
                #[allow(unused_imports)]
                use ::socketio::__private::probe::{RejectTyped as _, RejectUntyped as _};
                (&::socketio::__private::probe::Reject::<ChatError>::new())
                    .reject(__event, __rejection)
            }
            "chat message" => {
                #[allow(unused_imports)]
                use ::socketio::__private::probe::{RejectTyped as _, RejectUntyped as _};
                (&::socketio::__private::probe::Reject::<
                    <Result<()> as ::socketio::__private::probe::IsResult>::Err,
                >::new())
                    .reject(__event, __rejection)
            }
            _ => ::socketio::__private::probe::reject(__event, __rejection),
        }
    }
    fn on_disconnect(
        __handler: &::std::sync::Arc<__H>,
        __reason: ::socketio::__private::DisconnectReason,
    ) -> ::core::option::Option<::socketio::__private::BoxFuture<'static, ()>> {
        let __handler = ::std::sync::Arc::clone(__handler);
        ::core::option::Option::Some(
            ::std::boxed::Box::pin(async move {
                <__H as Chat>::left(&__handler, __reason).await
            }),
        )
    }
}
