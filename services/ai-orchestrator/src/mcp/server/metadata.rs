use axum::extract::State;
use bz_http::Json;
use http::request::Parts;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::{PATH, base};
use crate::app::AppState;

/// What a client must know to get a token (RFC 9728).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProtectedResource {
    /// The address of the server.
    #[schema(example = "https://bizosaas.example.com/mcp")]
    resource: String,
    /// Name for people.
    resource_name: &'static str,
    /// Who gives tokens: identity.
    authorization_servers: [String; 1],
    /// How a token is sent.
    bearer_methods_supported: [&'static str; 1],
}

/// Where to get a token for `/mcp` (RFC 9728).
#[utoipa::path(
    get, path = "/.well-known/oauth-protected-resource/mcp", tag = "mcp", security(()),
    responses((status = 200, description = "Who gives tokens", body = ProtectedResource)),
)]
pub(super) async fn get_protected_resource_of_mcp(
    State(app): State<AppState>,
    parts: Parts,
) -> Json<ProtectedResource> {
    let issuer = &app.core.issuer;
    Json(ProtectedResource {
        resource: format!("{}{PATH}", base(&parts, issuer)),
        resource_name: "BizOSaaS",
        authorization_servers: [issuer.clone()],
        bearer_methods_supported: ["header"],
    })
}

/// The same where clients look that know no path.
#[utoipa::path(
    get, path = "/.well-known/oauth-protected-resource", tag = "mcp", security(()),
    responses((status = 200, description = "Who gives tokens", body = ProtectedResource)),
)]
pub(super) async fn get_protected_resource(
    app: State<AppState>,
    parts: Parts,
) -> Json<ProtectedResource> {
    get_protected_resource_of_mcp(app, parts).await
}
