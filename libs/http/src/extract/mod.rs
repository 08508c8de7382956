//! Extractors whose rejections are problems.

mod fault;
mod json;
mod object;
mod urlencoded;

use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::Problem;
pub use json::{Json, parse};
pub use object::object;
pub use urlencoded::{Form, Query, is_form};

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
        // Postgres stores no U+0000, so nothing is named by it.
        if has_escaped_nul(parts.uri.path().as_bytes()) {
            return Err(Problem::not_found());
        }
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(path) => Ok(Self(path.0)),
            Err(rejection) if rejection.status().is_server_error() => {
                Err(Problem::internal(rejection))
            }
            Err(_) => Err(Problem::not_found()),
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

/// Whether percent-encoded text has U+0000 in it.
fn has_escaped_nul(text: &[u8]) -> bool {
    text.windows(3).any(|window| window == b"%00")
}

/// What is answered to U+0000 in a body.
fn nul_in_body() -> Problem {
    Problem::invalid(
        "",
        "nul_character",
        "texts must not contain the character U+0000",
    )
}
