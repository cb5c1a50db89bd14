//! `Jar`: the cookies of one server, such as that of a sticky load balancer.
//!
//! All requests go to one host and one path, so a cookie is a name, a value and at most an end. Not here: domains, paths and
//! dates; a cookie that the server wants gone is recognized by `Max-Age`.

use http::{HeaderMap, HeaderValue, header::SET_COOKIE};

/// What a server may make a client carry; more cookies, and larger ones, are not kept.
const COOKIES: usize = 50;
const COOKIE_BYTES: usize = 4096;

#[derive(Debug, Default)]
pub(in crate::client) struct Jar(Vec<(String, String)>);

impl Jar {
    /// Keeps the cookies of an answer.
    pub(super) fn keep(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let Ok(text) = cookie.to_str() else { continue };
            let mut parts = text.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            let gone = parts.any(|part| {
                let age = part.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"));
                age.is_some_and(|(_, age)| age.trim().parse::<i64>().is_ok_and(|age| age <= 0))
            });
            self.0.retain(|(known, _)| known != name);
            if !gone && self.0.len() < COOKIES && name.len() + value.len() <= COOKIE_BYTES {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// The `Cookie` header.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { None } else { HeaderValue::from_str(&pairs.join("; ")).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(cookies: &[&str]) -> Option<String> {
        let mut jar = Jar::default();
        for cookie in cookies {
            let mut headers = HeaderMap::new();
            headers.append(SET_COOKIE, HeaderValue::from_str(cookie).expect("legal"));
            jar.keep(&headers);
        }
        jar.header().map(|header| header.to_str().expect("text").to_owned())
    }

    #[test]
    fn cookies_come_back() {
        assert_eq!(kept(&["io=abc; Path=/; HttpOnly", "lb=1"]).as_deref(), Some("io=abc; lb=1"));
        assert_eq!(kept(&["io=abc", "io=def; Max-Age=60"]).as_deref(), Some("io=def"));
        assert_eq!(kept(&["io=abc", "io=; max-age=0"]), None);
        assert_eq!(kept(&["nonsense", &format!("a={}", "x".repeat(5000))]), None);
        let many: Vec<String> = (0..100).map(|number| format!("c{number}=1")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(kept(&many).expect("some").split("; ").count(), COOKIES);
    }
}
