use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde_json::json;

use super::{UsersManage, target::act};
use crate::{app::AppState, changes::By, lockout, origin::Origin};

/// Let a user try the password again after too many failures. Says nothing of whether there was a wait.
#[utoipa::path(
    post, path = "/api/users/{id}/unlock", tag = "users", security(("bearer" = ["users:manage"])),
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 204, description = "There is no wait any more"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn unlock_user(
    State(app): State<AppState>,
    caller: Can<UsersManage>,
    Path(id): Path<UserId>,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let by = By::new(&caller, &origin);
    let unlock = async |_: &mut TenantTx| Ok(json!({}));
    let found = act(&app, by, id, "user.unlocked", unlock).await?;
    lockout::unlock(&app, caller.tenant(), &found.user.email).await;
    Ok(StatusCode::NO_CONTENT)
}
