use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Path, Problem};
use bz_tenant::TenantTx;
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::store;
use crate::{
    app::AppState,
    audit::{Actor, Entry},
    origin::Origin,
};

/// Stop using the authenticator app: its recovery codes go with it, and every other session ends.
///
/// Needs a second factor in this session, and another one to stay where the tenant asks for one (403
/// `mfa_required_by_policy`).
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
    app.core
        .db
        .run::<_, Problem>("identity.mfa.remove_totp", &caller.scope, remove)
        .await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(
    tx: &mut TenantTx,
    app: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: Uuid,
) -> Result<(), Problem> {
    store::factor(tx, caller.user, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    super::may_change(tx, caller).await?;
    // One that never counted is just forgotten.
    if !store::remove_totp(tx, caller.user, app.core.sources.now()).await? {
        return Ok(());
    }
    let entry = Entry {
        actor: Actor::of(caller),
        action: "mfa.disabled",
        target: Some(("user", caller.user.as_uuid())),
        success: true,
        changes: json!({ "method": "totp" }),
        origin,
    };
    super::removed(tx, app, caller, "- TOTP", entry).await
}
