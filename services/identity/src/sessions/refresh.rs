use axum::{extract::State, response::Response};
use bz_auth::step_up_required;
use bz_http::{Errors, Problem, Validate};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    REFRESH_REPLAY_WINDOW, TokenAnswer,
    delivery::{self, OptionalJson},
    end,
    issue::{self, Grant},
    store::{self, RevokedBecause, Session},
    token::RefreshToken,
};
use crate::{
    account::links::{self, Recipient},
    app::AppState,
    audit::{self, Actor, Entry},
    limits::{self, Limit},
    mail::{self, Template},
    oauth_clients::{OauthClient, secret::CLIENT_ID_PREFIX},
    origin::Origin,
    problems::{PublicProblems, unauthorized},
    tenants::policy::{self, Policy},
    users,
    users::store::Account,
};

/// A refresh token to exchange.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshRequest {
    /// The refresh token that the last answer gave; left out when it is in the cookie.
    refresh_token: Option<String>,
}

impl Validate for RefreshRequest {
    fn validate(&self, _: &mut Errors) {}
}

/// Exchange a refresh token for new tokens.
///
/// A refresh token is good once. Sent again within ten seconds it gets the same successor (a lost answer, several
/// tabs); after that, or once the successor was used, it counts as stolen and the whole session ends. A token in the
/// cookie is exchanged for one in the cookie: for pages of the configured origins, with the header `X-Requested-With`. The
/// tenant's policy is asked each time: 403 `ip_not_allowed` from a network that it does not let in.
#[utoipa::path(
    post, path = "/auth/refresh", tag = "sessions", security(()),
    request_body = Option<RefreshRequest>,
    responses(
        (status = 200, description = "New tokens", body = TokenAnswer),
        PublicProblems,
    ),
)]
pub(crate) async fn refresh_session(
    State(app): State<AppState>,
    headers: HeaderMap,
    origin: Origin,
    OptionalJson(request): OptionalJson<RefreshRequest>,
) -> Result<Response, Problem> {
    let (text, delivery) = delivery::presented(&app, &headers, request.refresh_token)?
        .ok_or_else(|| Problem::invalid("/refresh_token", "required", "is required"))?;
    let presented = RefreshToken::parse(&text).ok_or_else(|| Refused::Invalid.problem())?;
    pass_limits(&app, &presented, &origin).await?;
    let scope = TenantScope::new(presented.tenant, None);
    let exchange = async |tx: &mut TenantTx| exchange(tx, &app, &presented, None, &origin).await;
    // A refusal is an outcome too: ending a stolen session must be committed.
    match app
        .core
        .db
        .run::<_, DbError>("identity.sessions.refresh", &scope, exchange)
        .await?
    {
        Ok((account, grant)) => {
            Ok(issue::answer(&app, &account, &grant)?.deliver(StatusCode::OK, delivery))
        }
        Err(refused) => {
            if refused == Refused::Reused {
                app.wake();
            }
            if refused == Refused::Invalid {
                limits::check_ip(&app, Limit::WrongTokenPerIp, &origin).await?;
            }
            Err(refused.problem())
        }
    }
}

/// The session is the one that the token names, which anybody can write: together with the network, so that nobody uses
/// up what its owner has.
async fn pass_limits(
    app: &AppState,
    presented: &RefreshToken,
    origin: &Origin,
) -> Result<(), Problem> {
    let network = limits::network_of(app, origin).unwrap_or_default();
    let key = format!("{} {network}", presented.session);
    limits::check(app, Limit::RefreshPerSession, &key).await
}

/// Why there are no new tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not a refresh token of a session of this client.
    Invalid,
    /// It has ended.
    Expired,
    /// It was used before, so that the session was ended.
    Reused,
    /// The session was ended.
    Revoked,
    /// The tenant lets nobody in from there; the token stays good elsewhere.
    Network,
    /// The tenant asks for a second factor, which an application's session cannot be given.
    OwesSecondFactor,
}

impl Refused {
    fn problem(self) -> Problem {
        let (code, detail) = match self {
            Self::Network => return policy::ip_not_allowed(),
            Self::OwesSecondFactor => return step_up_required(),
            Self::Invalid => (
                "refresh_token_invalid",
                "This is not a refresh token of a session.",
            ),
            Self::Expired => (
                "refresh_token_expired",
                "The refresh token or its session has ended; log in again.",
            ),
            Self::Reused => (
                "refresh_token_reused",
                "The refresh token was used before, so that the session was ended; log in again.",
            ),
            Self::Revoked => ("session_revoked", "The session was ended; log in again."),
        };
        unauthorized(code, "The session cannot be refreshed").detail(detail)
    }
}

/// Does what the presented token is entitled to, under the lock of its session. A token of an OAuth client is good for
/// that client only, and those of the platform's own front ends for no OAuth client.
pub(crate) async fn exchange(
    tx: &mut TenantTx,
    app: &AppState,
    presented: &RefreshToken,
    oauth_client: Option<&OauthClient>,
    origin: &Origin,
) -> Result<Result<(Account, Grant), Refused>, DbError> {
    let now = app.core.sources.now();
    let Some(mut session) = store::lock(tx, presented.session).await? else {
        return Ok(Err(Refused::Invalid));
    };
    let Some(generation) = store::generation(tx, presented.session, presented.generation).await?
    else {
        return Ok(Err(Refused::Invalid));
    };
    // A guess about a session that exists must not end it: anybody could log anybody out.
    if !presented.matches(&generation.secret_hash) {
        return Ok(Err(Refused::Invalid));
    }
    let is_its_client = match oauth_client {
        Some(client) => session.client_id == client.client_id,
        None => !session.client_id.starts_with(CLIENT_ID_PREFIX),
    };
    if !is_its_client {
        return Ok(Err(Refused::Invalid));
    }
    if session.revoked {
        return Ok(Err(Refused::Revoked));
    }
    if session.expires_at <= now || (generation.used_at.is_none() && generation.expires_at <= now) {
        return Ok(Err(Refused::Expired));
    }
    if let Some(used_at) = generation.used_at
        && (generation.successor_used || now - used_at > REFRESH_REPLAY_WINDOW)
    {
        end_stolen(tx, app, presented, &session, origin).await?;
        return Ok(Err(Refused::Reused));
    }
    let account = users::store::find(tx, session.user).await?;
    let Some(account) = account.filter(Account::is_active) else {
        return Ok(Err(Refused::Revoked));
    };
    session.limit(&account.policy);
    if session.is_over(now) {
        return Ok(Err(Refused::Expired));
    }
    if let Err(refused) = meets_policy(&account.policy, &session, oauth_client, origin) {
        return Ok(Err(refused));
    }
    let successor = presented.successor(&app.core.secret);
    let made_at = generation.used_at.unwrap_or(now);
    // Never after its session.
    let token_ends = (made_at + session.refresh_lifetime).min(session.expires_at);
    if generation.used_at.is_none() {
        let tokens = (presented, &successor);
        store::rotate(tx, &session, tokens, now, token_ends, origin).await?;
    }
    Ok(Ok((
        account,
        Grant {
            token: successor,
            client_id: session.client_id,
            auth_time: session.auth_time,
            acr: session.acr,
            amr: session.amr,
            token_ends,
            token_id: app.core.sources.id(),
        },
    )))
}

/// Whether the tenant's policy lets the session go on. The platform's own front ends get tokens that are good for giving the
/// second factor; applications have no way to give it. Where an application's own server calls from says nothing of its user.
fn meets_policy(
    policy: &Policy,
    session: &Session,
    oauth_client: Option<&OauthClient>,
    origin: &Origin,
) -> Result<(), Refused> {
    let is_a_server = oauth_client.is_some_and(|client| !client.is_public());
    if !is_a_server && !policy.takes_network(origin.ip) {
        return Err(Refused::Network);
    }
    if oauth_client.is_some() && !policy.is_met_by(&session.acr) {
        return Err(Refused::OwesSecondFactor);
    }
    Ok(())
}

async fn end_stolen(
    tx: &mut TenantTx,
    app: &AppState,
    presented: &RefreshToken,
    session: &Session,
    origin: &Origin,
) -> Result<(), DbError> {
    let because = RevokedBecause::RefreshReuse;
    end::end(tx, app, presented.session, because, Some(session.user)).await?;
    tracing::warn!(
        session.id = %presented.session,
        user.id = %session.user,
        refresh_token.generation = presented.generation,
        "a refresh token was used twice; its session was ended"
    );
    if let Some(account) = users::store::find(tx, session.user).await? {
        let at = mail::moment(app.core.sources.now());
        let device = origin.user_agent.as_deref().unwrap_or("-");
        let values = [("at", at.as_str()), ("device", device)];
        links::write(
            tx,
            app,
            Recipient::of(&account),
            Template::RefreshReuse,
            &values,
        )
        .await?;
    }
    let entry = Entry {
        // The thief or the user, whoever came second.
        actor: Actor::Anonymous,
        action: "session.refresh_reuse_detected",
        target: Some(("session", presented.session.as_uuid())),
        success: false,
        changes: json!({ "user_id": session.user, "generation": presented.generation }),
        origin,
    };
    audit::record(tx, &app.core.sources, entry).await
}
