use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Problem, Query};
use bz_tenant::TenantTx;
use http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::logout::{self, LogoutScope};
use crate::{app::AppState, audit::Actor, origin::Origin};

/// Which sessions to spare.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RevokeSessions {
    /// `current` spares the session of the token; without it that one ends too.
    #[param(inline)]
    except: Option<Except>,
}

/// A session that is spared.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Except {
    /// The one of the token.
    Current,
}

/// End all of one's own sessions in the tenant, or all others.
#[utoipa::path(
    delete, path = "/auth/sessions", tag = "sessions",
    params(RevokeSessions),
    responses((status = 204, description = "The sessions have ended"), bz_http::openapi::ListProblems),
)]
pub(crate) async fn revoke_sessions(
    State(app): State<AppState>,
    caller: Caller,
    origin: Origin,
    Query(query): Query<RevokeSessions>,
) -> Result<StatusCode, Problem> {
    crate::api_keys::only_people(&caller)?;
    let scope = match query.except {
        Some(Except::Current) => LogoutScope::Others,
        None => LogoutScope::All,
    };
    let who = logout::Who {
        user: caller.user,
        session: caller.session,
        actor: Actor::of(&caller),
    };
    let end = async |tx: &mut TenantTx| logout::end(tx, &app, &who, scope, &origin).await;
    app.core
        .db
        .run("identity.sessions.revoke_all", &caller.scope, end)
        .await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
