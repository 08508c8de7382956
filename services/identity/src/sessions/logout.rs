use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::Caller;
use bz_http::{Errors, Problem, Validate};
use bz_kernel::{SessionId, UserId};
use bz_tenant::{DbError, TenantScope, TenantTx};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    delivery::{self, OptionalJson},
    end,
    store::{self, RevokedBecause},
    token::RefreshToken,
};
use crate::{app::AppState, problems::PublicProblems};

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

/// Log out: end the session of the access token, or of the refresh token that is sent, in the body or in the cookie.
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
    headers: HeaderMap,
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
                end_session_of(&app, &token).await?;
            }
        }
        (None, Ok(caller)) => {
            if let Some(session) = caller.session {
                end_session(&app, &caller.scope, session, caller.user).await?;
            }
        }
        (None, Err(problem)) => return Err(problem),
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    delivery::forget(&headers, &mut response);
    Ok(response)
}

async fn end_session(
    app: &AppState,
    scope: &TenantScope,
    session: SessionId,
    user: UserId,
) -> Result<(), Problem> {
    let end = async |tx: &mut TenantTx| {
        end::end(tx, app, session, RevokedBecause::Logout, Some(user)).await
    };
    app.core
        .db
        .run::<_, DbError>("identity.sessions.logout", scope, end)
        .await?;
    app.wake();
    Ok(())
}

/// Ends the session of a refresh token of any generation, used or not: whoever has it may always end it.
async fn end_session_of(app: &AppState, token: &RefreshToken) -> Result<(), Problem> {
    let scope = TenantScope::new(token.tenant, None);
    let end = async |tx: &mut TenantTx| {
        let Some(session) = store::lock(tx, token.session).await? else {
            return Ok(());
        };
        match store::generation(tx, token.session, token.generation).await? {
            Some(generation) if token.matches(&generation.secret_hash) => {
                let actor = Some(session.user);
                end::end(tx, app, token.session, RevokedBecause::Logout, actor).await?;
                Ok(())
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
