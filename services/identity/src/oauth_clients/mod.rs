//! Applications that log a tenant's users in: the clients of OpenID Connect.

mod create;
mod delete;
mod get;
mod list;
mod patch;
mod rotate_secret;
mod rules;
pub(crate) mod secret;
pub(crate) mod store;

use std::collections::BTreeMap;

use bz_http::{Errors, Patch, Validate};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

bz_auth::permissions! {
    /// See, create, change and delete the tenant's OAuth clients.
    OauthClientsManage = "oauth-clients:manage",
}

bz_kernel::typed_id!(
    /// An application that logs a tenant's users in.
    OauthClientId
);

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(
            create::create_oauth_client,
            list::list_oauth_clients
        ))
        .routes(routes!(
            get::get_oauth_client,
            patch::patch_oauth_client,
            delete::delete_oauth_client
        ))
        .routes(routes!(rotate_secret::rotate_oauth_client_secret))
}

/// How a client may get tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GrantType {
    /// A user logs in and allows it (RFC 6749 section 4.1).
    AuthorizationCode,
    /// A token that was given before is exchanged (RFC 6749 section 6).
    RefreshToken,
}

impl GrantType {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// How a client shows who it is at the token endpoint (OpenID Connect Core 1.0 section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthMethod {
    /// HTTP Basic.
    #[default]
    ClientSecretBasic,
    /// In the form.
    ClientSecretPost,
    /// It cannot keep a secret: an application in a browser or on a phone.
    None,
}

impl OauthClient {
    /// Whether it runs where its user is and keeps no secret, and has no server of its own that calls for it.
    pub(crate) const fn is_public(&self) -> bool {
        matches!(self.token_endpoint_auth_method, AuthMethod::None)
    }
}

impl AuthMethod {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }
}

/// The claim by which an application learns what a user may do in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleClaimMapping {
    /// The claim's name, for example `roles`.
    #[schema(min_length = 1, max_length = 64, example = "roles")]
    pub(crate) claim: String,
    /// What the claim says for each of our roles; nothing for a role that is not here.
    #[schema(example = json!({"owner": "Admin", "member": "Alpha"}))]
    pub(crate) roles: BTreeMap<String, String>,
}

/// An application that logs users in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct OauthClient {
    /// The id in this API.
    pub(crate) id: OauthClientId,
    /// The id in OAuth, which names the tenant as well.
    pub(crate) client_id: String,
    /// What users are shown.
    pub(crate) name: String,
    /// Where users are sent back to; compared character by character.
    pub(crate) redirect_uris: Vec<String>,
    /// Where users may be sent to after a logout; compared character by character.
    pub(crate) post_logout_redirect_uris: Vec<String>,
    /// How it may get tokens.
    pub(crate) grant_types: Vec<GrantType>,
    /// How it shows who it is.
    pub(crate) token_endpoint_auth_method: AuthMethod,
    /// What it may ask for: scopes of OpenID Connect, and permissions of the platform such as `leads:read`.
    pub(crate) allowed_scopes: Vec<String>,
    /// By which claim it learns roles.
    pub(crate) role_claim_mapping: Option<RoleClaimMapping>,
    /// Whether the secret before the newest one is good as well.
    pub(crate) has_previous_secret: bool,
    /// Who created it.
    pub(crate) created_by: UserId,
    /// When it was created.
    pub(crate) created_at: DateTime<Utc>,
    /// When it was last changed.
    pub(crate) updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub(crate) version: i64,
}

/// A client with a secret that is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OauthClientWithSecret {
    /// The client.
    #[serde(flatten)]
    pub(crate) client: OauthClient,
    /// Its newest secret; none for a client that cannot keep one.
    pub(crate) client_secret: Option<String>,
}

/// A new application.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateOauthClient {
    /// What users are shown.
    #[schema(min_length = 1, max_length = 120, example = "Superset")]
    pub(crate) name: String,
    /// Where users are sent back to: `https`, `http` on the own machine, or an application's own scheme.
    #[schema(min_items = 1, max_items = 20, example = json!(["https://superset.example.com/oauth-authorized/bizosaas"]))]
    pub(crate) redirect_uris: Vec<String>,
    /// Where users may be sent to after a logout.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub(crate) post_logout_redirect_uris: Vec<String>,
    /// How it may get tokens; `authorization_code` when not given.
    #[serde(default = "code_only")]
    pub(crate) grant_types: Vec<GrantType>,
    /// How it shows who it is. Cannot be changed.
    #[serde(default)]
    pub(crate) token_endpoint_auth_method: AuthMethod,
    /// What it may ask for; `openid`, `profile` and `email` when not given.
    #[serde(default = "identity_only")]
    #[schema(max_items = 50)]
    pub(crate) allowed_scopes: Vec<String>,
    /// By which claim it learns roles.
    pub(crate) role_claim_mapping: Option<RoleClaimMapping>,
}

fn code_only() -> Vec<GrantType> {
    vec![GrantType::AuthorizationCode]
}

fn identity_only() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

impl Validate for CreateOauthClient {
    fn validate(&self, errors: &mut Errors) {
        rules::name(errors, &self.name);
        rules::redirect_uris(errors, "/redirect_uris", &self.redirect_uris, 1);
        let after_logout = &self.post_logout_redirect_uris;
        rules::redirect_uris(errors, "/post_logout_redirect_uris", after_logout, 0);
        rules::grant_types(errors, &self.grant_types);
        rules::scopes(errors, &self.allowed_scopes);
        if let Some(mapping) = &self.role_claim_mapping {
            rules::role_claim_mapping(errors, mapping);
        }
    }
}

/// A change of an application: a missing field stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchOauthClient {
    /// What users are shown.
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    /// Where users are sent back to.
    #[schema(min_items = 1, max_items = 20)]
    redirect_uris: Option<Vec<String>>,
    /// Where users may be sent to after a logout.
    #[schema(max_items = 20)]
    post_logout_redirect_uris: Option<Vec<String>>,
    /// How it may get tokens.
    grant_types: Option<Vec<GrantType>>,
    /// What it may ask for. Tokens that were given keep what they were given with.
    #[schema(max_items = 50)]
    allowed_scopes: Option<Vec<String>>,
    /// By which claim it learns roles; `null` for none.
    #[serde(default)]
    #[schema(value_type = Option<RoleClaimMapping>)]
    role_claim_mapping: Patch<RoleClaimMapping>,
}

/// What is left is judged with the client that is changed.
impl Validate for PatchOauthClient {
    fn validate(&self, _: &mut Errors) {}
}

impl PatchOauthClient {
    /// The client's writable fields after the change.
    fn onto(self, client: OauthClient) -> CreateOauthClient {
        CreateOauthClient {
            name: self.name.unwrap_or(client.name),
            redirect_uris: self.redirect_uris.unwrap_or(client.redirect_uris),
            post_logout_redirect_uris: self
                .post_logout_redirect_uris
                .unwrap_or(client.post_logout_redirect_uris),
            grant_types: self.grant_types.unwrap_or(client.grant_types),
            token_endpoint_auth_method: client.token_endpoint_auth_method,
            allowed_scopes: self.allowed_scopes.unwrap_or(client.allowed_scopes),
            role_claim_mapping: self.role_claim_mapping.onto(client.role_claim_mapping),
        }
    }
}
