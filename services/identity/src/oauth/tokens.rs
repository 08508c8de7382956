//! What an application gets: an access token, an ID token, a refresh token.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_auth::{AUDIENCE, Claims, claims::UserGrant};
use bz_kernel::ExposeSecret;
use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::{
    error::TokenError,
    scopes::{self, EMAIL, OPENID, PROFILE},
    token::TokenResponse,
};
use crate::{
    app::AppState,
    oauth_clients::OauthClient,
    sessions::{ACCESS_TOKEN_LIFETIME, issue::Grant},
    users::store::Account,
};

/// How long an ID token says that the user is logged in.
const ID_TOKEN_LIFETIME: TimeDelta = ACCESS_TOKEN_LIFETIME;

/// What to give out.
pub(super) struct Issue<'a> {
    pub(super) account: &'a Account,
    pub(super) grant: &'a Grant,
    pub(super) client: &'a OauthClient,
    pub(super) scopes: &'a [String],
    pub(super) nonce: Option<&'a str>,
    pub(super) with_refresh_token: bool,
}

/// Signs the tokens. No transaction is open meanwhile.
pub(super) async fn answer(app: &AppState, issue: Issue<'_>) -> Result<TokenResponse, TokenError> {
    let access_token = app.keys.current().sign(&access_claims(app, &issue))?;
    let access_token = access_token.expose_secret().to_owned();
    let id_token = if scopes::has(issue.scopes, OPENID) {
        Some(id_token(app, &issue, &access_token).await?)
    } else {
        None
    };
    let refresh_token = issue
        .with_refresh_token
        .then(|| issue.grant.token.expose().expose_secret().to_owned());
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_LIFETIME.num_seconds(),
        scope: issue.scopes.join(" "),
        refresh_token,
        id_token,
    })
}

/// An application's access token names no role: it may do what its scopes say and the user may do. It is for the provider's
/// own endpoints, and for the platform's APIs only if one of its scopes is a permission.
fn access_claims(app: &AppState, issue: &Issue<'_>) -> Claims {
    let (sources, grant) = (&app.core.sources, issue.grant);
    let user = UserGrant {
        user: issue.account.user,
        tenant: issue.account.tenant,
        home_tenant: issue.account.home_tenant,
        session: grant.token.session,
        client_id: issue.client.client_id.clone(),
        roles: Vec::new(),
        entitlements: scopes::entitlements(issue.account, issue.scopes),
        authenticated_at: grant.auth_time,
        acr: grant.acr.clone(),
        amr: grant.amr.clone(),
        act: None,
    };
    let issuer = app.core.issuer.clone();
    let (id, now) = (grant.token_id, sources.now());
    let mut claims = Claims::of_user(&issuer, user, id, now, ACCESS_TOKEN_LIFETIME);
    claims.scope = issue.scopes.join(" ");
    claims.aud = vec![issuer];
    if issue.scopes.iter().any(|name| scopes::is_permission(name)) {
        claims.aud.push(AUDIENCE.to_owned());
    }
    claims
}

async fn id_token(
    app: &AppState,
    issue: &Issue<'_>,
    access_token: &str,
) -> Result<String, TokenError> {
    let key = app.keys.id_token_key().await.map_err(|error| {
        tracing::error!(
            error = format!("{error:#}"),
            "there is no key for ID tokens"
        );
        TokenError::ServerError
    })?;
    let token = key.sign(&id_claims(app, issue, access_token))?;
    Ok(token.expose_secret().to_owned())
}

/// OpenID Connect Core 1.0 sections 2 and 3.1.3.6.
fn id_claims(app: &AppState, issue: &Issue<'_>, access_token: &str) -> Map<String, Value> {
    let (now, grant) = (app.core.sources.now(), issue.grant);
    let hash = digest::digest(&digest::SHA256, access_token.as_bytes());
    let mut claims = user_claims(issue.account, issue.client, issue.scopes);
    let fixed = [
        ("iss", json!(app.core.issuer)),
        ("aud", json!(issue.client.client_id)),
        ("iat", json!(now.timestamp())),
        ("exp", json!((now + ID_TOKEN_LIFETIME).timestamp())),
        ("auth_time", json!(grant.auth_time.timestamp())),
        ("acr", json!(grant.acr)),
        ("amr", json!(grant.amr)),
        ("sid", json!(grant.token.session)),
        (
            "at_hash",
            json!(URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])),
        ),
    ];
    claims.extend(fixed.map(|(name, value)| (name.to_owned(), value)));
    if let Some(nonce) = issue.nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    claims
}

/// What an application learns of a user: the same in the ID token and from `/oauth2/userinfo`.
pub(super) fn user_claims(
    account: &Account,
    client: &OauthClient,
    allowed: &[String],
) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    if let Some(mapping) = &client.role_claim_mapping {
        let mapped = |role| mapping.roles.get(role);
        let roles: Vec<&String> = account.roles.iter().filter_map(mapped).collect();
        put(&mapping.claim, json!(roles));
    }
    put("sub", json!(account.user));
    put("tid", json!(account.tenant));
    if let Some(name) = &account.name
        && scopes::has(allowed, PROFILE)
    {
        put("name", json!(name));
    }
    if scopes::has(allowed, EMAIL) {
        put("email", json!(account.email));
        put("email_verified", json!(account.email_verified_at.is_some()));
    }
    claims
}
