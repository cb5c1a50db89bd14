// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the events trait `ChatEvents`",
    label = "needs `impl ChatEvents for {Self}`",
    note = "pass a value whose type implements `ChatEvents` to handle these events"
)]
pub(crate) trait ChatEvents: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn new_message(
        &self,
        room: &str,
        message: &Message,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn user_typing(
        &self,
        user: &str,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn are_you_there(
        &self,
    ) -> impl ::core::future::Future<Output = bool> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn flush(
        &self,
    ) -> impl ::core::future::Future<Output = socketio::Ack> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
///Typed caller of the events of [`ChatEvents`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub(crate) struct ChatEventsEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> ChatEventsEmitter<__T> {
    ///Emits `newMessage`.
    pub(crate) fn new_message(&self, room: &str, message: &Message) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("newMessage");
        __body.arg(&room);
        __body.arg(&message);
        self.0.send(__body.finish())
    }
    ///Emits `userTyping`.
    pub(crate) fn user_typing(&self, user: &str) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("userTyping");
        __body.arg(&user);
        __body.volatile();
        self.0.send(__body.finish())
    }
    ///Emits `areYouThere`.
    pub(crate) fn are_you_there(&self) -> __T::Reply<bool, ::core::convert::Infallible> {
        let mut __body = ::socketio::__private::BodyWriter::event("areYouThere");
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::value::<bool, ::core::convert::Infallible>,
            )
    }
    ///Emits `flush`.
    pub(crate) fn flush(
        &self,
    ) -> __T::Reply<socketio::Ack, ::core::convert::Infallible> {
        let mut __body = ::socketio::__private::BodyWriter::event("flush");
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::empty::<::core::convert::Infallible>,
            )
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn ChatEvents {
    const NAME: &'static str = "ChatEvents";
    type Emitter<__T: ::socketio::__private::Target> = ChatEventsEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(
        target: __T,
    ) -> ChatEventsEmitter<__T> {
        ChatEventsEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        __describe.contract("");
        let mut __events = ::std::vec::Vec::new();
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("newMessage", "")
                    .arg("room", __describe.arg::<::std::string::String>())
                    .arg("message", __describe.arg::<Message>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("userTyping", "")
                    .volatile()
                    .arg("user", __describe.arg::<::std::string::String>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("areYouThere", "")
                    .ack_value(__describe.ack::<bool>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("flush", "").ack_empty(),
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
impl<__H: ChatEvents> ::socketio::__private::Serve<__H> for dyn ChatEvents {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "newMessage" => {
                async fn __arm<__H: ChatEvents>(
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
                            __args.next::<Message>("message")?,
                        )),
                    )?;
                    <__H as ChatEvents>::new_message(&__handler, &*__a0, &__a1).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "userTyping" => {
                async fn __arm<__H: ChatEvents>(
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
                                .next::<::socketio::__private::args::CowStr<'_>>("user")?,
                        )),
                    )?;
                    <__H as ChatEvents>::user_typing(&__handler, &*__a0).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "areYouThere" => {
                async fn __arm<__H: ChatEvents>(
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
                    let __reply = <__H as ChatEvents>::are_you_there(&__handler).await;
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
            "flush" => {
                async fn __arm<__H: ChatEvents>(
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
                    <__H as ChatEvents>::flush(&__handler).await;
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
const _: () = {
    #[allow(unused_imports)]
    use ::socketio::__private::probe::NoResult as _;
    ::core::assert!(
        ! < ::socketio::__private::probe::Probe < bool >> ::IS_RESULT,
        "event `areYouThere` returns a `Result` behind an alias: name the alias `Result` (or write `Result<..>`) so that it becomes a typed `ok`/`error` acknowledgement"
    )
};
