use axum::extract::{FromRequest, Request, State};
use bz_auth::Caller;
use bz_http::{Errors, Json, Problem, Validate};
use bz_kernel::{SessionId, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{
    end,
    store::{self, RevokedBecause},
    token::RefreshToken,
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    problems::PublicProblems,
};

/// Which session to end.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogoutRequest {
    /// A refresh token of the session, for when the access token has ended.
    refresh_token: Option<String>,
}

impl Validate for LogoutRequest {
    fn validate(&self, _: &mut Errors) {}
}

/// Log out: end the session of the access token, or of the refresh token that is sent.
///
/// Ending a session that has ended, or a token that is none, is a success too. An access token of the session is
/// still accepted by the services until it ends by itself, ten minutes after it was made at the latest.
#[utoipa::path(
    post, path = "/auth/logout", tag = "sessions", security(("bearer" = []), ()),
    request_body = Option<LogoutRequest>,
    responses((status = 204, description = "The session has ended"), PublicProblems),
)]
pub(crate) async fn logout(
    State(app): State<AppState>,
    caller: Result<Caller, Problem>,
    origin: Origin,
    OptionalBody(request): OptionalBody,
) -> Result<StatusCode, Problem> {
    match (request.refresh_token.as_deref(), caller) {
        (Some(text), _) => {
            if let Some(token) = RefreshToken::parse(text) {
                end_session_of(&app, &token, &origin).await?;
            }
        }
        (None, Ok(caller)) => {
            if let Some(session) = caller.session {
                end_session(&app, &caller, session, &origin).await?;
            }
        }
        (None, Err(problem)) => return Err(problem),
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn end_session(
    app: &AppState,
    caller: &Caller,
    session: SessionId,
    origin: &Origin,
) -> Result<(), Problem> {
    let end = async |tx: &mut TenantTx| {
        end_and_record(tx, app, session, caller.user, Actor::of(caller), origin).await
    };
    app.core
        .db
        .run::<_, DbError>("identity.sessions.logout", &caller.scope, end)
        .await?;
    app.wake();
    Ok(())
}

/// Ends the session of a refresh token of any generation, used or not: whoever has it may always end it.
async fn end_session_of(
    app: &AppState,
    token: &RefreshToken,
    origin: &Origin,
) -> Result<(), Problem> {
    let scope = TenantScope::new(token.tenant, None);
    let end = async |tx: &mut TenantTx| {
        let Some(session) = store::lock(tx, token.session).await? else {
            return Ok(());
        };
        match store::generation(tx, token.session, token.generation).await? {
            Some(generation) if token.matches(&generation.secret_hash) => {
                let actor = Actor::User(session.user);
                end_and_record(tx, app, token.session, session.user, actor, origin).await
            }
            _ => Ok(()),
        }
    };
    app.core
        .db
        .run::<_, DbError>("identity.sessions.logout", &scope, end)
        .await?;
    app.wake();
    Ok(())
}

async fn end_and_record(
    tx: &mut TenantTx,
    app: &AppState,
    session: SessionId,
    user: UserId,
    actor: Actor,
    origin: &Origin,
) -> Result<(), DbError> {
    if !end::end(tx, app, session, RevokedBecause::Logout, Some(user)).await? {
        return Ok(());
    }
    let entry = Entry {
        actor,
        action: "session.ended",
        target: Some(("session", session.as_uuid())),
        success: true,
        changes: json!({ "reason": RevokedBecause::Logout.as_str() }),
        origin,
    };
    audit::record(tx, &app.core.sources, entry).await
}

/// A JSON body, or none.
pub(crate) struct OptionalBody(LogoutRequest);

impl<S: Send + Sync> FromRequest<S> for OptionalBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers();
        let is_empty = headers
            .get(header::CONTENT_LENGTH)
            .is_some_and(|length| length == "0");
        if is_empty || !headers.contains_key(header::CONTENT_TYPE) {
            return Ok(Self(LogoutRequest::default()));
        }
        Json::<LogoutRequest>::from_request(request, state)
            .await
            .map(|Json(request)| Self(request))
    }
}
