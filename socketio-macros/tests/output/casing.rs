// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the events trait `Casing`",
    label = "needs `impl Casing for {Self}`",
    note = "pass a value whose type implements `Casing` to handle these events"
)]
pub trait Casing: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn user_joined(
        &self,
        user_id: u64,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn chat_message(
        &self,
        text: &str,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn quoted(&self) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn r#move(
        &self,
        r#type: u8,
        _unused: u8,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn v2_started(
        &self,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
///Typed caller of the events of [`Casing`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub struct CasingEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> CasingEmitter<__T> {
    ///Emits `user-joined`.
    pub fn user_joined(&self, user_id: u64) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("user-joined");
        __body.arg(&user_id);
        self.0.send(__body.finish())
    }
    ///Emits `chat message`.
    pub fn chat_message(&self, text: &str) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("chat message");
        __body.arg(&text);
        self.0.send(__body.finish())
    }
    ///Emits `ünïcode "quoted"`.
    pub fn quoted(&self) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event(
            "ünïcode \"quoted\"",
        );
        __body.volatile();
        self.0.send(__body.finish())
    }
    ///Emits `move`.
    pub fn r#move(&self, r#type: u8, _unused: u8) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("move");
        __body.arg(&r#type);
        __body.arg(&_unused);
        self.0.send(__body.finish())
    }
    ///Emits `v2-started`.
    pub fn v2_started(&self) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("v2-started");
        self.0.send(__body.finish())
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn Casing {
    const NAME: &'static str = "Casing";
    type Emitter<__T: ::socketio::__private::Target> = CasingEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(target: __T) -> CasingEmitter<__T> {
        CasingEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        __describe.contract("");
        let mut __events = ::std::vec::Vec::new();
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("user-joined", "")
                    .arg("user_id", __describe.arg::<u64>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("chat message", "")
                    .arg("text", __describe.arg::<::std::string::String>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new(
                        "ünïcode \"quoted\"",
                        "",
                    )
                    .volatile(),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("move", "")
                    .arg("type", __describe.arg::<u8>())
                    .arg("unused", __describe.arg::<u8>()),
            );
        __events.push(::socketio::__private::describe::EventSpec::new("v2-started", ""));
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
impl<__H: Casing> ::socketio::__private::Serve<__H> for dyn Casing {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "user-joined" => {
                async fn __arm<__H: Casing>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let (__a0,) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args.next::<u64>("user_id")?,
                        )),
                    )?;
                    <__H as Casing>::user_joined(&__handler, __a0).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "chat message" => {
                async fn __arm<__H: Casing>(
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
                    <__H as Casing>::chat_message(&__handler, &*__a0).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "ünïcode \"quoted\"" => {
                async fn __arm<__H: Casing>(
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
                    <__H as Casing>::quoted(&__handler).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "move" => {
                async fn __arm<__H: Casing>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let (__a0, __a1) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args.next::<u8>("type")?,
                            __args.next::<u8>("unused")?,
                        )),
                    )?;
                    <__H as Casing>::r#move(&__handler, __a0, __a1).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "v2-started" => {
                async fn __arm<__H: Casing>(
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
                    <__H as Casing>::v2_started(&__handler).await;
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
