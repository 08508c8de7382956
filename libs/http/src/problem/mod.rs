//! Errors as the client sees them: RFC 9457 problem documents with a stable code.

mod codes;

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use codes::{CODES, Code};

use crate::context;
use crate::validation::FieldError;

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
    members: Map<String, Value>,
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
    /// What this kind of problem says besides (extension members, RFC 9457 section 3.2).
    #[serde(flatten)]
    #[schema(ignore)]
    pub members: Map<String, Value>,
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
            members: Map::new(),
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

    /// Adds a member of the problem's own to the document (an extension member, RFC 9457 section 3.2).
    #[must_use]
    pub fn member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
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
            members: self.0.members.clone(),
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
