//! Requests that a browser's cookie speaks for: they must come from a page of ours.
//!
//! The cookie itself is `SameSite=Strict`. What it leaves open are pages of the same site that are not ours, and browsers
//! that do not know the attribute: hence the `Origin`, which no page chooses, and a header that no form can send and
//! that a page of another origin may not send without being asked for (OWASP Cross-Site Request Forgery Prevention).

use bz_http::Problem;
use http::{HeaderMap, StatusCode, header};

use crate::app::AppState;

/// The header that a page must send with whatever value.
pub(crate) const HEADER: &str = "x-requested-with";

/// Passes requests from the configured origins that send the header.
///
/// # Errors
/// 403 `origin_not_allowed`.
pub(crate) fn check(app: &AppState, headers: &HeaderMap) -> Result<(), Problem> {
    if is_ours(app, headers) && headers.contains_key(HEADER) {
        Ok(())
    } else {
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "origin_not_allowed",
            "Cookies are not accepted from here",
        )
        .detail(
            "Call from an origin that COOKIE_ORIGINS lists, with the header `X-Requested-With`, or send the refresh token \
             in the body.",
        ))
    }
}

/// Whether a page of another origin sends this. What is no browser names no origin.
pub(crate) fn is_foreign(app: &AppState, headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) && !is_ours(app, headers)
}

fn is_ours(app: &AppState, headers: &HeaderMap) -> bool {
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok());
    origin.is_some_and(|origin| app.config.cookie_origins.iter().any(|ours| ours == origin))
}
