use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde_json::json;

use super::{UsersManage, target::act};
use crate::{
    app::AppState, changes::By, members::change, origin::Origin, sessions::store::RevokedBecause,
};

/// End all sessions of a user in the tenant.
#[utoipa::path(
    delete, path = "/api/users/{id}/sessions", tag = "users", security(("bearer" = ["users:manage"])),
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 204, description = "There are none any more"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn end_user_sessions(
    State(app): State<AppState>,
    caller: Can<UsersManage>,
    Path(id): Path<UserId>,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let by = By::new(&caller, &origin);
    let end = async |tx: &mut TenantTx| {
        let because = RevokedBecause::EndedByAdmin;
        let ended = change::shut_out(tx, &app, id, because, caller.user).await?;
        Ok(json!({ "sessions": ended }))
    };
    act(&app, by, id, "user.sessions_ended", end).await?;
    Ok(StatusCode::NO_CONTENT)
}
