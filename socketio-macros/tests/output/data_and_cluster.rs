// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the namespace trait `Game`",
    label = "needs `impl Game for {Self}`",
    note = "a connect handler for `dyn Game` must return `Result<S, _>` where `S: Game`"
)]
pub trait Game: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn play(
        &self,
        card: u8,
    ) -> impl ::core::future::Future<
        Output = Result<Vec<u8>, GameError>,
    > + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
///Typed caller of the events of [`Game`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub struct GameEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> GameEmitter<__T> {
    ///Emits `play`.
    pub fn play(&self, card: u8) -> __T::Reply<Vec<u8>, GameError> {
        let mut __body = ::socketio::__private::BodyWriter::event("play");
        __body.arg(&card);
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::result::<Vec<u8>, GameError>,
            )
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn Game {
    const NAME: &'static str = "Game";
    type Emitter<__T: ::socketio::__private::Target> = GameEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(target: __T) -> GameEmitter<__T> {
        GameEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        __describe.contract("");
        let mut __events = ::std::vec::Vec::new();
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("play", "")
                    .arg("card", __describe.arg::<u8>())
                    .ack_result(
                        __describe.ack::<Vec<u8>>(),
                        __describe.ack::<GameError>(),
                    ),
            );
        __events
    }
}
#[automatically_derived]
impl ::socketio::__private::Namespace for dyn Game {
    const PATH: &'static str = "/game";
    const DOCS: &'static str = "";
    type Emits = dyn api::GameEvents;
    type Auth = Option<api::Ticket>;
    type Data = api::Profile;
    type Cluster = dyn GameServers;
    fn describe_auth(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::core::option::Option<::socketio::__private::describe::Schema> {
        ::core::option::Option::Some(__describe.auth::<Option<api::Ticket>>())
    }
    #[allow(unreachable_patterns, clippy::all, clippy::pedantic, clippy::nursery)]
    fn declares(__event: &str) -> bool {
        match __event {
            "play" => true,
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
impl<__H: Game> ::socketio::__private::Serve<__H> for dyn Game {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "play" => {
                async fn __arm<__H: Game>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let (__a0,) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args.next::<u8>("card")?,
                        )),
                    )?;
                    let __reply = <__H as Game>::play(&__handler, __a0).await;
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
            "play" => {
                #[allow(unused_imports)]
                use ::socketio::__private::probe::{RejectTyped as _, RejectUntyped as _};
                (&::socketio::__private::probe::Reject::<GameError>::new())
                    .reject(__event, __rejection)
            }
            _ => ::socketio::__private::probe::reject(__event, __rejection),
        }
    }
}
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the events trait `GameServers`",
    label = "needs `impl GameServers for {Self}`",
    note = "pass a value whose type implements `GameServers` to handle these events"
)]
/// Between servers.
pub trait GameServers: ::core::marker::Send + ::core::marker::Sync + 'static {
    /// A table has moved to another server.
    fn moved(
        &self,
        table: &str,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    /// How many play there?
    fn players(
        &self,
        table: &str,
    ) -> impl ::core::future::Future<Output = u32> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
///Typed caller of the events of [`GameServers`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub struct GameServersEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> GameServersEmitter<__T> {
    /// A table has moved to another server.
    pub fn moved(&self, table: &str) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("moved");
        __body.arg(&table);
        self.0.send(__body.finish())
    }
    /// How many play there?
    pub fn players(&self, table: &str) -> __T::Reply<u32, ::core::convert::Infallible> {
        let mut __body = ::socketio::__private::BodyWriter::event("players");
        __body.arg(&table);
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::value::<u32, ::core::convert::Infallible>,
            )
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn GameServers {
    const NAME: &'static str = "GameServers";
    type Emitter<__T: ::socketio::__private::Target> = GameServersEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(
        target: __T,
    ) -> GameServersEmitter<__T> {
        GameServersEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        __describe.contract("Between servers.");
        let mut __events = ::std::vec::Vec::new();
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new(
                        "moved",
                        "A table has moved to another server.",
                    )
                    .arg("table", __describe.arg::<::std::string::String>()),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new(
                        "players",
                        "How many play there?",
                    )
                    .arg("table", __describe.arg::<::std::string::String>())
                    .ack_value(__describe.ack::<u32>()),
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
impl<__H: GameServers> ::socketio::__private::Serve<__H> for dyn GameServers {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "moved" => {
                async fn __arm<__H: GameServers>(
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
                                .next::<::socketio::__private::args::CowStr<'_>>("table")?,
                        )),
                    )?;
                    <__H as GameServers>::moved(&__handler, &*__a0).await;
                    ::core::result::Result::Ok(::socketio::__private::ack::none())
                }
                ::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "players" => {
                async fn __arm<__H: GameServers>(
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
                                .next::<::socketio::__private::args::CowStr<'_>>("table")?,
                        )),
                    )?;
                    let __reply = <__H as GameServers>::players(&__handler, &*__a0)
                        .await;
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
        ! < ::socketio::__private::probe::Probe < u32 >> ::IS_RESULT,
        "event `players` returns a `Result` behind an alias: name the alias `Result` (or write `Result<..>`) so that it becomes a typed `ok`/`error` acknowledgement"
    )
};
