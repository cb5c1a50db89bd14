//! HTTP compression of one complete answer: which coding the client gets, and the coded bytes.
//!
//! ```text
//! Accept-Encoding --> negotiate() --> coding --> compress() --> body + Content-Encoding
//! ```
//!
//! Negotiation is that of the npm package `negotiator` 0.6, which the reference uses here and for the client files: the
//! client's quality decides, then an exact name before `*`, then the **client's** order, then ours.
//! Not here: whether a packet of the answer wants compression (the caller asks first), and WebSocket compression.

use bytes::Bytes;
use flate2::{
    Compression, GzBuilder,
    write::{GzEncoder, ZlibEncoder},
};
use http::{HeaderMap, HeaderValue, header::ACCEPT_ENCODING};
use std::{cmp::Reverse, io::Write};

type Encode = fn(&[u8]) -> Vec<u8>;

/// The operating system that Node.js writes into a gzip header: Unix.
const GZIP_UNIX: u8 = 3;

/// Compresses the body if it has at least `threshold_bytes` and the client takes gzip or deflate. With the body comes the
/// value of `Content-Encoding`; without one the body is unchanged. The reference sets no `Vary`, as its answers are
/// `no-store`. Text and binary (EIO3) bodies are treated alike.
///
/// Takes about 10 ms for a megabyte of text: give large bodies to a blocking thread.
pub(crate) fn compress(body: Bytes, request_headers: &HeaderMap, threshold_bytes: usize) -> (Bytes, Option<HeaderValue>) {
    const OFFERED: [(&str, Encode); 2] = [("gzip", gzip), ("deflate", deflate)];
    if body.len() < threshold_bytes {
        return (body, None);
    }
    match negotiate(request_headers, &OFFERED) {
        Some((coding, encode)) => (Bytes::from(encode(&body)), Some(HeaderValue::from_static(coding))),
        None => (body, None),
    }
}

/// The offered coding that the client prefers; `None` if it takes none of them. Something goes with each name, for the
/// caller. A quality that is not a number is a refusal.
pub(crate) fn negotiate<'a, T>(request_headers: &HeaderMap, offered: &'a [(&'static str, T)]) -> Option<&'a (&'static str, T)> {
    let lines = request_headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let accepted: Vec<Accepted<'_>> = lines.flat_map(|line| line.split(',')).filter_map(Accepted::parse).collect();
    let ranked = offered.iter().enumerate().filter_map(|(index, coding)| {
        let matching = accepted
            .iter()
            .enumerate()
            .filter_map(|(position, accepted)| Some((accepted.specificity(coding.0)?, accepted.quality_millis, position)));
        let (specificity, quality, position) = matching.max()?;
        (quality > 0).then_some(((quality, specificity, Reverse(position), Reverse(index)), coding))
    });
    ranked.max_by_key(|(rank, _)| *rank).map(|(_, coding)| coding)
}

/// One element of `Accept-Encoding`.
struct Accepted<'a> {
    name: &'a str,
    quality_millis: u32,
}

impl<'a> Accepted<'a> {
    fn parse(element: &'a str) -> Option<Self> {
        let (name, parameters) = element.split_once(';').unwrap_or((element, ""));
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return None;
        }
        let quality = parameters.split(';').find_map(|parameter| {
            let mut parts = parameter.trim().split('=');
            (parts.next() == Some("q")).then(|| parts.next().unwrap_or_default().trim().parse::<f32>().unwrap_or(0.0))
        });
        // A float becomes the nearest integer in range; what is not a number becomes 0.
        Some(Accepted { name, quality_millis: (quality.unwrap_or(1.0) * 1000.0) as u32 })
    }

    /// 1 for the name itself, 0 for `*`.
    fn specificity(&self, coding: &str) -> Option<u8> {
        match self.name {
            name if name.eq_ignore_ascii_case(coding) => Some(1),
            "*" => Some(0),
            _ => None,
        }
    }
}

/// The bytes as `Content-Encoding: gzip`.
pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder: GzEncoder<Vec<u8>> = GzBuilder::new().operating_system(GZIP_UNIX).write(Vec::new(), Compression::default());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("invariant: a Vec takes all bytes")
}

/// The bytes as `Content-Encoding: deflate`, which is the zlib format.
pub(crate) fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("invariant: a Vec takes all bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::{GzDecoder, ZlibDecoder};
    use std::io::Read;

    fn accept(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(encoding))])
    }

    fn chosen(headers: &HeaderMap, offered: &[&'static str]) -> &'static str {
        let offered: Vec<(&'static str, ())> = offered.iter().map(|name| (*name, ())).collect();
        negotiate(headers, &offered).map_or("", |(name, ())| name)
    }

    /// The answers of `accepts(req).encodings([...])`, package `accepts` 1.3.8, for gzip and deflate, and with br before.
    #[test]
    fn negotiation_is_that_of_the_reference() {
        for (header, two, three) in [
            ("", "", ""),
            ("gzip", "gzip", "gzip"),
            ("deflate", "deflate", "deflate"),
            ("gzip, deflate, br", "gzip", "gzip"),
            ("gzip, deflate, br, zstd", "gzip", "gzip"),
            ("deflate, gzip", "deflate", "deflate"),
            ("gzip;q=0", "", ""),
            ("gzip;q=0, deflate", "deflate", "deflate"),
            ("gzip;q=0.0", "", ""),
            ("*", "gzip", "br"),
            ("*;q=0", "", ""),
            ("*;q=0.5, gzip;q=0", "deflate", "br"),
            ("deflate, *", "deflate", "deflate"),
            ("*, deflate", "deflate", "deflate"),
            ("*;q=1, deflate;q=0.5", "gzip", "br"),
            ("identity", "", ""),
            ("identity;q=0", "", ""),
            ("identity, gzip;q=0.5", "gzip", "gzip"),
            ("gzip;q=0.5, deflate", "deflate", "deflate"),
            ("gzip;q=0.5, deflate;q=0.5", "gzip", "gzip"),
            ("br", "", "br"),
            ("br;q=0.1, gzip;q=0.5", "gzip", "gzip"),
            ("GZIP", "gzip", "gzip"),
            ("x-gzip", "", ""),
            ("gzip;q=abc", "", ""),
            ("gzip;q=", "", ""),
            ("gzip;q", "", ""),
            ("gzip;level=1", "gzip", "gzip"),
            ("gzip;level=1;q=0", "", ""),
            ("gzip ; q=0", "", ""),
            ("gzip; q = 0", "gzip", "gzip"),
            ("gzip;Q=0", "gzip", "gzip"),
            ("gzip;q=-1", "", ""),
            ("gzip;q=2, deflate", "gzip", "gzip"),
            ("gzip;q=1e-3, deflate;q=0.01", "deflate", "deflate"),
            ("gzip;q=.5", "gzip", "gzip"),
            ("gzip, gzip;q=0", "gzip", "gzip"),
            ("gzip;q=0, gzip", "gzip", "gzip"),
            ("gzip deflate", "", ""),
            (",,gzip,", "gzip", "gzip"),
            (";q=1", "", ""),
            ("gzip;q=Infinity, deflate", "gzip", "gzip"),
            ("gzip;q=+0.5, deflate;q=0.6", "deflate", "deflate"),
            ("gzip;q=0.5=1", "gzip", "gzip"),
            ("deflate, gzip;q=nan", "deflate", "deflate"),
            ("gzip;q=0;q=1", "", ""),
            ("gzip;;q=0", "", ""),
            ("gzip;q= 0.5, deflate;q=0.6", "deflate", "deflate"),
        ] {
            assert_eq!(chosen(&accept(header), &["gzip", "deflate"]), two, "{header}");
            assert_eq!(chosen(&accept(header), &["br", "gzip", "deflate"]), three, "{header} with br");
        }
    }

    #[test]
    fn repeated_headers_are_one_list() {
        let mut headers = accept("br");
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("deflate, gzip"));
        assert_eq!(chosen(&headers, &["gzip", "deflate"]), "deflate");
        assert_eq!(chosen(&HeaderMap::new(), &["gzip", "deflate"]), "");
    }

    #[test]
    fn the_threshold_counts_bytes() {
        let text = Bytes::from("é".repeat(512));
        let (body, coding) = compress(text.slice(..1023), &accept("gzip"), 1024);
        assert_eq!((body, coding), (text.slice(..1023), None));
        let (body, coding) = compress(text.clone(), &accept("gzip"), 1024);
        assert_eq!(coding.unwrap(), "gzip");
        assert_eq!(body[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], "the header that Node.js writes");
        let mut plain = Vec::new();
        GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, text);
    }

    #[test]
    fn deflate_is_zlib() {
        let text = Bytes::from("x".repeat(3000));
        let (body, coding) = compress(text.clone(), &accept("deflate"), 0);
        assert_eq!(coding.unwrap(), "deflate");
        assert_eq!(body[..2], [0x78, 0x9c], "the header that Node.js writes");
        let mut plain = Vec::new();
        ZlibDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, text);
    }

    #[test]
    fn a_client_that_takes_neither_gets_the_body_as_it_is() {
        let text = Bytes::from("x".repeat(3000));
        for header in ["", "br", "identity", "gzip;q=0, deflate;q=0"] {
            assert_eq!(compress(text.clone(), &accept(header), 0), (text.clone(), None), "{header}");
        }
    }
}
