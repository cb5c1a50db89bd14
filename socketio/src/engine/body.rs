//! Bodies of answers, and the reading of a request's body up to a limit.

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::Full;
use std::{
    convert::Infallible,
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

/// The body of an answer of ours: complete from the start.
pub(crate) type Body = Full<Bytes>;

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadError {
    TooLarge,
    Aborted,
}

/// A body that is too large is read and thrown away up to this size, so that the client reads the refusal instead of
/// finding its connection reset.
const DISCARDED_BYTES: usize = 16 << 20;

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read<B: HttpBody>(body: B, limit: usize) -> Result<Bytes, ReadError> {
    let mut body = pin!(body);
    let mut too_large = body.size_hint().lower() > limit as u64;
    let mut length = 0;
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(mut data) = frame.map_err(|_| ReadError::Aborted)?.into_data() else { continue };
        length += data.remaining();
        if too_large || length > limit {
            too_large = true;
            (first, all) = (Bytes::new(), BytesMut::new());
            if length > DISCARDED_BYTES {
                break;
            }
            continue;
        }
        let data = data.copy_to_bytes(data.remaining());
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    match too_large {
        true => Err(ReadError::TooLarge),
        false if all.is_empty() => Ok(first),
        false => Ok(all.freeze()),
    }
}

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
