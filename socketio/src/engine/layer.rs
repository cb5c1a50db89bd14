//! The tower layer and service: requests to our path are answered, all others go on to the service within.

use super::{
    body::{Body, ResponseBody},
    service::Server,
};
use http::{Request, Response, StatusCode, request::Parts};
use http_body::Body as HttpBody;
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Something that answers the requests to its own path.
pub trait Intercept: Clone + Send + Sync + 'static {
    #[doc(hidden)]
    fn takes(&self, path: &str) -> bool;
    #[doc(hidden)]
    fn respond<B>(&self, parts: &mut Parts, body: B) -> impl Future<Output = Response<Body>> + Send
    where
        B: HttpBody + Send + 'static,
        B::Data: Send,
        B::Error: Send;
}

impl Intercept for Server {
    fn takes(&self, path: &str) -> bool {
        Server::takes(self, path)
    }

    async fn respond<B>(&self, parts: &mut Parts, body: B) -> Response<Body>
    where
        B: HttpBody + Send + 'static,
        B::Data: Send,
        B::Error: Send,
    {
        Server::respond(self, parts, body).await
    }
}

/// A tower layer, made by [`Server::layer`] or `SocketIo::layer`, for `axum::Router::layer` and every other tower stack.
///
/// ```
/// use axum::{Router, body::Body, http::{Request, StatusCode}, routing::get};
/// use socketio::{SocketIo, namespace};
/// use tower_service::Service as _;
/// # #[namespace("/")] trait Main {}
/// # struct Session;
/// # impl Main for Session {}
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let io = SocketIo::builder().shared::<dyn Main>(Session).build();
/// let app: Router = Router::new().route("/health", get(async || "fine")).layer(io.layer());
/// let ask = async |path: &str| app.clone().call(Request::get(path).body(Body::empty()).unwrap()).await.unwrap().status();
/// assert_eq!(ask("/health").await, StatusCode::OK);
/// assert_eq!(ask("/socket.io/?EIO=4&transport=polling").await, StatusCode::OK); // a handshake
///
/// // Alone, as a service for hyper, it answers everything else with 404.
/// let request = Request::get("/health").body(Body::empty()).unwrap();
/// assert_eq!(io.service().call(request).await.unwrap().status(), StatusCode::NOT_FOUND);
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct Layer<I>(I);

impl<I> Layer<I> {
    pub(crate) fn new(intercept: I) -> Self {
        Layer(intercept)
    }
}

impl<I: Clone, S> tower_layer::Layer<S> for Layer<I> {
    type Service = Service<I, S>;
    fn layer(&self, inner: S) -> Service<I, S> {
        Service { intercept: self.0.clone(), inner }
    }
}

/// The service that [`Layer`] makes; an example is there.
#[derive(Debug, Clone)]
pub struct Service<I, S> {
    intercept: I,
    inner: S,
}

impl<I> Service<I, NotFound> {
    pub(crate) fn alone(intercept: I) -> Self {
        Service { intercept, inner: NotFound }
    }
}

type ResponseFuture<B, E> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody<B>>, E>> + Send>>;

impl<I, S, B, R> tower_service::Service<Request<B>> for Service<I, S>
where
    I: Intercept,
    S: tower_service::Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    B: HttpBody + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if self.intercept.takes(request.uri().path()) {
            let intercept = self.intercept.clone();
            // Lent from here on: a future that passes a request on by value holds it once for each step.
            let (mut parts, body) = request.into_parts();
            return Box::pin(async move { Ok(intercept.respond(&mut parts, body).await.map(ResponseBody::ours)) });
        }
        let response = self.inner.call(request);
        Box::pin(async move { Ok(response.await?.map(ResponseBody::inner)) })
    }
}

/// Answers 404: what is behind a service that stands alone.
#[derive(Debug, Clone, Copy)]
pub struct NotFound;

impl<B> tower_service::Service<Request<B>> for NotFound {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        std::future::ready(Ok(super::refuse::empty(StatusCode::NOT_FOUND)))
    }
}
