// @generated from tests/input; SOCKETIO_UPDATE=1 cargo test -p socketio-macros rewrites it.

#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement the events trait `Metrics`",
    label = "needs `impl Metrics for {Self}`",
    note = "pass a value whose type implements `Metrics` to handle these events"
)]
pub trait Metrics: ::core::marker::Send + ::core::marker::Sync + 'static {
    fn sample(
        &self,
        r#type: &str,
        value: f64,
    ) -> impl ::core::future::Future<Output = Foreign> + ::core::marker::Send
    where
        Self: ::core::marker::Sized;
}
///Typed caller of the events of [`Metrics`]; what `.emit()` returns.
#[derive(::core::fmt::Debug)]
#[allow(dead_code)]
pub struct MetricsEmitter<T>(T);
#[allow(dead_code, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
impl<__T: ::socketio::__private::Target> MetricsEmitter<__T> {
    ///Emits `sample`.
    pub fn sample(
        &self,
        r#type: &str,
        value: f64,
    ) -> __T::Reply<Foreign, ::core::convert::Infallible> {
        let mut __body = ::socketio::__private::BodyWriter::event("sample");
        __body.arg(&r#type);
        __body.arg(&value);
        self.0
            .ask(
                __body.finish(),
                ::socketio::__private::decode::value::<
                    Foreign,
                    ::core::convert::Infallible,
                >,
            )
    }
}
#[automatically_derived]
impl ::socketio::__private::Events for dyn Metrics {
    const NAME: &'static str = "Metrics";
    type Emitter<__T: ::socketio::__private::Target> = MetricsEmitter<__T>;
    fn emitter<__T: ::socketio::__private::Target>(target: __T) -> MetricsEmitter<__T> {
        MetricsEmitter(target)
    }
    #[allow(unused_mut, unused_variables, clippy::all, clippy::pedantic)]
    fn describe(
        __describe: &mut ::socketio::__private::describe::Describe,
    ) -> ::std::vec::Vec<::socketio::__private::describe::EventSpec> {
        let mut __events = ::std::vec::Vec::new();
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
impl<__H: Metrics> ::socketio::__private::Serve<__H> for dyn Metrics {
    fn dispatch(
        __handler: &::std::sync::Arc<__H>,
        __event: ::socketio::__private::Incoming,
    ) -> ::socketio::__private::BoxFuture<'static, ::socketio::__private::Outcome> {
        match __event.name() {
            "sample" => {
                async fn __arm<__H: Metrics>(
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
                                .next::<::socketio::__private::args::CowStr<'_>>("type")?,
                            __args.next::<f64>("value")?,
                        )),
                    )?;
                    let __reply = <__H as Metrics>::sample(&__handler, &*__a0, __a1)
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
        ! < ::socketio::__private::probe::Probe < Foreign >> ::IS_RESULT,
        "event `sample` returns a `Result` behind an alias: name the alias `Result` (or write `Result<..>`) so that it becomes a typed `ok`/`error` acknowledgement"
    )
};
