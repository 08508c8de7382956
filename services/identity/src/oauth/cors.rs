//! Which pages of other origins may read an answer of the protocols: those of the application itself, which is where its
//! redirect addresses lead. No cookie decides anything at these endpoints.

use http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::oauth_clients::OauthClient;

/// The origin that a browser names.
pub(super) fn origin(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(header::ORIGIN).cloned()
}

/// The headers by which a page of the client's own origin may read the answer; none for any other page.
pub(super) fn allow(origin: Option<&HeaderValue>, client: &OauthClient) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    let is_own = |origin: &&HeaderValue| {
        client
            .redirect_uris
            .iter()
            .filter_map(|uri| Url::parse(uri).ok())
            .any(|uri| {
                uri.origin().is_tuple()
                    && uri.origin().ascii_serialization().as_bytes() == origin.as_bytes()
            })
    };
    if let Some(origin) = origin.filter(is_own) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    headers
}

/// The headers of what every page may read: it is public, or the bearer of a token asked for it.
pub(super) fn anybody() -> [(http::HeaderName, HeaderValue); 1] {
    let any = HeaderValue::from_static("*");
    [(header::ACCESS_CONTROL_ALLOW_ORIGIN, any)]
}
