//! Errors as the client sees them: RFC 9457 problem documents with a stable code.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bz_tenant::DbError;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::context;
use crate::validation::{Errors, FieldError};

/// Media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error on its way to a client: what the client may read, and the cause that only the log gets.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    code: Cow<'static, str>,
    title: Cow<'static, str>,
    detail: Option<String>,
    errors: Vec<FieldError>,
    headers: HeaderMap,
    cause: Option<Cause>,
}

/// Why a request failed, for the log. It travels beside the response, never in it.
#[derive(Clone, Debug)]
pub struct Cause(pub(crate) Arc<dyn Error + Send + Sync>);

/// The problem document (RFC 9457) that every error answers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// Reference that identifies the kind of problem.
    #[schema(example = "/problems/not_found")]
    pub r#type: String,
    /// The kind of problem for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The kind of problem for programs; never changes.
    #[schema(example = "not_found")]
    pub code: String,
    /// What went wrong this time and what to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The request's id, as in `X-Request-Id` and in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Every fault in what was sent.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// A problem with its own code.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        title: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Parts {
            status,
            code: code.into(),
            title: title.into(),
            detail: None,
            errors: Vec::new(),
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// Says what went wrong this time and what to change.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds one fault of what was sent.
    #[must_use]
    pub fn error(
        mut self,
        pointer: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.0.errors.push(FieldError::new(pointer, code, message));
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Says after how many seconds it is worth trying again.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Keeps the cause for the log. The client never sees it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.cause = Some(Cause(Arc::from(cause.into())));
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The document as it would be answered now.
    #[must_use]
    pub fn document(&self) -> ProblemDocument {
        let context = context::current();
        ProblemDocument {
            r#type: format!("/problems/{}", self.0.code),
            title: self.0.title.clone().into_owned(),
            status: self.0.status.as_u16(),
            code: self.0.code.clone().into_owned(),
            detail: self.0.detail.clone(),
            instance: context.as_ref().map(|context| context.path.clone()),
            request_id: context.as_ref().map(|context| context.request_id.clone()),
            errors: self.0.errors.clone(),
        }
    }
}

/// The problems that every service may answer, in one table: status, code, title. `docs/errors.md` is made from it.
pub const CODES: &[(u16, &str, &str)] = &[
    (400, "malformed_json", "The body is not JSON"),
    (401, "unauthenticated", "Authentication is needed"),
    (403, "forbidden", "The permission is missing"),
    (404, "not_found", "There is nothing here"),
    (405, "method_not_allowed", "The method is not allowed here"),
    (
        409,
        "conflict",
        "The change conflicts with the current state",
    ),
    (412, "precondition_failed", "The version has changed"),
    (413, "payload_too_large", "The body is too large"),
    (
        415,
        "unsupported_media_type",
        "The media type is not supported",
    ),
    (422, "validation_failed", "What was sent is not valid"),
    (
        422,
        "idempotency_key_reused",
        "The idempotency key was used for another request",
    ),
    (500, "internal", "Something went wrong on our side"),
    (503, "unavailable", "The service cannot answer right now"),
    (503, "not_ready", "The service is not ready"),
    (504, "deadline_exceeded", "The request took too long"),
];

macro_rules! common {
    ($($(#[$doc:meta])* $name:ident => $code:literal;)+) => {
        impl Problem {
            $($(#[$doc])* #[must_use] pub fn $name() -> Self { Self::common($code) })+
        }
    };
}

common! {
    /// 401: no credentials, or bad ones. The authentication adds `WWW-Authenticate`.
    unauthenticated => "unauthenticated";
    /// 403: the caller may know that the thing exists but may not do this.
    forbidden => "forbidden";
    /// 404: nothing there, or another tenant's: the answer is the same.
    not_found => "not_found";
    /// 405: the path exists, the method does not.
    method_not_allowed => "method_not_allowed";
    /// 412: `If-Match` names another version than the current one.
    precondition_failed => "precondition_failed";
    /// 413: the body is larger than allowed.
    payload_too_large => "payload_too_large";
    /// 415: not a media type that is understood here.
    unsupported_media_type => "unsupported_media_type";
    /// 504: the deadline passed.
    deadline_exceeded => "deadline_exceeded";
}

impl Problem {
    /// One of [`CODES`].
    fn common(code: &'static str) -> Self {
        let (status, _, title) = CODES
            .iter()
            .find(|entry| entry.1 == code)
            .copied()
            .unwrap_or((500, code, code));
        Self::new(
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            title,
        )
    }

    /// 400: the body cannot be read as JSON.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::common("malformed_json").detail(detail)
    }

    /// 409 with a code of the service's own, for example `email_taken`.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            code,
            "The change conflicts with the current state",
        )
        .detail(detail)
    }

    /// 422: everything that is wrong with what was sent.
    #[must_use]
    pub fn validation(errors: Errors) -> Self {
        let mut problem = Self::common("validation_failed");
        problem.0.errors = errors.into();
        problem
    }

    /// 422 for one fault in a body.
    pub fn invalid(
        pointer: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::common("validation_failed").error(pointer, code, message)
    }

    /// 422 for a fault in a query parameter or header.
    pub fn invalid_parameter(
        name: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let mut problem = Self::common("validation_failed");
        problem
            .0
            .errors
            .push(FieldError::of_parameter(name, code, message));
        problem
    }

    /// 422: the key belongs to another request.
    #[must_use]
    pub fn idempotency_key_reused() -> Self {
        Self::common("idempotency_key_reused")
            .detail("Send a new Idempotency-Key with a new request.")
    }

    /// 503: a dependency does not answer; the cause goes to the log.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::common("unavailable").retry_after(1).caused_by(cause)
    }

    /// 503: the service is starting, or its database is not usable.
    pub fn not_ready(detail: impl Into<String>) -> Self {
        Self::common("not_ready").detail(detail).retry_after(1)
    }

    /// 500: a fault of ours; the cause goes to the log.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::common("internal").caused_by(cause)
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable { .. } | DbError::Serialization { .. } => Self::unavailable(error),
            _ => Self::internal(error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.document()).unwrap_or_default();
        let mut response = Response::new(body.into());
        *response.status_mut() = self.0.status;
        *response.headers_mut() = self.0.headers;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response.extensions_mut().insert(ProblemCode(self.0.code));
        if let Some(cause) = self.0.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

/// The code of a problem, beside its response, for the log.
#[derive(Clone, Debug)]
pub(crate) struct ProblemCode(pub(crate) Cow<'static, str>);
