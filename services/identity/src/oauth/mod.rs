//! OAuth2 (RFC 6749) and OpenID Connect: tokens for the platform's own services and the tenants' service accounts, and the
//! provider that applications log a tenant's users in with.
//!
//! The endpoints of the protocols answer as those say and not with problem documents, and are described by the discovery
//! document and not by the OpenAPI document.

pub(crate) mod assertion;
mod authorize;
pub(crate) mod backchannel;
mod browser;
mod client_auth;
mod codes;
mod consents;
mod cors;
pub(crate) mod discovery;
mod error;
mod grants;
mod introspect;
mod logout;
mod pages;
pub(crate) mod params;
mod revoke;
pub(crate) mod scopes;
pub(crate) mod store;
mod token;
mod tokens;
mod userinfo;

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::AppState;

/// The endpoints of the protocols, and the pages.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/oauth2/token", post(token::create_token))
        .route(
            "/oauth2/authorize",
            get(authorize::authorize).post(authorize::authorize),
        )
        .route("/oauth2/login", post(authorize::login::log_in))
        .route("/oauth2/login/code", post(authorize::login::take_code))
        .route(
            "/oauth2/login/set-up",
            post(authorize::set_up::take_first_code),
        )
        .route("/oauth2/consent", post(authorize::consent::decide))
        .route(
            "/oauth2/userinfo",
            get(userinfo::userinfo)
                .post(userinfo::userinfo)
                .options(userinfo::preflight),
        )
        .route("/oauth2/introspect", post(introspect::introspect))
        .route("/oauth2/revoke", post(revoke::revoke))
        .route("/oauth2/logout", get(logout::logout).post(logout::logout))
}
