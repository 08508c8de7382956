//! Applications that log a tenant's users in: the clients of OpenID Connect.

mod create;
mod delete;
mod get;
mod list;
mod patch;
mod rotate_secret;
pub(crate) mod rules;
pub(crate) mod secret;
pub(crate) mod store;

use std::collections::BTreeMap;

use bz_http::{Errors, Patch, Problem, Routes, Validate, routes};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

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
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
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
    /// By a signature with a key that only it has (RFC 7523).
    PrivateKeyJwt,
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
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }

    /// Whether there is a secret that both sides know.
    pub(crate) const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
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
    /// The public keys of a client that signs: a JSON Web Key Set.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) jwks: Option<Value>,
    /// Where it is told that a session of its users has ended (OpenID Connect Back-Channel Logout 1.0).
    #[serde(default)]
    pub(crate) backchannel_logout_uri: Option<String>,
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
    /// The public keys of a client that signs: a JSON Web Key Set with 1 to 5 keys, RSA of 2048 to 4096 bits, P-256 or Ed25519.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, example = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}))]
    pub(crate) jwks: Option<Value>,
    /// Where it is told that a session of its users has ended: a public `https` address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(
        max_length = 2000,
        example = "https://superset.example.com/backchannel-logout"
    )]
    pub(crate) backchannel_logout_uri: Option<String>,
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
        rules::keys(errors, self.token_endpoint_auth_method, self.jwks.as_ref());
        if let Some(mapping) = &self.role_claim_mapping {
            rules::role_claim_mapping(errors, mapping);
        }
    }
}

impl CreateOauthClient {
    /// Whether the service may call where it is asked to.
    ///
    /// # Errors
    /// 422.
    fn check_target(&self, app: &AppState) -> Result<(), Problem> {
        let Some(uri) = &self.backchannel_logout_uri else {
            return Ok(());
        };
        let policy = app.webhooks.egress.policy();
        let invalid = |code, message| Problem::invalid("/backchannel_logout_uri", code, message);
        if uri.len() > rules::LONGEST_URI {
            return Err(invalid("length", "must have at most 2000 characters"));
        }
        let refused = policy.check(uri).err();
        refused.map_or(Ok(()), |refused| {
            Err(invalid(refused.code, refused.message))
        })
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
    /// The public keys of a client that signs, all of them.
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
    /// Where it is told that a session of its users has ended; `null` for nowhere.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2000)]
    backchannel_logout_uri: Patch<String>,
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
            jwks: self.jwks.or(client.jwks),
            backchannel_logout_uri: self
                .backchannel_logout_uri
                .onto(client.backchannel_logout_uri),
            allowed_scopes: self.allowed_scopes.unwrap_or(client.allowed_scopes),
            role_claim_mapping: self.role_claim_mapping.onto(client.role_claim_mapping),
        }
    }
}
