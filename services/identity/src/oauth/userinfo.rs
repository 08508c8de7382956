//! OpenID Connect Core 1.0 section 5.3.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bz_auth::{AuthError, Claims};
use bz_http::{Json, Problem, extract::is_form};
use bz_tenant::TenantScope;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{
    cors,
    params::Params,
    scopes::{self, OPENID},
    store, tokens,
};
use crate::{
    app::AppState,
    oauth_clients::{secret, store as clients},
    users::{self, store::Account},
};

/// Why no claims are answered (RFC 6750 section 3.1).
enum Refused {
    /// No token.
    Missing,
    /// A parameter is there twice, or there are two tokens.
    InvalidRequest,
    /// Not a token of an application, or of one whose session has ended.
    InvalidToken,
    /// The user did not allow `openid`.
    InsufficientScope,
    /// Something else.
    Problem(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<bz_tenant::DbError> for Refused {
    fn from(error: bz_tenant::DbError) -> Self {
        Self::Problem(error.into())
    }
}

/// `GET` and `POST /oauth2/userinfo`: what the application may know of the user of its access token.
pub(super) async fn userinfo(State(app): State<AppState>, request: Request) -> Response {
    let answer = match claims(&app, request).await {
        Ok(claims) => Json(claims).into_response(),
        Err(refused) => refused.into_response(),
    };
    (cors::anybody(), answer).into_response()
}

/// The question that a browser asks before a page may send a token.
pub(super) async fn preflight() -> Response {
    let allow = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization"),
        (header::ACCESS_CONTROL_MAX_AGE, "3600"),
    ];
    (StatusCode::NO_CONTENT, cors::anybody(), allow).into_response()
}

async fn claims(app: &AppState, request: Request) -> Result<Map<String, Value>, Refused> {
    let token = token(request).await?.ok_or(Refused::Missing)?;
    let verified = app.keys.provider().verify(&token).await;
    let claims = verified.map_err(|error| match error {
        AuthError::KeysUnavailable => Refused::Problem(Problem::unavailable(error)),
        _ => Refused::InvalidToken,
    })?;
    if !claims.has_scope(OPENID) {
        return Err(Refused::InsufficientScope);
    }
    of_token(app, &claims).await?.ok_or(Refused::InvalidToken)
}

/// What a token's user may be told of, if the session of the token has not ended.
async fn of_token(
    app: &AppState,
    claims: &Arc<Claims>,
) -> Result<Option<Map<String, Value>>, Refused> {
    let known = secret::parse_client_id(&claims.client_id);
    let (Some((tenant, client)), Some(session)) = (known, claims.sid) else {
        return Ok(None);
    };
    let mut tx = app.core.db.read(&TenantScope::new(tenant, None)).await?;
    let held = store::live(&mut tx, session, app.core.sources.now()).await?;
    let Some(held) = held.filter(|held| held.client == client) else {
        return Ok(None);
    };
    let client = clients::find(&mut tx, client).await?;
    let account = users::store::find(&mut tx, held.user).await?;
    let (Some(client), Some(account)) = (client, account.filter(Account::is_active)) else {
        return Ok(None);
    };
    let allowed = scopes::parse(&claims.scope);
    Ok(Some(tokens::user_claims(&account, &client, &allowed)))
}

/// The token in the header or in the form; never in the address, which is logged (RFC 9700 section 4.3.2).
async fn token(request: Request) -> Result<Option<String>, Refused> {
    let in_header = bearer(request.headers()).map(str::to_owned);
    if request.method() != Method::POST || !is_form(request.headers()) {
        return Ok(in_header);
    }
    let params = Params::read(request).await?;
    let in_form = params
        .get("access_token")
        .map_err(|_| Refused::InvalidRequest)?;
    match (in_header, in_form) {
        (Some(_), Some(_)) => Err(Refused::InvalidRequest),
        (header, form) => Ok(header.or(form.map(str::to_owned))),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, error, challenge) = match self {
            Self::Problem(problem) => return problem.into_response(),
            Self::Missing => (StatusCode::UNAUTHORIZED, "invalid_request", "Bearer"),
            Self::InvalidRequest => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "Bearer error=\"invalid_request\"",
            ),
            Self::InvalidToken => (
                StatusCode::UNAUTHORIZED,
                "invalid_token",
                "Bearer error=\"invalid_token\"",
            ),
            Self::InsufficientScope => (
                StatusCode::FORBIDDEN,
                "insufficient_scope",
                "Bearer error=\"insufficient_scope\", scope=\"openid\"",
            ),
        };
        let headers: [(HeaderName, HeaderValue); 1] = [(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(challenge),
        )];
        (status, headers, Json(json!({ "error": error }))).into_response()
    }
}
