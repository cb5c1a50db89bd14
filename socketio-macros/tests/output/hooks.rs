// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the namespace trait `Org`",
    label = "needs `impl Org for {Self}`",
    note = "a connect handler for `dyn Org` must return `Result<S, _>` where `S: Org`"
)]
pub trait Org: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn allow(
        &self,
        event: &Incoming,
    ) -> impl ::core::future::Future<
        Output = Result<(), Rejection>,
    > + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    #[cfg(feature = "fallback")]
    fn unknown(
        self: Arc<Self>,
        event: &str,
        args: RawArgs<'_>,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    /// Kept for version 1.
    #[cfg(feature = "legacy")]
    #[deprecated(note = "use `rename`")]
    #[allow(unused_variables, clippy::manual_async_fn)]
    fn set_name(
        &self,
        name: &str,
    ) -> impl ::core::future::Future<
        Output = Result<Ack2, String>,
    > + ::core::marker::Send
    where
        Self: ::core::marker::Sized,
    {
        async move {
            self.helper();
            Err(name.to_owned())
        }
    }
    fn spawn(
        self: Arc<Self>,
    ) -> impl ::core::future::Future<Output = Ack> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
    fn helper(&self)
    where
        Self: ::core::marker::Sized,
    {}
}
///Typed caller of the events of [`Org`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub struct OrgEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: crate::runtime::__private::Target> OrgEmitter<__T> {
    #[cfg(feature = "legacy")]
    /// Kept for version 1.
    #[deprecated(note = "use `rename`")]
    pub fn set_name(&self, name: &str) -> __T::Reply<Ack2, String> {
        let mut __body = crate::runtime::__private::BodyWriter::event("set_name");
        __body.arg(&name);
        self.0
            .ask(
                __body.finish(),
                crate::runtime::__private::decode::result::<Ack2, String>,
            )
    }
    ///Emits `spawn`.
    pub fn spawn(&self) -> __T::Reply<Ack, ::core::convert::Infallible> {
        let mut __body = crate::runtime::__private::BodyWriter::event("spawn");
        self.0
            .ask(
                __body.finish(),
                crate::runtime::__private::decode::empty::<::core::convert::Infallible>,
            )
    }
}
#[automatically_derived]
impl crate::runtime::__private::Events for dyn Org {
    const NAME: &'static str = "Org";
    type Emitter<__T: crate::runtime::__private::Target> = OrgEmitter<__T>;
    fn emitter<__T: crate::runtime::__private::Target>(target: __T) -> OrgEmitter<__T> {
        OrgEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut crate::runtime::__private::describe::Describe,
    ) -> ::std::vec::Vec<crate::runtime::__private::describe::EventSpec> {
        __describe.contract("");
        let mut __events = ::std::vec::Vec::new();
        #[cfg(feature = "legacy")]
        __events
            .push(
                crate::runtime::__private::describe::EventSpec::new(
                        "set_name",
                        "Kept for version 1.",
                    )
                    .deprecated("use `rename`")
                    .arg("name", __describe.arg::<::std::string::String>())
                    .ack_result(__describe.ack::<Ack2>(), __describe.ack::<String>()),
            );
        __events
            .push(
                crate::runtime::__private::describe::EventSpec::new("spawn", "")
                    .ack_empty(),
            );
        __events
    }
}
#[automatically_derived]
impl crate::runtime::__private::Namespace for dyn Org {
    const PATH: &'static str = "/org/{id}";
    const DOCS: &'static str = "";
    type Emits = dyn crate::runtime::__private::NoEvents;
    type Auth = ();
    type Data = ();
    type Cluster = dyn crate::runtime::__private::NoServerEvents;
    #[allow(unreachable_patterns, clippy::all, clippy::pedantic, clippy::nursery)]
    fn declares(__event: &str) -> bool {
        match __event {
            #[cfg(feature = "legacy")]
            "set_name" => true,
            "spawn" => true,
            #[cfg(feature = "fallback")]
            _ => true,
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
impl<__H: Org> crate::runtime::__private::Serve<__H> for dyn Org {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: crate::runtime::__private::Incoming,
    ) -> crate::runtime::__private::BoxFuture<
        'static,
        crate::runtime::__private::Outcome,
    > {
        match __event.name() {
            #[cfg(feature = "legacy")]
            "set_name" => {
                async fn __arm<__H: Org>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &crate::runtime::__private::Incoming,
                ) -> ::core::result::Result<
                    crate::runtime::__private::Outcome,
                    crate::runtime::__private::Rejection,
                > {
                    {
                        let __verdict = <__H as Org>::allow(&__handler, __event).await;
                        crate::runtime::__private::probe::Verdict::verdict(__verdict)?;
                    }
                    let (__a0,) = crate::runtime::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args
                                .next::<
                                    crate::runtime::__private::args::CowStr<'_>,
                                >("name")?,
                        )),
                    )?;
                    let __reply = <__H as Org>::set_name(&__handler, &*__a0).await;
                    ::core::result::Result::Ok(
                        match crate::runtime::__private::probe::IsResult::as_result(
                            &__reply,
                        ) {
                            ::core::result::Result::Ok(__value) => {
                                crate::runtime::__private::ack::ok(__event, __value)
                            }
                            ::core::result::Result::Err(__value) => {
                                crate::runtime::__private::ack::err(__event, __value)
                            }
                        },
                    )
                }
                crate::runtime::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "spawn" => {
                async fn __arm<__H: Org>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &crate::runtime::__private::Incoming,
                ) -> ::core::result::Result<
                    crate::runtime::__private::Outcome,
                    crate::runtime::__private::Rejection,
                > {
                    {
                        let __verdict = <__H as Org>::allow(&__handler, __event).await;
                        crate::runtime::__private::probe::Verdict::verdict(__verdict)?;
                    }
                    let () = crate::runtime::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    <__H as Org>::spawn(::std::sync::Arc::clone(&__handler)).await;
                    ::core::result::Result::Ok(crate::runtime::__private::ack::none())
                }
                crate::runtime::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            #[cfg(feature = "fallback")]
            _ => {
                async fn __arm<__H: Org>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &crate::runtime::__private::Incoming,
                ) -> ::core::result::Result<
                    crate::runtime::__private::Outcome,
                    crate::runtime::__private::Rejection,
                > {
                    {
                        let __verdict = <__H as Org>::allow(&__handler, __event).await;
                        crate::runtime::__private::probe::Verdict::verdict(__verdict)?;
                    }
                    let () = crate::runtime::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    <__H as Org>::unknown(
                            ::std::sync::Arc::clone(&__handler),
                            __event.name(),
                            __event.raw_args(),
                        )
                        .await;
                    ::core::result::Result::Ok(crate::runtime::__private::ack::none())
                }
                crate::runtime::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            _ => {
                async fn __arm<__H: Org>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &crate::runtime::__private::Incoming,
                ) -> ::core::result::Result<
                    crate::runtime::__private::Outcome,
                    crate::runtime::__private::Rejection,
                > {
                    {
                        let __verdict = <__H as Org>::allow(&__handler, __event).await;
                        crate::runtime::__private::probe::Verdict::verdict(__verdict)?;
                    }
                    ::core::result::Result::Ok(
                        crate::runtime::__private::Outcome::Unhandled(
                            ::core::clone::Clone::clone(__event),
                        ),
                    )
                }
                crate::runtime::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
        }
    }
    fn reject(
        __handler: &::std::sync::Arc<__H>,
        __event: &crate::runtime::__private::Incoming,
        __rejection: crate::runtime::__private::Rejection,
    ) -> crate::runtime::__private::Outcome {
        match __event.name() {
            #[cfg(feature = "legacy")]
            "set_name" => {
                #[allow(unused_imports)]
                use crate::runtime::__private::probe::{
                    RejectTyped as _, RejectUntyped as _,
                };
                (&crate::runtime::__private::probe::Reject::<String>::new())
                    .reject(__event, __rejection)
            }
            _ => crate::runtime::__private::probe::reject(__event, __rejection),
        }
    }
}
