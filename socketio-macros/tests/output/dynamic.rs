// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the namespace trait `Board`",
    label = "needs `impl Board for {Self}`",
    note = "a connect handler for `dyn Board` must return `Result<S, _>` where `S: Board`"
)]
/// The board of one project.
pub(crate) trait Board: ::core::marker::Send + ::core::marker::Sync + 'static {
    /// Moves cards, all or none.
    fn shift(
        &self,
        by: Member,
        to: &Column,
        cards: Vec<CardId>,
    ) -> impl ::core::future::Future<
        Output = Result<Revision, BoardError>,
    > + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn cursor(
        &self,
        x: f32,
        y: f32,
        asked: AckRequested,
        pressure: Option<f32>,
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
///Typed caller of the events of [`Board`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub(crate) struct BoardEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> BoardEmitter<__T> {
    /// Moves cards, all or none.
    pub(crate) fn shift(
        &self,
        to: &Column,
        cards: Vec<CardId>,
    ) -> __T::Reply<Revision, BoardError> {
        let mut __body = ::socketio::__private::BodyWriter::event("shift");
        __body.arg(&to);
        __body.rest(&cards);
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::result::<Revision, BoardError>,
            )
    }
    ///Emits `cursor`.
    pub(crate) fn cursor(&self, x: f32, y: f32, pressure: Option<f32>) -> __T::Sent {
        let mut __body = ::socketio::__private::BodyWriter::event("cursor");
        __body.arg(&x);
        __body.arg(&y);
        __body.arg(&pressure);
        self.0.send(__body.finish())
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn Board {
    const NAME: &'static str = "Board";
    type Emitter<__T: ::socketio::__private::Target> = BoardEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(target: __T) -> BoardEmitter<__T> {
        BoardEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        __describe.contract("The board of one project.");
        let mut __events = ::std::vec::Vec::new();
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new(
                        "shift",
                        "Moves cards, all or none.",
                    )
                    .arg("to", __describe.arg::<Column>())
                    .rest("cards", __describe.arg::<CardId>())
                    .ack_result(
                        __describe.ack::<Revision>(),
                        __describe.ack::<BoardError>(),
                    ),
            );
        __events
            .push(
                ::socketio::__private::describe::EventSpec::new("cursor", "")
                    .arg("x", __describe.arg::<f32>())
                    .arg("y", __describe.arg::<f32>())
                    .optional("pressure", __describe.arg::<f32>()),
            );
        __events
    }
}
#[automatically_derived]
impl ::socketio::__private::Namespace for dyn Board {
    const PATH: &'static str = "/org/{org}/board/{board}";
    const DOCS: &'static str = "The board of one project.";
    type Emits = dyn BoardEvents;
    type Auth = ();
    type Data = ();
    type Cluster = dyn ::socketio::__private::NoServerEvents;
    #[allow(unreachable_patterns, clippy::all, clippy::pedantic, clippy::nursery)]
    fn declares(__event: &str) -> bool {
        match __event {
            "shift" => true,
            "cursor" => true,
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
impl<__H: Board> ::socketio::__private::Serve<__H> for dyn Board {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "shift" => {
                async fn __arm<__H: Board>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let (__a0, __a1, __a2) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            <Member as ::socketio::__private::FromEvent>::from_event(
                                __event,
                            )?,
                            __args.next::<Column>("to")?,
                            __args.rest::<CardId>("cards")?,
                        )),
                    )?;
                    let __reply = <__H as Board>::shift(&__handler, __a0, &__a1, __a2)
                        .await;
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
            "cursor" => {
                async fn __arm<__H: Board>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::socketio::__private::Outcome,
                    ::socketio::__private::Rejection,
                > {
                    let (__a0, __a1, __a2, __a3) = ::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args.next::<f32>("x")?,
                            __args.next::<f32>("y")?,
                            <AckRequested as ::socketio::__private::FromEvent>::from_event(
                                __event,
                            )?,
                            __args.opt::<f32>("pressure")?,
                        )),
                    )?;
                    <__H as Board>::cursor(&__handler, __a0, __a1, __a2, __a3).await;
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
            "shift" => {
                #[allow(unused_imports)]
                use ::socketio::__private::probe::{RejectTyped as _, RejectUntyped as _};
                (&::socketio::__private::probe::Reject::<BoardError>::new())
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
                <__H as Board>::left(&__handler, __reason).await
            }),
        )
    }
}
