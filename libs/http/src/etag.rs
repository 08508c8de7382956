//! Optimistic concurrency: a record's version as its `ETag`, and `If-Match` on changes (RFC 9110, section 13).

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
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
