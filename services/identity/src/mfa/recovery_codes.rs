use axum::extract::State;
use bz_auth::Caller;
use bz_http::{Json, Problem};
use bz_tenant::TenantTx;
use serde_json::json;

use super::{
    store,
    totp_activate::{RecoveryCodes, renew_codes},
};
use crate::{
    app::AppState,
    audit::{self, Actor, Entry},
    origin::Origin,
};

/// Get new recovery codes; the ones before are good no more. Needs a second factor in this session.
#[utoipa::path(
    post, path = "/auth/mfa/recovery-codes", tag = "mfa",
    responses(
        (status = 200, description = "Recovery codes", body = RecoveryCodes),
        (status = 409, description = "There is no second factor", body = bz_http::ProblemDocument,
            content_type = "application/problem+json"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(crate) async fn renew_recovery_codes(
    State(app): State<AppState>,
    caller: Caller,
    origin: Origin,
) -> Result<Json<RecoveryCodes>, Problem> {
    caller.require_recent_login(app.core.sources.now())?;
    let renew = async |tx: &mut TenantTx| {
        if store::active_factor(tx, caller.user).await?.is_none() {
            return Err(Problem::conflict(
                "mfa_not_enabled",
                "Add an authenticator app before recovery codes.",
            ));
        }
        super::may_change(tx, &caller).await?;
        let codes = renew_codes(tx, &app, caller.user).await?;
        let entry = Entry {
            actor: Actor::of(&caller),
            action: "mfa.recovery_codes_renewed",
            target: Some(("user", caller.user.as_uuid())),
            success: true,
            changes: json!({}),
            origin: &origin,
        };
        audit::record(tx, &app.core.sources, entry).await?;
        Ok(codes)
    };
    let db = &app.core.db;
    let recovery_codes = db
        .run::<_, Problem>("identity.mfa.renew_recovery_codes", &caller.scope, renew)
        .await?;
    Ok(Json(RecoveryCodes { recovery_codes }))
}
