//! `ClientFiles`: the JavaScript client, served under the path of Socket.IO from memory.
//!
//! ```text
//! dist/ of the npm package --load()--> 8 files: plain, gzip, deflate (br) --respond()--> 200 | 304
//! ```
//!
//! Not here: taking the file name out of the request's path, and CORS; both are the caller's.

use crate::engine::{deflate, gzip, negotiate};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
};
use std::{
    io,
    path::{Path, PathBuf},
};

const NAMES: [&str; 8] = [
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
    "socket.io.msgpack.min.js",
    "socket.io.msgpack.min.js.map",
];

const BANNER: &[u8] = b"Socket.IO v";
/// The banner is the first comment of the bundle; the rest of the file is not searched.
const BANNER_BYTES: usize = 200;

/// Why the JavaScript client cannot be served.
///
/// ```
/// use socketio::{BuildError, ClientFilesError, SocketIo};
///
/// let error = SocketIo::builder().serve_client("web/node_modules/socket.io-client/dist").try_build().unwrap_err();
/// let BuildError::ClientFiles(ClientFilesError::Missing { file, directory }) = &error else { panic!("{error}") };
/// assert_eq!((file.as_str(), directory.ends_with("dist")), ("socket.io.js", true));
/// assert!(error.to_string().contains("npm install socket.io-client"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientFilesError {
    /// A file is missing in the directory.
    #[error(
        "no `{file}` in `{}`: run `npm install socket.io-client` and give the directory `node_modules/socket.io-client/dist`",
        directory.display()
    )]
    Missing {
        /// The directory that was given.
        directory: PathBuf,
        /// The first file that is missing.
        file: String,
    },
    /// A file is there but cannot be read.
    #[error("cannot read `{file}` in `{}`: {kind}", directory.display())]
    Unreadable {
        /// The directory that was given.
        directory: PathBuf,
        /// The file.
        file: String,
        /// What the operating system says.
        kind: io::ErrorKind,
    },
    /// `socket.io.js` does not begin with a comment like `Socket.IO v4.8.4`.
    #[error("`socket.io.js` in `{}` does not name its version: give the `dist` directory of `socket.io-client`", directory.display())]
    NoVersion {
        /// The directory that was given.
        directory: PathBuf,
    },
}

/// The eight files of the JavaScript client. The reference's option `serveClient`.
#[derive(Clone)]
pub(crate) struct ClientFiles {
    etag: HeaderValue,
    weak_etag: HeaderValue,
    files: Vec<ClientFile>,
}

#[derive(Clone)]
struct ClientFile {
    name: &'static str,
    plain: Bytes,
    /// In the order of the reference, which decides only where the client leaves it open.
    encoded: Vec<(&'static str, Bytes)>,
}

impl ClientFiles {
    /// Reads and compresses the files of a directory, `dist` of the npm package `socket.io-client`. Blocks.
    ///
    /// Brotli is served where a file with the name and `.br` lies beside. It is not compressed here: the reference's
    /// negotiation gives every browser gzip.
    ///
    /// # Errors
    /// A file is missing or unreadable, or `socket.io.js` does not name its version.
    pub(crate) fn load(directory: &Path) -> Result<Self, ClientFilesError> {
        Self::read(directory, |file| std::fs::read(directory.join(file)))
    }

    fn read(directory: &Path, read: impl Fn(&str) -> io::Result<Vec<u8>>) -> Result<Self, ClientFilesError> {
        let unreadable = |file: &str, error: &io::Error| {
            let (directory, file) = (directory.to_owned(), file.to_owned());
            match error.kind() {
                io::ErrorKind::NotFound => ClientFilesError::Missing { directory, file },
                kind => ClientFilesError::Unreadable { directory, file, kind },
            }
        };
        let mut files = Vec::with_capacity(NAMES.len());
        for name in NAMES {
            let plain = read(name).map_err(|error| unreadable(name, &error))?;
            let mut encoded = Vec::new();
            let brotli = format!("{name}.br");
            match read(&brotli) {
                Ok(bytes) => encoded.push(("br", Bytes::from(bytes))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(&brotli, &error)),
            }
            encoded.push(("gzip", Bytes::from(gzip(&plain))));
            encoded.push(("deflate", Bytes::from(deflate(&plain))));
            files.push(ClientFile { name, plain: Bytes::from(plain), encoded });
        }
        let version = files.first().and_then(|file| version(&file.plain));
        let etags = version.and_then(|version| {
            let etag = format!("\"{version}\"");
            Some((HeaderValue::from_str(&etag).ok()?, HeaderValue::try_from(format!("W/{etag}")).ok()?))
        });
        let (etag, weak_etag) = etags.ok_or_else(|| ClientFilesError::NoVersion { directory: directory.to_owned() })?;
        Ok(ClientFiles { etag, weak_etag, files })
    }

    /// The answer for a file name, which is what follows the slash behind the path, up to the query. `None`: not one of the
    /// eight, so the request is for the engine.
    ///
    /// As in the reference every method gets the file (`OPTIONS` too, unless CORS has answered it), `HEAD` without the
    /// body, and `If-None-Match` is compared as a whole.
    pub(crate) fn respond(&self, file_name: &str, method: &Method, request_headers: &HeaderMap) -> Option<Response<Bytes>> {
        let file = self.files.iter().find(|file| file.name == file_name)?;
        let mut response = Response::new(Bytes::new());
        if request_headers.get(IF_NONE_MATCH).is_some_and(|etag| *etag == self.etag || *etag == self.weak_etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Some(response);
        }
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=0"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.content_type()));
        headers.insert(ETAG, self.etag.clone());
        // The reference leaves this out, so a shared cache may give gzip to a client that does not take it.
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        let body = match negotiate(request_headers, &file.encoded) {
            Some((coding, bytes)) => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
                bytes
            }
            None => &file.plain,
        };
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        if method != Method::HEAD {
            *response.body_mut() = body.clone();
        }
        Some(response)
    }
}

impl std::fmt::Debug for ClientFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientFiles").field("etag", &self.etag).finish_non_exhaustive()
    }
}

impl ClientFile {
    fn content_type(&self) -> &'static str {
        if self.name.ends_with(".map") { "application/json; charset=utf-8" } else { "application/javascript; charset=utf-8" }
    }
}

/// `4.8.4` of a bundle that begins with a comment like `Socket.IO v4.8.4`.
fn version(bundle: &[u8]) -> Option<&str> {
    let head = &bundle[..bundle.len().min(BANNER_BYTES)];
    let start = head.windows(BANNER.len()).position(|window| window == BANNER)? + BANNER.len();
    let rest = &head[start..];
    let is_version = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+');
    let end = rest.iter().position(|b| !is_version(b))?;
    if end == 0 { None } else { std::str::from_utf8(&rest[..end]).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, header::ACCEPT_ENCODING};

    const BUNDLE: &str = "/*!\n * Socket.IO v4.8.4\n * (c) 2014-2026 Guillermo Rauch\n * Released under the MIT License.\n */\n";

    fn not_found(file: &str) -> io::Result<Vec<u8>> {
        Err(io::Error::new(io::ErrorKind::NotFound, file.to_owned()))
    }

    /// A directory with the eight files and nothing else.
    fn dist(file: &str) -> io::Result<Vec<u8>> {
        match file {
            file if !NAMES.contains(&file) => not_found(file),
            file if file.ends_with(".map") => Ok(b"{}".to_vec()),
            _ => Ok(BUNDLE.as_bytes().to_vec()),
        }
    }

    fn read(read: impl Fn(&str) -> io::Result<Vec<u8>>) -> Result<ClientFiles, ClientFilesError> {
        ClientFiles::read(Path::new("dist"), read)
    }

    fn request(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    fn headers(response: &Response<Bytes>) -> Vec<(&str, &str)> {
        response.headers().iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect()
    }

    #[test]
    fn headers_of_bundles_and_maps() {
        let files = read(dist).unwrap();
        let length = BUNDLE.len().to_string();
        for name in NAMES {
            let response = files.respond(name, &Method::GET, &HeaderMap::new()).unwrap();
            let (kind, body) = if name.ends_with(".map") { ("json", "{}") } else { ("javascript", BUNDLE) };
            let content_type = format!("application/{kind}; charset=utf-8");
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(
                headers(&response),
                [
                    ("cache-control", "public, max-age=0"),
                    ("content-type", content_type.as_str()),
                    ("etag", "\"4.8.4\""),
                    ("vary", "Accept-Encoding"),
                    ("content-length", if body == BUNDLE { &length } else { "2" }),
                ]
            );
            assert_eq!(response.body(), body);
        }
    }

    #[test]
    fn other_names_are_not_served() {
        let files = read(dist).unwrap();
        for name in
            ["", "x.js", "/socket.io.js", "socket.io.js/", "foo/socket.io.js", "socket%2Eio.js", "socket.io.js.br", "SOCKET.IO.JS"]
        {
            assert!(files.respond(name, &Method::GET, &HeaderMap::new()).is_none(), "{name}");
        }
    }

    #[test]
    fn an_unchanged_file_is_not_sent() {
        let files = read(dist).unwrap();
        for (etag, status) in [("\"4.8.4\"", 304), ("W/\"4.8.4\"", 304), ("*", 200), ("\"x\", \"4.8.4\"", 200), ("\"4.8.3\"", 200)]
        {
            for method in [Method::GET, Method::HEAD, Method::POST] {
                let response = files.respond("socket.io.js", &method, &request(IF_NONE_MATCH, etag)).unwrap();
                assert_eq!(response.status(), status, "{method} {etag}");
                if status == 304 {
                    assert_eq!((headers(&response), response.body()), (vec![], &Bytes::new()));
                }
            }
        }
    }

    #[test]
    fn every_method_gets_the_file_and_head_only_its_headers() {
        let files = read(dist).unwrap();
        for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
            assert_eq!(files.respond("socket.io.js", &method, &HeaderMap::new()).unwrap().body(), BUNDLE);
        }
        let get = files.respond("socket.io.js", &Method::GET, &HeaderMap::new()).unwrap();
        let head = files.respond("socket.io.js", &Method::HEAD, &HeaderMap::new()).unwrap();
        assert_eq!((get.headers(), head.body()), (head.headers(), &Bytes::new()));
    }

    #[test]
    fn the_client_chooses_the_coding() {
        let without = read(dist).unwrap();
        let with = read(|file| if file == "socket.io.js.br" { Ok(b"brotli".to_vec()) } else { dist(file) }).unwrap();
        let (zipped, deflated) = (Bytes::from(gzip(BUNDLE.as_bytes())), Bytes::from(deflate(BUNDLE.as_bytes())));
        for (files, accepted, coding, body) in [
            (&without, "gzip, deflate, br", Some("gzip"), &zipped[..]),
            (&without, "deflate, gzip", Some("deflate"), &deflated),
            (&without, "*", Some("gzip"), &zipped),
            (&without, "br", None, BUNDLE.as_bytes()),
            (&without, "identity", None, BUNDLE.as_bytes()),
            (&with, "gzip, deflate, br", Some("gzip"), &zipped),
            (&with, "br, gzip", Some("br"), b"brotli"),
            (&with, "*", Some("br"), b"brotli"),
            (&with, "br;q=0.1, gzip;q=0.5", Some("gzip"), &zipped),
        ] {
            let response = files.respond("socket.io.js", &Method::GET, &request(ACCEPT_ENCODING, accepted)).unwrap();
            assert_eq!(response.headers().get(CONTENT_ENCODING).map(|v| v.to_str().unwrap()), coding, "{accepted}");
            assert_eq!(response.headers()[CONTENT_LENGTH], body.len().to_string());
            assert_eq!(response.body(), body, "{accepted}");
        }
    }

    #[test]
    fn a_directory_without_the_files_is_refused() {
        let directory = PathBuf::from("dist");
        let error = read(not_found).unwrap_err();
        assert_eq!(error, ClientFilesError::Missing { directory: directory.clone(), file: "socket.io.js".to_owned() });
        assert_eq!(
            error.to_string(),
            "no `socket.io.js` in `dist`: run `npm install socket.io-client` and give the directory `node_modules/socket.io-client/dist`"
        );
        let denied = |file: &str| {
            if file == "socket.io.min.js" { Err(io::ErrorKind::PermissionDenied.into()) } else { dist(file) }
        };
        let (file, kind) = ("socket.io.min.js".to_owned(), io::ErrorKind::PermissionDenied);
        assert_eq!(read(denied).unwrap_err(), ClientFilesError::Unreadable { directory: directory.clone(), file, kind });
        for bundle in ["", "/*! Socket.IO v */", "/*! Socket.IO v4.8.4", "var x"] {
            let error = read(|file| dist(file).map(|_| bundle.into())).unwrap_err();
            assert_eq!(error, ClientFilesError::NoVersion { directory: directory.clone() }, "{bundle}");
        }
        assert!(matches!(ClientFiles::load(Path::new("no/such/directory")), Err(ClientFilesError::Missing { .. })));
    }

    #[test]
    fn versions() {
        assert_eq!(version(b"/*! Socket.IO v5.0.0-beta.1+x */"), Some("5.0.0-beta.1+x"));
        assert_eq!(version(BUNDLE.as_bytes()), Some("4.8.4"));
    }
}
