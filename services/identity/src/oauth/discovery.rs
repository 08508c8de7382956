use axum::{extract::State, response::IntoResponse};
use bz_auth::client_assertion::ALGORITHMS;
use bz_http::Json;
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::{cors, scopes};
use crate::app::AppState;

const CACHE_CONTROL: &str = "public, max-age=300, stale-while-revalidate=600";

/// What this provider can do (OpenID Connect Discovery 1.0, RFC 8414). It states only what works.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProviderMetadata {
    /// The `iss` of all tokens, character by character.
    issuer: String,
    /// Where browsers go.
    authorization_endpoint: String,
    /// Where codes and refresh tokens are exchanged.
    token_endpoint: String,
    /// Where claims are asked for.
    userinfo_endpoint: String,
    /// Where the public keys are.
    jwks_uri: String,
    /// Where browsers go to log out.
    end_session_endpoint: String,
    /// Where tokens are looked up.
    introspection_endpoint: String,
    /// Where tokens are given back.
    revocation_endpoint: String,
    /// Codes only.
    response_types_supported: [&'static str; 1],
    /// In the query only.
    response_modes_supported: [&'static str; 1],
    /// How tokens are got.
    grant_types_supported: [&'static str; 3],
    /// Everybody has one id for all applications.
    subject_types_supported: [&'static str; 1],
    /// How ID tokens are signed.
    id_token_signing_alg_values_supported: [&'static str; 1],
    /// PKCE, which every client needs.
    code_challenge_methods_supported: [&'static str; 1],
    /// How clients show who they are.
    token_endpoint_auth_methods_supported: [&'static str; 4],
    /// What may sign the assertions of `private_key_jwt`.
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 4],
    /// The same for introspection.
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
    /// What may sign there.
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 4],
    /// The same for revocation.
    revocation_endpoint_auth_methods_supported: [&'static str; 4],
    /// What may sign there.
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 4],
    /// The scopes of OpenID Connect; the platform's permissions are scopes too.
    scopes_supported: [&'static str; 4],
    /// What ID tokens and userinfo may say.
    claims_supported: [&'static str; 15],
    /// What may be asked of the user again.
    prompt_values_supported: [&'static str; 4],
    /// How strongly users prove who they are.
    acr_values_supported: [&'static str; 2],
    /// The languages of the pages.
    ui_locales_supported: [&'static str; 2],
    /// RFC 9207.
    authorization_response_iss_parameter_supported: bool,
    /// The `claims` parameter is ignored.
    claims_parameter_supported: bool,
    /// Request objects are refused.
    request_parameter_supported: bool,
    /// The same by reference.
    request_uri_parameter_supported: bool,
    /// Applications are told of the end of sessions (OpenID Connect Back-Channel Logout 1.0).
    backchannel_logout_supported: bool,
    /// By the `sid` of their ID tokens.
    backchannel_logout_session_supported: bool,
}

impl ProviderMetadata {
    fn of(issuer: &str) -> Self {
        let at = |path: &str| format!("{issuer}{path}");
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: at("/oauth2/authorize"),
            token_endpoint: at("/oauth2/token"),
            userinfo_endpoint: at("/oauth2/userinfo"),
            jwks_uri: at("/.well-known/jwks.json"),
            end_session_endpoint: at("/oauth2/logout"),
            introspection_endpoint: at("/oauth2/introspect"),
            revocation_endpoint: at("/oauth2/revoke"),
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: ["RS256"],
            code_challenge_methods_supported: ["S256"],
            token_endpoint_auth_methods_supported: [
                "client_secret_basic",
                "client_secret_post",
                "private_key_jwt",
                "none",
            ],
            token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
            introspection_endpoint_auth_methods_supported: [
                "client_secret_basic",
                "client_secret_post",
                "private_key_jwt",
            ],
            introspection_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
            revocation_endpoint_auth_methods_supported: [
                "client_secret_basic",
                "client_secret_post",
                "private_key_jwt",
                "none",
            ],
            revocation_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
            scopes_supported: scopes::OF_OPENID_CONNECT,
            claims_supported: [
                "iss",
                "sub",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "acr",
                "amr",
                "at_hash",
                "sid",
                "tid",
                "name",
                "email",
                "email_verified",
            ],
            prompt_values_supported: ["none", "login", "consent", "select_account"],
            acr_values_supported: ["aal1", "aal2"],
            ui_locales_supported: ["en", "de"],
            authorization_response_iss_parameter_supported: true,
            claims_parameter_supported: false,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
        }
    }
}

/// The provider's metadata, where OpenID Connect looks for it.
#[utoipa::path(
    get, path = "/.well-known/openid-configuration", tag = "openid", security(()),
    responses((status = 200, description = "The metadata", body = ProviderMetadata)),
)]
pub(crate) async fn get_openid_configuration(State(app): State<AppState>) -> impl IntoResponse {
    let caching = [(header::CACHE_CONTROL, CACHE_CONTROL)];
    let metadata = ProviderMetadata::of(&app.core.issuer);
    (caching, cors::anybody(), Json(metadata))
}

/// The same, where OAuth looks for it.
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server", tag = "openid", security(()),
    responses((status = 200, description = "The metadata", body = ProviderMetadata)),
)]
pub(crate) async fn get_authorization_server_metadata(app: State<AppState>) -> impl IntoResponse {
    get_openid_configuration(app).await
}
