use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::{Caller, PastCaller};
use bz_http::{Errors, Problem, Validate};
use bz_kernel::{SessionId, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    delivery::{self, OptionalJson},
    end,
    store::{self, RevokedBecause},
    store_own,
    token::RefreshToken,
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    problems::PublicProblems,
    users,
};

/// Which sessions to end.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogoutRequest {
    /// A refresh token of the session, for when the access token has ended.
    refresh_token: Option<String>,
    /// `session` (the default), `others` or `all` of the user in the tenant.
    #[serde(default)]
    scope: LogoutScope,
}

/// Which sessions of a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogoutScope {
    /// The one of the token.
    #[default]
    Session,
    /// All but that one.
    Others,
    /// All.
    All,
}

impl Validate for LogoutRequest {
    fn validate(&self, _: &mut Errors) {}
}

/// Log out: end the session of the access token, or of the refresh token that is sent, in the body or in the cookie; or the
/// user's others, or all.
///
/// Ending a session that has ended, or a token that is none, is a success too, also with an access token that has
/// expired. The services refuse the access tokens of the session within a second.
#[utoipa::path(
    post, path = "/auth/logout", tag = "sessions", security(("bearer" = []), ()),
    request_body = Option<LogoutRequest>,
    responses((status = 204, description = "The sessions have ended"), PublicProblems),
)]
pub(crate) async fn logout(
    State(app): State<AppState>,
    caller: Result<PastCaller, Problem>,
    headers: HeaderMap,
    origin: Origin,
    OptionalJson(request): OptionalJson<LogoutRequest>,
) -> Result<Response, Problem> {
    let presented = match (&caller, request.refresh_token) {
        // The access token says which session it is, and no other page can send that.
        (Ok(_), None) => None,
        (_, in_body) => delivery::presented(&app, &headers, in_body)?,
    };
    match (presented, caller) {
        (Some((text, _)), _) => {
            if let Some(token) = RefreshToken::parse(&text) {
                end_by_refresh_token(&app, &token, request.scope, &origin).await?;
            }
        }
        (None, Ok(PastCaller { caller, refused })) => {
            let known = end_by_caller(&app, &caller, refused.is_none(), request.scope, &origin);
            if let (false, Some(problem)) = (known.await?, refused) {
                return Err(problem);
            }
        }
        (None, Err(problem)) => return Err(problem),
    }
    app.wake();
    let mut response = StatusCode::NO_CONTENT.into_response();
    delivery::forget(&headers, &mut response);
    Ok(response)
}

/// False when nothing came of it, because the token is not good any more: such a one is good for leaving a session that
/// there is, not for throwing out others.
async fn end_by_caller(
    app: &AppState,
    caller: &Caller,
    good: bool,
    scope: LogoutScope,
    origin: &Origin,
) -> Result<bool, Problem> {
    if scope != LogoutScope::Session {
        caller.refuse_impersonation()?;
    }
    let who = Who {
        user: caller.user,
        session: caller.session,
        actor: Actor::of(caller),
    };
    let end = async |tx: &mut TenantTx| {
        let own = match caller.session {
            Some(session) => store_own::belongs_to(tx, session, caller.user).await?,
            None => false,
        };
        let may = good || (own && scope == LogoutScope::Session);
        if may {
            end(tx, app, &who, scope, origin).await?;
        }
        Ok::<_, DbError>(may)
    };
    let name = "identity.sessions.logout";
    Ok(app.core.db.run(name, &caller.scope, end).await?)
}

/// By a refresh token of any generation, used or not: whoever has it may always end its session. The user's other
/// sessions are ended only by one whose session is alive.
async fn end_by_refresh_token(
    app: &AppState,
    token: &RefreshToken,
    scope: LogoutScope,
    origin: &Origin,
) -> Result<(), Problem> {
    let now = app.core.sources.now();
    let end = async |tx: &mut TenantTx| {
        let Some(user) = store_own::owner(tx, token.session).await? else {
            return Ok(());
        };
        if scope != LogoutScope::Session {
            // Before the lock of the session, as whoever ends several sessions does.
            users::store::hold(tx, user).await?;
        }
        let Some(session) = store::lock(tx, token.session).await? else {
            return Ok(());
        };
        let generation = store::generation(tx, token.session, token.generation).await?;
        let genuine = generation.is_some_and(|known| token.matches(&known.secret_hash));
        let alive = !session.revoked && session.expires_at > now;
        if !genuine || (scope != LogoutScope::Session && !alive) {
            return Ok(());
        }
        let who = Who {
            user,
            session: Some(token.session),
            actor: Actor::User(user),
        };
        end(tx, app, &who, scope, origin).await
    };
    let (name, tenant) = (
        "identity.sessions.logout",
        TenantScope::new(token.tenant, None),
    );
    Ok(app.core.db.run(name, &tenant, end).await?)
}

/// Whose sessions end.
pub(super) struct Who {
    /// The user.
    pub(super) user: UserId,
    /// The session that asks.
    pub(super) session: Option<SessionId>,
    /// Who asks.
    pub(super) actor: Actor,
}

/// Ends sessions and writes down which scope it was.
pub(super) async fn end(
    tx: &mut TenantTx,
    app: &AppState,
    who: &Who,
    scope: LogoutScope,
    origin: &Origin,
) -> Result<(), DbError> {
    let (own, actor) = (RevokedBecause::Logout, Some(who.user));
    let others = RevokedBecause::EndedByUser;
    let ended = match (scope, who.session) {
        (LogoutScope::Session, None) => 0,
        (LogoutScope::Session, Some(session)) => {
            usize::from(end::end(tx, app, session, own, actor).await?)
        }
        (LogoutScope::Others, except) => {
            end::end_all(tx, app, who.user, except, others, actor).await?
        }
        (LogoutScope::All, _) => end::end_all(tx, app, who.user, None, others, actor).await?,
    };
    if ended == 0 {
        return Ok(());
    }
    let entry = Entry {
        actor: who.actor,
        action: "session.logout",
        target: who.session.map(|session| ("session", session.as_uuid())),
        success: true,
        changes: json!({ "scope": scope.as_str(), "ended": ended }),
        origin,
    };
    audit::record(tx, &app.core.sources, entry).await
}

impl LogoutScope {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Others => "others",
            Self::All => "all",
        }
    }
}
