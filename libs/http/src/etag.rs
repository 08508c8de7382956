//! Optimistic concurrency: a record's version as its `ETag`, and `If-Match` on changes (RFC 9110, section 13).

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

use crate::{Json, Problem};

/// The `ETag` of a version.
#[must_use]
#[expect(clippy::expect_used, reason = "a number in quotes is a header value")]
pub fn etag(version: i64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("digits in quotes")
}

/// A record with its version, answered with an `ETag`.
#[derive(Debug, Clone, Copy)]
pub struct Versioned<T>(pub i64, pub T);

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.1).into_response();
        response.headers_mut().insert(header::ETAG, etag(self.0));
        response
    }
}

/// The versions that a change may be made on; any, when the header is missing or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<String>>);

impl IfMatch {
    /// Passes when the current version is one that the client named.
    ///
    /// # Errors
    /// 412 with the current `ETag` otherwise.
    pub fn check(&self, current: i64) -> Result<(), Problem> {
        let Some(named) = &self.0 else { return Ok(()) };
        let current = etag(current);
        if named.iter().any(|tag| tag.as_bytes() == current.as_bytes()) {
            return Ok(());
        }
        Err(Problem::precondition_failed()
            .detail("Somebody changed it meanwhile. Read it again and repeat the change on the new version.")
            .header(header::ETAG, current))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        tags(&parts.headers).map(Self)
    }
}

fn tags(headers: &HeaderMap) -> Result<Option<Vec<String>>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let bad = || {
        Problem::invalid_parameter(
            "If-Match",
            "invalid_value",
            "must be an ETag in quotes, or *",
        )
    };
    let text = value.to_str().map_err(|_| bad())?.trim();
    if text == "*" {
        return Ok(None);
    }
    // A weak tag never matches in If-Match, so it is kept as it is and fails the comparison.
    let tags: Vec<String> = text.split(',').map(|tag| tag.trim().to_owned()).collect();
    let quoted = |tag: &String| {
        tag.len() >= 2 && tag.ends_with('"') && (tag.starts_with('"') || tag.starts_with("W/\""))
    };
    if tags.iter().all(quoted) {
        Ok(Some(tags))
    } else {
        Err(bad())
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![header_parameter(
            "If-Match",
            "Make the change only on the version with this `ETag`.",
        )]
    }
}

/// `If-None-Match` on a read, for the OpenAPI document. The stack of layers answers 304 by itself wherever an answer has
/// the `ETag` that the client has already.
#[derive(Debug, Clone, Copy)]
pub struct IfNoneMatch;

impl IntoParams for IfNoneMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![header_parameter(
            "If-None-Match",
            "Answer 304 without a body if this `ETag` is still the current one.",
        )]
    }
}

/// What a read sent as `If-None-Match`; nothing for other methods.
pub(crate) fn none_match(method: &Method, headers: &HeaderMap) -> Option<HeaderValue> {
    let reads = method == Method::GET || method == Method::HEAD;
    headers
        .get(header::IF_NONE_MATCH)
        .filter(|_| reads)
        .cloned()
}

/// 304 in place of an answer that the client has already (RFC 9110, section 13.1.2: the comparison is weak).
pub(crate) fn or_not_modified(response: Response, known: Option<&HeaderValue>) -> Response {
    let same = |known: &HeaderValue, current: &HeaderValue| {
        let (Ok(known), Ok(current)) = (known.to_str(), current.to_str()) else {
            return false;
        };
        let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        known.trim() == "*" || known.split(',').any(|tag| plain(tag) == plain(current))
    };
    let current = response.headers().get(header::ETAG);
    let is_known = known
        .zip(current)
        .is_some_and(|(known, current)| same(known, current));
    if response.status() != StatusCode::OK || !is_known {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

/// An optional text header, for the OpenAPI document.
pub(crate) fn header_parameter(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn if_match(value: &str) -> Result<IfMatch, Problem> {
        tags(&HeaderMap::from_iter([(
            header::IF_MATCH,
            HeaderValue::from_str(value).unwrap(),
        )]))
        .map(IfMatch)
    }

    #[test]
    fn a_read_of_a_version_that_is_known_is_304_without_a_body() {
        let answer = |status: StatusCode, known: &'static str| {
            let mut response = (status, "text").into_response();
            response.headers_mut().insert(header::ETAG, etag(3));
            let known = HeaderValue::from_static(known);
            let response = or_not_modified(response, Some(&known));
            let has_body = response.headers().contains_key(header::CONTENT_TYPE);
            (response.status().as_u16(), has_body)
        };
        for known in ["\"3\"", "W/\"3\"", "\"2\", \"3\"", "*"] {
            assert_eq!(answer(StatusCode::OK, known), (304, false), "{known}");
        }
        for known in ["\"2\"", "3", ""] {
            assert_eq!(answer(StatusCode::OK, known), (200, true), "{known}");
        }
        assert_eq!(answer(StatusCode::CREATED, "\"3\""), (201, true));
        let headers =
            HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static("*"))]);
        assert!(none_match(&Method::GET, &headers).is_some());
        assert!(none_match(&Method::PATCH, &headers).is_none());
    }

    #[test]
    fn only_a_named_version_passes() {
        assert!(IfMatch(None).check(3).is_ok());
        assert!(if_match("*").unwrap().check(3).is_ok());
        assert!(if_match("\"2\", \"3\"").unwrap().check(3).is_ok());
        assert_eq!(
            if_match("\"2\"").unwrap().check(3).unwrap_err().status(),
            412
        );
        assert_eq!(
            if_match("W/\"3\"").unwrap().check(3).unwrap_err().status(),
            412
        );
        assert_eq!(if_match("3").unwrap_err().status(), 422);
    }
}
