//! The bytes of the npm package `cors`, taken from the official server.

use super::*;

/// Headers written as lines; the names are compared in lower case, everything else byte by byte and in order.
#[track_caller]
fn check(headers: &HeaderMap, expected: &[(&str, &str)]) {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
    let expected: Vec<(String, &str)> = expected.iter().map(|(n, v)| (n.to_ascii_lowercase(), *v)).collect();
    assert_eq!(headers, expected.iter().map(|(n, v)| (n.as_str(), *v)).collect::<Vec<_>>());
}

fn request(headers: &[(&'static str, &'static str)]) -> HeaderMap {
    headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
}

fn applied(cors: &Cors, request_headers: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    cors.apply(request_headers, &mut headers);
    headers
}

fn fixed() -> Cors {
    Cors::new().allow_origin("http://allowed.example").allow_credentials(true).allow_methods([Method::GET, Method::POST])
}

fn listed() -> Cors {
    Cors::new()
        .allow_origin("http://a")
        .allow_origin("http://b")
        .allow_headers(["X-A", "X-B"])
        .expose_headers(["X-C", "X-D"])
        .max_age(Duration::from_secs(60))
}

const EVIL_PREFLIGHT: [(&str, &str); 3] =
    [("origin", "http://evil"), ("access-control-request-method", "POST"), ("access-control-request-headers", "x-foo, x-bar")];

#[test]
fn one_origin_is_sent_to_everybody() {
    let cors = fixed();
    assert_eq!(cors.check(), Ok(()));
    let expected = [
        ("Access-Control-Allow-Origin", "http://allowed.example"),
        ("Vary", "Origin"),
        ("Access-Control-Allow-Credentials", "true"),
    ];
    check(&applied(&cors, &request(&[])), &expected);
    check(&applied(&cors, &request(&[("origin", "http://evil")])), &expected);
    check(&applied(&cors, &request(&[("origin", "http://allowed.example")])), &expected);
}

#[test]
fn a_preflight_is_answered_completely() {
    let response = fixed().preflight(&request(&EVIL_PREFLIGHT));
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    check(
        response.headers(),
        &[
            ("Access-Control-Allow-Origin", "http://allowed.example"),
            ("Vary", "Origin, Access-Control-Request-Headers"),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Allow-Methods", "GET,POST"),
            ("Access-Control-Allow-Headers", "x-foo, x-bar"),
            ("Content-Length", "0"),
        ],
    );
}

#[test]
fn a_preflight_that_asks_for_no_headers_allows_none() {
    let expected = [
        ("Access-Control-Allow-Origin", "http://allowed.example"),
        ("Vary", "Origin, Access-Control-Request-Headers"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Methods", "GET,POST"),
        ("Content-Length", "0"),
    ];
    check(fixed().preflight(&request(&[])).headers(), &expected);
    check(fixed().preflight(&request(&[("access-control-request-headers", "")])).headers(), &expected);
}

#[test]
fn repeated_request_headers_are_one_list() {
    let mut headers = request(&[("access-control-request-headers", "x-foo")]);
    headers.append(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static("x-bar"));
    assert_eq!(fixed().preflight(&headers).headers()["access-control-allow-headers"], "x-foo, x-bar");
}

#[test]
fn any_origin_is_a_star_without_vary() {
    for cors in [Cors::new().allow_any_origin(), Cors::new().allow_origin("*")] {
        assert_eq!(cors.check(), Ok(()));
        check(&applied(&cors, &request(&[("origin", "http://a")])), &[("Access-Control-Allow-Origin", "*")]);
        check(
            cors.preflight(&request(&EVIL_PREFLIGHT)).headers(),
            &[
                ("Access-Control-Allow-Origin", "*"),
                ("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE"),
                ("Vary", "Access-Control-Request-Headers"),
                ("Access-Control-Allow-Headers", "x-foo, x-bar"),
                ("Content-Length", "0"),
            ],
        );
    }
}

#[test]
fn of_several_origins_the_one_that_asks_is_sent() {
    let refused = [("Vary", "Origin"), ("Access-Control-Expose-Headers", "X-C,X-D")];
    check(&applied(&listed(), &request(&[])), &refused);
    check(&applied(&listed(), &request(&[("origin", "http://evil")])), &refused);
    check(
        &applied(&listed(), &request(&[("origin", "http://a")])),
        &[("Access-Control-Allow-Origin", "http://a"), refused[0], refused[1]],
    );
    check(
        listed().preflight(&request(&EVIL_PREFLIGHT)).headers(),
        &[
            ("Vary", "Origin"),
            ("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE"),
            ("Access-Control-Allow-Headers", "X-A,X-B"),
            ("Access-Control-Max-Age", "60"),
            ("Access-Control-Expose-Headers", "X-C,X-D"),
            ("Content-Length", "0"),
        ],
    );
}

#[test]
fn empty_lists_send_no_header() {
    let cors = Cors::new()
        .allow_origin("http://a")
        .allow_origin("http://b")
        .allow_methods([])
        .allow_headers::<&str>([])
        .expose_headers::<&str>([]);
    assert_eq!(cors.check(), Ok(()));
    check(cors.preflight(&request(&EVIL_PREFLIGHT)).headers(), &[("Vary", "Origin"), ("Content-Length", "0")]);
}

#[test]
fn a_mirrored_origin_needs_an_origin() {
    let cors = Cors::new().mirror_origin().allow_credentials(true);
    assert_eq!(cors.check(), Ok(()));
    let without = [("Vary", "Origin"), ("Access-Control-Allow-Credentials", "true")];
    check(&applied(&cors, &request(&[])), &without);
    check(&applied(&cors, &request(&[("origin", "")])), &without);
    check(
        &applied(&cors, &request(&[("origin", "http://evil")])),
        &[("Access-Control-Allow-Origin", "http://evil"), without[0], without[1]],
    );
}

#[test]
fn a_function_decides_besides_the_list() {
    let cors = Cors::new().allow_origin("http://a").allow_origin_if(|origin| origin.as_bytes().ends_with(b".app.example"));
    assert_eq!(cors.check(), Ok(()));
    let refused = [("Vary", "Origin")];
    check(&applied(&cors, &request(&[])), &refused);
    check(&applied(&cors, &request(&[("origin", "http://evil")])), &refused);
    for origin in ["http://a", "http://x.app.example"] {
        let expected = [("Access-Control-Allow-Origin", origin), refused[0]];
        check(&applied(&cors, &request(&[("origin", origin)])), &expected);
    }
}

#[test]
fn vary_is_added_to() {
    for (present, expected) in
        [("Accept-Encoding", "Accept-Encoding, Origin"), ("origin", "origin"), ("Accept , ORIGIN", "Accept , ORIGIN"), ("*", "*")]
    {
        let mut headers = request(&[("vary", present)]);
        fixed().apply(&HeaderMap::new(), &mut headers);
        assert_eq!(headers[VARY], expected);
        assert_eq!(headers.get_all(VARY).iter().count(), 1);
    }
}

#[test]
fn mistakes_are_reported() {
    let invalid = |origin: &str| CorsError::InvalidOrigin(origin.to_owned());
    for origin in ["http://a/", "a.example", "http://A", "http://a b", "http://a\n", "://a", "http://*.a", "http://é", ""] {
        assert_eq!(Cors::new().allow_origin(origin).check(), Err(invalid(origin)), "{origin}");
    }
    for origin in ["null", "http://localhost:5173", "https://[::1]:8", "capacitor://localhost", "file://"] {
        assert_eq!(Cors::new().allow_origin(origin).check(), Ok(()), "{origin}");
    }
    assert_eq!(Cors::new().check(), Err(CorsError::NoOrigin));
    assert_eq!(Cors::new().allow_any_origin().allow_credentials(true).check(), Err(CorsError::CredentialsWithAnyOrigin));
    assert_eq!(Cors::new().allow_any_origin().allow_headers(["x a"]).check(), Err(CorsError::InvalidHeaderName("x a".to_owned())));
    for cors in [
        Cors::new().allow_any_origin().mirror_origin(),
        Cors::new().mirror_origin().allow_origin("http://a"),
        Cors::new().allow_origin("http://a").allow_any_origin(),
        Cors::new().allow_any_origin().allow_origin_if(|_| true),
    ] {
        assert_eq!(cors.check(), Err(CorsError::ConflictingOrigins));
    }
    assert_eq!(Cors::new().allow_origin("x").allow_origin("y").check(), Err(invalid("x")), "the first mistake");
}
