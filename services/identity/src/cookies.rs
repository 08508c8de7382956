//! Cookies that only this host gets back, only over TLS, and that no script reads (OWASP ASVS 5.0 3.3).

use chrono::TimeDelta;
use http::{HeaderMap, HeaderValue, header};

/// The value of a cookie of the request.
pub(crate) fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// A `Set-Cookie` for a name that begins with `__Host-`. The value is base64url and dots.
pub(crate) fn set(name: &str, value: &str, lifetime: TimeDelta) -> HeaderValue {
    let text = format!(
        "{name}={value}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Strict",
        lifetime.num_seconds()
    );
    // Nothing in it that could not stand in a header; without the cookie the client logs in again.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// A `Set-Cookie` that removes one.
pub(crate) fn clear(name: &str) -> HeaderValue {
    set(name, "", TimeDelta::zero())
}
