//! JSON bodies and answers.

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use super::{nul_in_body, read_body};
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

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    let Some(value) = value.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads a JSON document into a type, with the place of the fault when it does not fit.
///
/// # Errors
/// 400 when it is no JSON, 422 when it has another shape.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if has_nul(body) {
        return Err(nul_in_body());
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().clone();
        unreadable(&path, &error.into_inner())
    })?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn unreadable(path: &serde_path_to_error::Path, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        return not_json(error);
    }
    let fault = Fault::new(path, said(error));
    Problem::invalid(fault.pointer(), fault.code, fault.message)
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::malformed(format!(
        "{} (line {}, column {})",
        said(error),
        error.line(),
        error.column()
    ))
}

/// The error's text without the place, which serde_json appends and which is said better elsewhere.
fn said(error: &serde_json::Error) -> String {
    let mut message = error.to_string();
    if let Some(place) = message.rfind(" at line ") {
        message.truncate(place);
    }
    message
}

/// Postgres stores no U+0000; written as it is or as an escape.
fn has_nul(body: &[u8]) -> bool {
    const ESCAPE: &[u8] = br"\u0000";
    if body.contains(&0) {
        return true;
    }
    body.windows(ESCAPE.len()).enumerate().any(|(at, window)| {
        // An even number of backslashes before it means that this one is itself escaped: "\\u0000" is plain text.
        window == ESCAPE
            && body[..at]
                .iter()
                .rev()
                .take_while(|b| **b == b'\\')
                .count()
                .is_multiple_of(2)
    })
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
        #[serde(rename = "a/b")]
        #[expect(dead_code, reason = "only its shape matters")]
        count: u8,
    }

    fn fault(body: &str) -> (u16, String, String) {
        let document = parse::<Outer>(body.as_bytes()).unwrap_err().document();
        match document.errors.first() {
            Some(error) => (
                document.status,
                error.code.to_string(),
                error.pointer.clone().unwrap_or_default().into_owned(),
            ),
            None => (document.status, document.code, String::new()),
        }
    }

    fn expected(status: u16, code: &str, pointer: &str) -> (u16, String, String) {
        (status, code.to_owned(), pointer.to_owned())
    }

    #[test]
    fn faults_name_their_place() {
        let wrong = r#"{"items":[{"a/b":1},{"a/b":300}]}"#;
        assert_eq!(
            fault(wrong),
            expected(422, "invalid_value", "/items/1/a~1b")
        );
        assert_eq!(
            fault(r#"{"items":[],"x":1}"#),
            expected(422, "unknown_field", "/x")
        );
        assert_eq!(fault("{}"), expected(422, "required", "/items"));
        assert_eq!(
            fault(r#"{"items":[{}]}"#),
            expected(422, "required", "/items/0/a~1b")
        );
        assert_eq!(fault("7"), expected(422, "invalid_value", ""));
    }

    #[test]
    fn what_is_no_json_is_told_with_line_and_column() {
        for body in [
            "",
            r#"{"items":"#,
            r#"{"items":[]} x"#,
            r#"{"items":["\ud800"]}"#,
        ] {
            assert_eq!(fault(body), expected(400, "malformed_json", ""), "{body}");
        }
        let detail = parse::<Outer>(b"{\n  nope").unwrap_err().document().detail;
        assert_eq!(
            detail.as_deref(),
            Some("key must be a string (line 2, column 3)")
        );
    }

    #[test]
    fn nul_is_refused_however_it_is_written_and_its_plain_text_is_not() {
        assert_eq!(fault("{\"items\":\"\\u0000\"}").0, 422);
        assert!(has_nul(b"a\0b"));
        assert!(has_nul(br#""\\\u0000""#));
        assert!(!has_nul(br#""\\u0000""#));
    }

    #[test]
    fn json_is_known_by_its_media_type_with_or_without_parameters() {
        let is = |value: &'static str| {
            is_json(&HeaderMap::from_iter([(
                header::CONTENT_TYPE,
                HeaderValue::from_static(value),
            )]))
        };
        assert!(is("application/json"));
        assert!(is("Application/JSON; charset=utf-8"));
        assert!(is("application/merge-patch+json"));
        assert!(!is("text/json") && !is("application/jsonp") && !is(""));
        assert!(!is_json(&HeaderMap::new()));
    }
}
