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
    mfa,
    origin::Origin,
    sessions::{end, store::RevokedBecause},
};

/// Remove a passkey. The user's other sessions end.
#[utoipa::path(
    delete, path = "/auth/passkeys/{id}", tag = "passkeys",
    params(("id" = Uuid, Path, description = "The passkey's id")),
    responses((status = 204, description = "The passkey is gone"), bz_http::openapi::ReadProblems),
)]
pub(crate) async fn remove_passkey(
    State(app): State<AppState>,
    caller: Caller,
    origin: Origin,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    caller.require_recent_login(app.core.sources.now())?;
    let user = caller.user;
    let remove = async |tx: &mut TenantTx| {
        if !store::remove(tx, user, id).await? {
            return Ok(false);
        }
        let because = RevokedBecause::MfaChanged;
        end::end_all(tx, &app, user, caller.session, because, Some(user)).await?;
        mfa::tell(tx, &app, user, "- passkey").await?;
        let entry = Entry {
            actor: Actor::of(&caller),
            action: "passkey.removed",
            target: Some(("passkey", id)),
            success: true,
            changes: json!({}),
            origin: &origin,
        };
        audit::record(tx, &app.core.sources, entry).await?;
        Ok(true)
    };
    let removed = app
        .core
        .db
        .run::<_, DbError>("identity.passkeys.remove", &caller.scope, remove)
        .await?;
    if !removed {
        return Err(Problem::not_found());
    }
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
