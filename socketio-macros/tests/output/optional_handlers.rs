// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the events trait `Optional`",
    label = "needs `impl Optional for {Self}`",
    note = "pass a value whose type implements `Optional` to handle these events"
)]
pub trait Optional: ::core::marker::Send + ::core::marker::Sync + 'static {
    #[allow(unused_variables, clippy::manual_async_fn)]
    fn progress(
        &self,
        mut percent: u8,
        label: Option<&str>,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized,
    {
        async move {
            percent = percent.min(100);
            self.show(percent, label.unwrap_or_default());
        }
    }
    #[allow(unused_variables, clippy::manual_async_fn)]
    fn export(
        self: Arc<Self>,
        name: String,
    ) -> impl ::core::future::Future<
        Output = Result<u64, ExportError>,
    > + ::core::marker::Send
    where
        Self: ::core::marker::Sized,
    {
        async move { spawn(async move { self.write(&name).await }).await }
    }
    #[allow(unused_variables, clippy::manual_async_fn)]
    fn unknown(
        &self,
        event: &str,
        args: RawArgs<'_>,
    ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send
    where
        Self: ::core::marker::Sized,
    {
        async move {
            self.show(args.len() as u8, event);
        }
    }
    fn show(&self, percent: u8, label: &str)
    where
        Self: ::core::marker::Sized,
    {}
    #[allow(unused_variables, clippy::manual_async_fn)]
    fn write(
        &self,
        name: &str,
    ) -> impl ::core::future::Future<
        Output = Result<u64, ExportError>,
    > + ::core::marker::Send
    where
        Self: ::core::marker::Sized,
    {
        async move { Err(ExportError::NoRoom) }
    }
}
///Typed caller of the events of [`Optional`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub struct OptionalEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::renamed::socketio::__private::Target> OptionalEmitter<__T> {
    ///Emits `progress`.
    pub fn progress(&self, percent: u8, label: Option<&str>) -> __T::Sent {
        let mut __body = ::renamed::socketio::__private::BodyWriter::event("progress");
        __body.arg(&percent);
        __body.arg(&label);
        self.0.send(__body.finish())
    }
    ///Emits `export`.
    pub fn export(&self, name: String) -> __T::Reply<u64, ExportError> {
        let mut __body = ::renamed::socketio::__private::BodyWriter::event("export");
        __body.arg(&name);
        self.0
            .ask(
                __body.finish(),
                ::renamed::socketio::__private::decode::result::<u64, ExportError>,
            )
    }
}
#[automatically_derived]
impl ::renamed::socketio::__private::Events for dyn Optional {
    const NAME: &'static str = "Optional";
    type Emitter<__T: ::renamed::socketio::__private::Target> = OptionalEmitter<__T>;
    fn emitter<__T: ::renamed::socketio::__private::Target>(
        target: __T,
    ) -> OptionalEmitter<__T> {
        OptionalEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::renamed::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::renamed::socketio::__private::describe::EventSpec> {
        __describe.contract("");
        let mut __events = ::std::vec::Vec::new();
        __events
            .push(
                ::renamed::socketio::__private::describe::EventSpec::new("progress", "")
                    .arg("percent", __describe.arg::<u8>())
                    .optional("label", __describe.arg::<::std::string::String>()),
            );
        __events
            .push(
                ::renamed::socketio::__private::describe::EventSpec::new("export", "")
                    .arg("name", __describe.arg::<String>())
                    .ack_result(__describe.ack::<u64>(), __describe.ack::<ExportError>()),
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
impl<__H: Optional> ::renamed::socketio::__private::Serve<__H> for dyn Optional {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::renamed::socketio::__private::Incoming,
    ) -> ::renamed::socketio::__private::BoxFuture<
        'static,
        ::renamed::socketio::__private::Outcome,
    > {
        match __event.name() {
            "progress" => {
                async fn __arm<__H: Optional>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::renamed::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::renamed::socketio::__private::Outcome,
                    ::renamed::socketio::__private::Rejection,
                > {
                    let (__a0, __a1) = ::renamed::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args.next::<u8>("percent")?,
                            __args
                                .opt::<
                                    ::renamed::socketio::__private::args::CowStr<'_>,
                                >("label")?,
                        )),
                    )?;
                    <__H as Optional>::progress(&__handler, __a0, __a1.as_deref()).await;
                    ::core::result::Result::Ok(
                        ::renamed::socketio::__private::ack::none(),
                    )
                }
                ::renamed::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            "export" => {
                async fn __arm<__H: Optional>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::renamed::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::renamed::socketio::__private::Outcome,
                    ::renamed::socketio::__private::Rejection,
                > {
                    let (__a0,) = ::renamed::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok((
                            __args.next::<String>("name")?,
                        )),
                    )?;
                    let __reply = <__H as Optional>::export(
                            ::std::sync::Arc::clone(&__handler),
                            __a0,
                        )
                        .await;
                    ::core::result::Result::Ok(
                        match ::renamed::socketio::__private::probe::IsResult::as_result(
                            &__reply,
                        ) {
                            ::core::result::Result::Ok(__value) => {
                                ::renamed::socketio::__private::ack::ok(__event, __value)
                            }
                            ::core::result::Result::Err(__value) => {
                                ::renamed::socketio::__private::ack::err(__event, __value)
                            }
                        },
                    )
                }
                ::renamed::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
            _ => {
                async fn __arm<__H: Optional>(
                    __handler: &::std::sync::Arc<__H>,
                    __event: &::renamed::socketio::__private::Incoming,
                ) -> ::core::result::Result<
                    ::renamed::socketio::__private::Outcome,
                    ::renamed::socketio::__private::Rejection,
                > {
                    let () = ::renamed::socketio::__private::args::decode(
                        __event,
                        |__args| ::core::result::Result::Ok(()),
                    )?;
                    <__H as Optional>::unknown(
                            &__handler,
                            __event.name(),
                            __event.raw_args(),
                        )
                        .await;
                    ::core::result::Result::Ok(
                        ::renamed::socketio::__private::ack::none(),
                    )
                }
                ::renamed::socketio::__private::probe::run::<
                    Self,
                    __H,
                    _,
                >(::std::sync::Arc::clone(__handler), __event, __arm::<__H>)
            }
        }
    }
    fn reject(
        __handler: &::std::sync::Arc<__H>,
        __event: &::renamed::socketio::__private::Incoming,
        __rejection: ::renamed::socketio::__private::Rejection,
    ) -> ::renamed::socketio::__private::Outcome {
        match __event.name() {
            "export" => {
                #[allow(unused_imports)]
                use ::renamed::socketio::__private::probe::{
                    RejectTyped as _, RejectUntyped as _,
                };
                (&::renamed::socketio::__private::probe::Reject::<ExportError>::new())
                    .reject(__event, __rejection)
            }
            _ => ::renamed::socketio::__private::probe::reject(__event, __rejection),
        }
    }
}
