//! Bodies of SCIM requests: JSON objects whose attribute names are read in any case (RFC 7643 section 2.1).

use axum::extract::{FromRequest, Request};
use bz_http::{Problem, extract};
use http::header;
use serde_json::{Map, Value};

use super::error::bad_request;

/// A JSON object.
pub(super) struct ScimBody(pub(super) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for ScimBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok());
        let essence = media_type.and_then(|value| value.split(';').next());
        let is_json = essence.is_some_and(|essence| {
            let essence = essence.trim().to_ascii_lowercase();
            matches!(
                essence.as_str(),
                "application/scim+json" | "application/json"
            )
        });
        if !is_json {
            return Err(Problem::unsupported_media_type().detail("Send application/scim+json."));
        }
        let body = extract::read_body(request, state).await?;
        match extract::parse::<Value>(&body)? {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(bad_request("invalidSyntax", "The body must be an object.")),
        }
    }
}

/// A member of an object by its name in any case; null is the same as none (RFC 7643 section 2.5).
pub(super) fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .filter(|value| !value.is_null())
}

/// A text of at most `most` characters without control characters; none when it is missing or empty.
///
/// # Errors
/// 400 `invalidValue`.
pub(super) fn text(
    object: &Map<String, Value>,
    name: &str,
    most: usize,
) -> Result<Option<String>, Problem> {
    let Some(value) = member(object, name) else {
        return Ok(None);
    };
    let Some(text) = value.as_str().map(str::trim) else {
        return Err(bad_request(
            "invalidValue",
            format!("{name} must be a text."),
        ));
    };
    if text.chars().count() > most || text.chars().any(char::is_control) {
        let detail =
            format!("{name} must have at most {most} characters, and no control characters.");
        return Err(bad_request("invalidValue", detail));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A truth value, also as the text that some directories send.
///
/// # Errors
/// 400 `invalidValue`.
pub(super) fn boolean(value: &Value) -> Result<bool, Problem> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(bad_request("invalidValue", "active must be true or false.")),
    }
}
