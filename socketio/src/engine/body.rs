//! Bodies of answers, and the reading of a request's body up to a limit.

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::Full;
use std::{
    convert::Infallible,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// The body of an answer of ours: complete from the start.
pub(crate) type Body = Full<Bytes>;

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
}

/// Why a body was not read.
#[derive(Debug)]
pub(crate) enum ReadError<B> {
    /// What is left of it comes back.
    TooLarge(Pin<Box<B>>),
    Aborted,
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read<B: HttpBody>(body: B, limit: usize) -> Result<Bytes, ReadError<B>> {
    let mut body = Box::pin(body);
    if body.size_hint().lower() > limit as u64 {
        return Err(ReadError::TooLarge(body));
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(mut data) = frame.map_err(|_| ReadError::Aborted)?.into_data() else { continue };
        if first.len() + all.len() + data.remaining() > limit {
            return Err(ReadError::TooLarge(body));
        }
        let data = data.copy_to_bytes(data.remaining());
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// Reads the rest of a refused body, within bounds, so that the client reads the refusal instead of finding its
/// connection reset.
pub(crate) async fn discard<B: HttpBody>(mut body: Pin<Box<B>>) {
    let mut left = DISCARDED_BYTES;
    let reading = async {
        while let Some(Ok(frame)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Buf::remaining)) else { return };
            left = rest;
        }
    };
    // A client that is slower than this has had its time to read the refusal.
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, reading).await;
}

const DISCARDED_BYTES: usize = 16 << 20;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(10);

/// The body of an answer that is ours or comes from the service within.
#[derive(Debug)]
pub struct ResponseBody<B>(Kind<B>);

#[derive(Debug)]
enum Kind<B> {
    Ours(Body),
    Inner(B),
}

impl<B> ResponseBody<B> {
    pub(crate) fn ours(body: Body) -> Self {
        ResponseBody(Kind::Ours(body))
    }

    pub(crate) fn inner(body: B) -> Self {
        ResponseBody(Kind::Inner(body))
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Poll::Ready(match &mut self.get_mut().0 {
            Kind::Ours(body) => {
                ready!(Pin::new(body).poll_frame(cx)).map(|frame| frame.map_err(|never: Infallible| match never {}))
            }
            Kind::Inner(body) => ready!(Pin::new(body).poll_frame(cx)),
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Ours(body) => body.is_end_stream(),
            Kind::Inner(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Ours(body) => body.size_hint(),
            Kind::Inner(body) => body.size_hint(),
        }
    }
}
