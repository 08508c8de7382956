use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Path, Problem};
use bz_tenant::{DbError, TenantTx};
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::store;
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
    sessions::{end, store::RevokedBecause},
};

/// Stop using the authenticator app: its recovery codes go with it, and every other session ends.
#[utoipa::path(
    delete, path = "/auth/mfa/totp/{id}", tag = "mfa",
    params(("id" = Uuid, Path, description = "The enrolment's id")),
    responses((status = 204, description = "The app does not count any more"), bz_http::openapi::ReadProblems),
)]
pub(crate) async fn remove_totp(
    State(app): State<AppState>,
    caller: Caller,
    origin: Origin,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    caller.require_recent_login(app.core.sources.now())?;
    let remove = async |tx: &mut TenantTx| remove(tx, &app, &caller, &origin, id).await;
    let removed = app
        .core
        .db
        .run::<_, DbError>("identity.mfa.remove_totp", &caller.scope, remove)
        .await?;
    if !removed {
        return Err(Problem::not_found());
    }
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: Uuid,
) -> Result<bool, DbError> {
    if store::factor(tx, caller.user, id).await?.is_none() {
        return Ok(false);
    }
    let was_active = store::remove_totp(tx, caller.user, app.core.sources.now()).await?;
    if was_active {
        let because = RevokedBecause::MfaChanged;
        end::end_all(
            tx,
            app,
            caller.user,
            caller.session,
            because,
            Some(caller.user),
        )
        .await?;
        super::tell(tx, app, caller.user, "- TOTP").await?;
        let entry = Entry {
            actor: Actor::of(caller),
            action: "mfa.disabled",
            target: Some(("user", caller.user.as_uuid())),
            success: true,
            changes: json!({ "method": "totp" }),
            origin,
        };
        audit::record(tx, &app.core.sources, entry).await?;
    }
    Ok(true)
}
