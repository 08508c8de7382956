//! The server: one address that answers each message by itself, so that any replica can answer any of them. It speaks the
//! protocol with a handshake (2025-03-26 to 2025-11-25) and the one without (2026-07-28).

mod call;
mod caller;
mod confirm;
mod hello;
mod metadata;
mod offer;
mod post;

use std::sync::Arc;

use bz_http::{Routes, routes};
use url::Url;

use crate::app::AppState;

/// The routes of the server.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(post::send_mcp_message))
        .routes(routes!(metadata::get_protected_resource))
        .routes(routes!(metadata::get_protected_resource_of_mcp))
}

/// The origins of web pages that may call the server.
#[derive(Clone)]
pub(crate) struct Origins(Arc<[String]>);

impl Origins {
    /// Those of the configuration, and the one that identity is reached under.
    pub(crate) fn new(configured: &[String], issuer: &str) -> Self {
        let own = Url::parse(issuer).map(|url| url.origin().ascii_serialization());
        let configured = configured.iter().map(|one| one.trim_end_matches('/'));
        Self(configured.map(str::to_owned).chain(own).collect())
    }

    /// Whether a page of this origin may call.
    pub(crate) fn admit(&self, origin: &str) -> bool {
        self.0.iter().any(|one| one.eq_ignore_ascii_case(origin))
    }
}
