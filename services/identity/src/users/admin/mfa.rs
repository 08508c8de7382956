use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_kernel::UserId;
use serde_json::json;

use super::{UsersManage, target::target};
use crate::{
    app::AppState,
    changes::{self, By},
    members::change,
    mfa,
    origin::Origin,
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
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    target(&mut tx, &caller, id).await?;
    mfa::remove_all(&mut tx, &app, id).await?;
    let because = RevokedBecause::MfaChanged;
    change::shut_out(&mut tx, &app, id, because, caller.user).await?;
    let changes = json!({});
    let (by, target) = (By::new(&caller, &origin), ("user", id.as_uuid()));
    changes::tell(&mut tx, &app, by, "user.mfa_removed", target, changes).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
