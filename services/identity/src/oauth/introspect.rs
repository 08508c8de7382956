//! RFC 7662: what a token is good for, for the tenant's own applications.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bz_auth::Claims;
use bz_http::Json;
use bz_kernel::TenantId;
use bz_tenant::TenantScope;
use serde_json::{Value, json};

use super::{
    client_auth::{self, Presented},
    error::TokenError,
    params::Params,
    store::{self, ClientSession},
    token::basic_credentials,
};
use crate::{
    app::AppState,
    oauth_clients::{AuthMethod, OauthClient, secret},
    sessions::{store as sessions, token::RefreshToken},
    users::{self, store::Account},
};

/// `POST /oauth2/introspect`. A token that is not good, of another tenant, or of nobody gets one answer.
pub(super) async fn introspect(State(app): State<AppState>, request: Request) -> Response {
    match answer(&app, request).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn answer(app: &AppState, request: Request) -> Result<Value, TokenError> {
    let (client, token) = authenticated(app, request).await?;
    // Whoever has no secret could be anybody.
    if client.token_endpoint_auth_method == AuthMethod::None {
        return Err(TokenError::InvalidClient);
    }
    let tenant = client_auth::tenant_of(&client)?;
    let found = match RefreshToken::parse(&token) {
        Some(refresh) => of_refresh_token(app, &client, tenant, &refresh).await?,
        None => of_access_token(app, tenant, &token).await?,
    };
    Ok(found.unwrap_or_else(|| json!({ "active": false })))
}

/// The client of a request about a token, and the token.
pub(super) async fn authenticated(
    app: &AppState,
    request: Request,
) -> Result<(OauthClient, String), TokenError> {
    let basic = basic_credentials(request.headers())?;
    let params = Params::read(request)
        .await
        .map_err(|_| TokenError::InvalidRequest("The form cannot be read."))?;
    let get = |name| {
        params
            .get(name)
            .map_err(|_| TokenError::InvalidRequest("A parameter is there twice."))
    };
    let presented = Presented {
        basic,
        client_id: get("client_id")?,
        client_secret: get("client_secret")?,
        assertion: get("client_assertion")?,
        assertion_type: get("client_assertion_type")?,
    };
    let client = client_auth::check(app, presented).await?;
    let token = get("token")?.ok_or(TokenError::InvalidRequest("token is missing."))?;
    Ok((client, token.to_owned()))
}

async fn of_access_token(
    app: &AppState,
    tenant: TenantId,
    token: &str,
) -> Result<Option<Value>, TokenError> {
    let Ok(claims) = app.keys.provider().verify(token).await else {
        return Ok(None);
    };
    let (Some(session), true) = (claims.sid, claims.tid == Some(tenant.as_uuid())) else {
        return Ok(None);
    };
    let mut tx = app.core.db.read(&TenantScope::new(tenant, None)).await?;
    let Some(held) = store::live(&mut tx, session, app.core.sources.now()).await? else {
        return Ok(None);
    };
    let account = users::store::find(&mut tx, held.user).await?;
    Ok(account
        .filter(Account::is_active)
        .map(|_| access_token(&claims)))
}

fn access_token(claims: &Claims) -> Value {
    json!({
        "active": true, "token_type": "Bearer", "scope": claims.scope, "client_id": claims.client_id,
        "sub": claims.sub, "aud": claims.aud, "iss": claims.iss, "exp": claims.exp, "iat": claims.iat,
        "nbf": claims.nbf, "jti": claims.jti, "sid": claims.sid, "tid": claims.tid,
    })
}

/// Only the client that a refresh token was given to learns of it.
async fn of_refresh_token(
    app: &AppState,
    client: &OauthClient,
    tenant: TenantId,
    token: &RefreshToken,
) -> Result<Option<Value>, TokenError> {
    if token.tenant != tenant {
        return Ok(None);
    }
    let now = app.core.sources.now();
    let mut tx = app.core.db.read(&TenantScope::new(tenant, None)).await?;
    let held = store::live(&mut tx, token.session, now).await?;
    let Some(held) = held.filter(|held| held.client == client.id) else {
        return Ok(None);
    };
    let generation = sessions::generation(&mut tx, token.session, token.generation).await?;
    let unused = generation.filter(|generation| {
        token.matches(&generation.secret_hash)
            && generation.used_at.is_none()
            && generation.expires_at > now
    });
    Ok(unused
        .map(|generation| refresh_token(app, tenant, &held, generation.expires_at.timestamp())))
}

fn refresh_token(app: &AppState, tenant: TenantId, held: &ClientSession, exp: i64) -> Value {
    json!({
        "active": true, "token_type": "refresh_token", "scope": held.scopes.join(" "),
        "client_id": secret::client_id(tenant, held.client), "sub": held.user, "iss": app.core.issuer,
        "exp": exp, "tid": tenant,
    })
}
