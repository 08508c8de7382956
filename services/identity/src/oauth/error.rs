//! Errors as RFC 6749 section 5.2 wants them, which is not how the rest of the API answers.

use axum::response::{IntoResponse, Response};
use bz_http::Json;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// Why no token was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenError {
    /// A parameter is missing, there twice, or the body is no form.
    InvalidRequest(&'static str),
    /// Unknown client, or wrong secret.
    InvalidClient,
    /// Not `client_credentials`.
    UnsupportedGrantType,
    /// A scope that the client may not have.
    InvalidScope,
    /// Something is wrong on our side.
    ServerError,
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: &'static str,
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let (status, error, error_description) = match self {
            Self::InvalidRequest(what) => (StatusCode::BAD_REQUEST, "invalid_request", what),
            Self::InvalidClient => (
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "The client or its secret is wrong.",
            ),
            Self::UnsupportedGrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "Only client_credentials is supported.",
            ),
            Self::InvalidScope => (
                StatusCode::BAD_REQUEST,
                "invalid_scope",
                "The client may ask for events:read.",
            ),
            Self::ServerError => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                "Something went wrong on our side.",
            ),
        };
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
