//! Extractors whose rejections are problems.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Problem, Validate, validated};

/// A JSON body, read and validated; or a JSON answer.
///
/// Not JSON is 400, another media type 415, too large 413, a wrong shape or value 422 with the place of every fault.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Validate, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(
                Problem::unsupported_media_type().detail("Send the body as application/json.")
            );
        }
        let body = read_body(request, state).await?;
        parse(&body).and_then(validated).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let mut response = Response::new(body.into());
                response.headers_mut().insert(
                    header::CONTENT_TYPE,
                    HeaderValue::from_static("application/json"),
                );
                response
            }
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}

/// The whole body, within the limit that the stack of layers set.
///
/// # Errors
/// 413 over the limit, 400 when the client stops sending.
pub async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::payload_too_large()
            } else {
                Problem::malformed("The body could not be read.").caused_by(rejection)
            }
        })
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let essence = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads a JSON document into a type, with the place of the fault when it does not fit.
///
/// # Errors
/// 400 when it is no JSON, 422 when it has another shape.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if has_nul(body) {
        return Err(Problem::invalid(
            "",
            "nul_character",
            "texts must not contain the character U+0000",
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        unreadable(error.into_inner(), pointer)
    })?;
    reader
        .end()
        .map_err(|error| unreadable(error, String::new()))?;
    Ok(value)
}

fn unreadable(error: serde_json::Error, pointer: String) -> Problem {
    let message = error.to_string();
    // serde_json appends the place in the text, which the pointer says better.
    let said = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(said, _)| said)
        .to_owned();
    if error.is_data() {
        Problem::invalid(pointer, "invalid_value", said)
    } else {
        Problem::malformed(format!(
            "{said} (line {}, column {})",
            error.line(),
            error.column()
        ))
    }
}

/// Postgres stores no U+0000; written as it is or as an escape.
fn has_nul(body: &[u8]) -> bool {
    if body.contains(&0) {
        return true;
    }
    const ESCAPE: &[u8] = br"\u0000";
    body.windows(ESCAPE.len()).enumerate().any(|(at, window)| {
        // An even number of backslashes before it means that this one is itself escaped: "\\u0000" is plain text.
        window == ESCAPE && body[..at].iter().rev().take_while(|b| **b == b'\\').count() % 2 == 0
    })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let step = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&step);
    }
    pointer
}

/// Query parameters. A fault is 422.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::disallowed_types,
    reason = "wraps axum's extractor with problems for rejections"
)]
pub struct Query<T>(pub T);

#[expect(
    clippy::disallowed_types,
    reason = "wraps axum's extractor with problems for rejections"
)]
impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(Problem::invalid_parameter(
                "query",
                "nul_character",
                "must not contain the character U+0000",
            ));
        }
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|rejection| {
                let body = rejection.body_text();
                let said = body
                    .rsplit_once("query string: ")
                    .map_or(body.as_str(), |(_, said)| said);
                // "name: what is wrong", from the path to the fault.
                match said.split_once(": ") {
                    Some((name, said)) if !name.contains(' ') => Problem::invalid_parameter(
                        name.to_owned(),
                        "invalid_value",
                        said.to_owned(),
                    ),
                    _ => Problem::invalid_parameter("query", "invalid_value", said.to_owned()),
                }
            })
    }
}

/// Path parameters. What cannot be an id is answered like an id that does not exist: 404.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

#[expect(
    clippy::disallowed_types,
    reason = "wraps axum's extractor with problems for rejections"
)]
impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(path) => Ok(Self(path.0)),
            Err(rejection) if rejection.status().is_server_error() => {
                Err(Problem::internal(rejection))
            }
            Err(_) => Err(Problem::not_found()),
        }
    }
}

/// A form body (`application/x-www-form-urlencoded`), read and validated.
#[derive(Debug, Clone, Copy)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + Validate, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_form(request.headers()) {
            return Err(Problem::unsupported_media_type()
                .detail("Send an application/x-www-form-urlencoded body."));
        }
        let body = read_body(request, state).await?;
        if body.contains(&0) || body.windows(3).any(|window| window == b"%00") {
            return Err(Problem::invalid(
                "",
                "nul_character",
                "texts must not contain the character U+0000",
            ));
        }
        let form = axum::extract::RawForm(body);
        let value = serde_urlencoded(&form.0)
            .map_err(|said| Problem::invalid("", "invalid_value", said))?;
        validated(value).map(Self)
    }
}

/// Whether the body is a form.
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .to_ascii_lowercase()
                .starts_with("application/x-www-form-urlencoded")
        })
}

#[expect(
    clippy::disallowed_types,
    reason = "the form reader behind axum's query extractor"
)]
fn serde_urlencoded<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the form is not UTF-8".to_owned())?;
    let query = format!("/?{text}");
    let uri = query
        .parse()
        .map_err(|_| "the form has characters that must be percent-encoded".to_owned())?;
    axum::extract::Query::try_from_uri(&uri)
        .map(|query| query.0)
        .map_err(|rejection| rejection.body_text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its shape matters")]
        items: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only its shape matters")]
        count: u8,
    }

    fn fault(body: &str) -> (u16, String, Option<String>) {
        let document = parse::<Outer>(body.as_bytes()).unwrap_err().document();
        let pointer = document
            .errors
            .first()
            .and_then(|error| error.pointer.as_ref())
            .map(ToString::to_string);
        (document.status, document.code, pointer)
    }

    #[test]
    fn faults_name_their_place() {
        assert_eq!(
            fault(r#"{"items":[{"count":1},{"count":300}]}"#).2.unwrap(),
            "/items/1/count"
        );
        assert_eq!(fault(r#"{"items":[],"x":1}"#).2.unwrap(), "/x");
        assert_eq!(fault(r#"{"items":"#).1, "malformed_json");
        assert_eq!(fault(r#"{"items":[]} x"#).1, "malformed_json");
        assert_eq!(fault("").0, 400);
    }

    #[test]
    fn nul_is_refused_however_it_is_written_and_its_plain_text_is_not() {
        assert_eq!(fault("{\"items\":\"\\u0000\"}").0, 422);
        assert!(has_nul(b"a\0b"));
        assert!(has_nul(br#""\\\u0000""#));
        assert!(!has_nul(br#""\\u0000""#));
    }
}
