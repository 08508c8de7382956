//! The problems that every service may answer.

use std::borrow::Cow;
use std::error::Error;

use bz_tenant::DbError;
use http::StatusCode;

use super::Problem;
use crate::validation::{Errors, FieldError};

/// One kind of problem that every service may answer.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// What it means.
    pub title: &'static str,
    /// What the client can do about it.
    pub remedy: &'static str,
}

const fn code(
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    remedy: &'static str,
) -> Code {
    Code {
        status,
        code,
        title,
        remedy,
    }
}

/// The problems that every service may answer, in one table. `docs/errors.md` is made from it.
pub const CODES: &[Code] = &[
    code(
        StatusCode::BAD_REQUEST,
        "malformed_json",
        "The body is not JSON",
        "Correct the text; `detail` has the line and column.",
    ),
    code(
        StatusCode::UNAUTHORIZED,
        "unauthenticated",
        "Authentication is needed",
        "Get a token from the identity service and send it as `Authorization: Bearer`.",
    ),
    code(
        StatusCode::FORBIDDEN,
        "forbidden",
        "The permission is missing",
        "Ask an administrator of the tenant for a role that has it.",
    ),
    code(
        StatusCode::NOT_FOUND,
        "not_found",
        "There is nothing here",
        "Check the path and the id. What belongs to another tenant is answered the same way.",
    ),
    code(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "The method is not allowed here",
        "Use one of the methods that the `Allow` header lists.",
    ),
    code(
        StatusCode::CONFLICT,
        "conflict",
        "The change conflicts with the current state",
        "Read the record again and decide anew.",
    ),
    code(
        StatusCode::CONFLICT,
        "idempotency_in_progress",
        "The first request with this key is still at work",
        "Send the request again.",
    ),
    code(
        StatusCode::PRECONDITION_FAILED,
        "precondition_failed",
        "The version has changed",
        "Read the record again and repeat the change with its `ETag` in `If-Match`.",
    ),
    code(
        StatusCode::PAYLOAD_TOO_LARGE,
        "payload_too_large",
        "The body is too large",
        "Send less at once.",
    ),
    code(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The media type is not supported",
        "Set `Content-Type` to what `detail` names.",
    ),
    code(
        StatusCode::UNPROCESSABLE_ENTITY,
        "validation_failed",
        "What was sent is not valid",
        "Correct every entry of `errors`.",
    ),
    code(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "The idempotency key was used for another request",
        "Make a new `Idempotency-Key` for a new request.",
    ),
    code(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong on our side",
        "Report the `request_id`; the log has the cause under it.",
    ),
    code(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "The service cannot answer right now",
        "Try again after `Retry-After` seconds.",
    ),
    code(
        StatusCode::SERVICE_UNAVAILABLE,
        "not_ready",
        "The service is not ready",
        "Try again after `Retry-After` seconds; `/health` says what is missing.",
    ),
    code(
        StatusCode::GATEWAY_TIMEOUT,
        "deadline_exceeded",
        "The request took too long",
        "Try again, with more time if `X-Request-Deadline-Ms` was sent.",
    ),
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
    /// 409: the first request with this idempotency key has left no answer yet.
    idempotency_in_progress => "idempotency_in_progress";
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
        let known = CODES.iter().find(|known| known.code == code);
        let (status, title) = known.map_or((StatusCode::INTERNAL_SERVER_ERROR, code), |known| {
            (known.status, known.title)
        });
        Self::new(status, code, title)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_written_in_snake_case() {
        for (at, known) in CODES.iter().enumerate() {
            assert!(CODES[..at].iter().all(|other| other.code != known.code));
            assert!(
                known
                    .code
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_')
            );
            assert_eq!(Problem::common(known.code).status(), known.status);
        }
    }

    #[test]
    fn every_ready_made_problem_is_in_the_table() {
        let made = [
            Problem::unauthenticated(),
            Problem::forbidden(),
            Problem::not_found(),
            Problem::method_not_allowed(),
            Problem::idempotency_in_progress(),
            Problem::precondition_failed(),
            Problem::payload_too_large(),
            Problem::unsupported_media_type(),
            Problem::deadline_exceeded(),
            Problem::malformed(""),
            Problem::conflict("conflict", ""),
            Problem::validation(Errors::default()),
            Problem::idempotency_key_reused(),
            Problem::unavailable("gone"),
            Problem::not_ready(""),
            Problem::internal("bug"),
        ];
        assert_eq!(made.len(), CODES.len());
        for problem in made {
            let known = CODES.iter().find(|known| known.code == problem.code());
            assert!(known.is_some_and(|known| known.status == problem.status()));
        }
    }
}
