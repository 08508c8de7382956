//! Errors as RFC 6749 section 5.2 wants them, which is not how the rest of the API answers.

use axum::response::{IntoResponse, Response};
use bz_auth::mint::KeyError;
use bz_http::Json;
use bz_tenant::DbError;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// Why no token was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenError {
    /// A parameter is missing, there twice, or the body is no form.
    InvalidRequest(&'static str),
    /// Unknown client, or wrong secret.
    InvalidClient,
    /// A grant that this service does not know.
    UnsupportedGrantType,
    /// A code or a refresh token that is wrong, has ended, was used, or is another client's.
    InvalidGrant(&'static str),
    /// The client is registered for other grants.
    UnauthorizedClient,
    /// A scope that the client may not have.
    InvalidScope,
    /// Cannot answer right now.
    Unavailable,
    /// Something is wrong on our side.
    ServerError,
}

impl From<DbError> for TokenError {
    fn from(error: DbError) -> Self {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a token request failed"
        );
        match error {
            DbError::Unavailable(_) => Self::Unavailable,
            _ => Self::ServerError,
        }
    }
}

impl From<KeyError> for TokenError {
    fn from(error: KeyError) -> Self {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a token could not be signed"
        );
        Self::ServerError
    }
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: &'static str,
}

impl TokenError {
    /// Status, code and description.
    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidRequest(what) => (StatusCode::BAD_REQUEST, "invalid_request", what),
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "The client or its secret is wrong.",
            ),
            Self::UnsupportedGrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "See grant_types_supported of the discovery document.",
            ),
            Self::InvalidScope => (
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                "The client may not ask for one of the scopes.",
            ),
            Self::InvalidGrant(what) => (StatusCode::BAD_REQUEST, "invalid_grant", what),
            Self::UnauthorizedClient => (
                StatusCode::BAD_REQUEST,
                "unauthorized_client",
                "The client is not registered for this grant.",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "Try again in a moment.",
            ),
            Self::ServerError => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "Something went wrong on our side.",
            ),
        }
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let (status, error, error_description) = self.parts();
        let mut response = (
            status,
            Json(Body {
                error,
                error_description,
            }),
        )
            .into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self == Self::InvalidClient {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"oauth2\""),
            );
        }
        response
    }
}
