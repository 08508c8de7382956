use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde_json::json;

use super::{UsersManage, target::act};
use crate::{
    app::AppState, changes::By, members::change, mfa, origin::Origin,
    sessions::store::RevokedBecause,
};

/// Remove the second factors of a user who lost them. Their sessions end at once.
#[utoipa::path(
    delete, path = "/api/users/{id}/mfa", tag = "users", security(("bearer" = ["users:manage"])),
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 204, description = "There are none any more"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn remove_user_mfa(
    State(app): State<AppState>,
    caller: Can<UsersManage>,
    Path(id): Path<UserId>,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let by = By::new(&caller, &origin);
    let remove = async |tx: &mut TenantTx| {
        mfa::remove_all(tx, &app, id).await?;
        let because = RevokedBecause::MfaChanged;
        change::shut_out(tx, &app, id, because, caller.user).await?;
        Ok(json!({}))
    };
    act(&app, by, id, "user.mfa_removed", remove).await?;
    Ok(StatusCode::NO_CONTENT)
}
