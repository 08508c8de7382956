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
    mfa,
    origin::Origin,
};

/// Remove a passkey. The user's other sessions end.
///
/// Whoever has an authenticator app needs a second factor in this session; where the tenant asks for one, another must stay
/// (403 `mfa_required_by_policy`).
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
    let remove = async |tx: &mut TenantTx| {
        if !store::remove(tx, caller.user, id).await? {
            return Err(Problem::not_found());
        }
        mfa::may_change(tx, &caller).await?;
        let entry = Entry {
            actor: Actor::of(&caller),
            action: "passkey.removed",
            target: Some(("passkey", id)),
            success: true,
            changes: json!({}),
            origin: &origin,
        };
        mfa::removed(tx, &app, &caller, "- passkey", entry).await
    };
    app.core
        .db
        .run::<_, Problem>("identity.passkeys.remove", &caller.scope, remove)
        .await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
