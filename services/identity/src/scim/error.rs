//! Errors in the form of RFC 7644 section 3.12.

use axum::{
    body::{Body, to_bytes},
    response::Response,
};
use bz_http::{Problem, ProblemDocument};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::answer::MEDIA_TYPE;

/// More than any problem document has, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// 400 with one of the codes of RFC 7644 table 9.
pub(super) fn bad_request(scim_type: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, scim_type, "Bad request").detail(detail)
}

/// Turns whatever refused the request into a SCIM error; good answers pass.
pub(super) async fn in_scim_form(response: Response) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, MOST_BYTES).await.unwrap_or_default();
    let problem: Option<ProblemDocument> = serde_json::from_slice(&bytes).ok();
    let code = problem.as_ref().map_or("", |problem| problem.code.as_str());
    // SCIM knows no 422: what cannot be processed is a bad request.
    if status == StatusCode::UNPROCESSABLE_ENTITY {
        parts.status = StatusCode::BAD_REQUEST;
    }
    let mut error = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": parts.status.as_str(),
        "detail": detail(problem.as_ref(), parts.status),
    });
    if let Some(scim_type) = scim_type(code) {
        error["scimType"] = scim_type.into();
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Response::from_parts(parts, Body::from(error.to_string()))
}

fn detail(problem: Option<&ProblemDocument>, status: StatusCode) -> String {
    let reason = || status.canonical_reason().unwrap_or_default().to_owned();
    problem.map_or_else(reason, |problem| {
        let faults = problem.errors.iter().map(|fault| {
            let place = fault.pointer.as_ref().or(fault.parameter.as_ref());
            format!(
                "{}: {}",
                place.map_or("", |place| place.as_ref()),
                fault.message
            )
        });
        let lines: Vec<String> = problem.detail.clone().into_iter().chain(faults).collect();
        if lines.is_empty() {
            problem.title.clone()
        } else {
            lines.join("; ")
        }
    })
}

fn scim_type(code: &str) -> Option<&'static str> {
    const OWN: [&str; 8] = [
        "invalidFilter",
        "tooMany",
        "uniqueness",
        "mutability",
        "invalidSyntax",
        "invalidPath",
        "noTarget",
        "invalidValue",
    ];
    match code {
        "email_taken" | "role_name_taken" => Some("uniqueness"),
        "malformed_json" => Some("invalidSyntax"),
        "validation_failed" => Some("invalidValue"),
        _ => OWN.into_iter().find(|own| *own == code),
    }
}

/// Discovery has no filters (RFC 7644 section 4).
///
/// # Errors
/// 403.
pub(super) fn forbid_filter(query: &super::query::ScimQuery) -> Result<(), Problem> {
    match query.filter()? {
        None => Ok(()),
        Some(_) => Err(Problem::forbidden().detail("Discovery cannot be filtered.")),
    }
}
