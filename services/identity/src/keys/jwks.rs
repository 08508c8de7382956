use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use utoipa::ToSchema;

use crate::app::AppState;

/// Nobody keeps the keys longer than a new one is published before it signs.
const CACHE_CONTROL: &str = "public, max-age=300, stale-while-revalidate=600";

/// The public keys of access tokens (RFC 7517).
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "documents the answer, which is made once when the keys change"
)]
pub(crate) struct KeySetDocument {
    /// Ed25519 keys (RFC 8037).
    #[schema(value_type = Vec<Object>)]
    keys: Vec<()>,
}

/// The public keys that verify access tokens: the one that signs, the next one, and those whose tokens may still be
/// good.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "keys", security(()),
    responses(
        (status = 200, description = "The keys", body = KeySetDocument, content_type = "application/json"),
        (status = 304, description = "They have not changed"),
    ),
)]
pub(crate) async fn get_jwks(State(app): State<AppState>, headers: HeaderMap) -> Response {
    let keys = app.keys.current();
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|tags| tags.split(',')).any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == keys.etag
    });
    let caching = [
        (header::CACHE_CONTROL, CACHE_CONTROL.to_owned()),
        (header::ETAG, keys.etag.clone()),
    ];
    if is_known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (
        caching,
        [(header::CONTENT_TYPE, "application/json")],
        keys.document.clone(),
    )
        .into_response()
}
