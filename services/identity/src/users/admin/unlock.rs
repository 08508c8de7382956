use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_kernel::UserId;
use serde_json::json;

use super::{UsersManage, target::target};
use crate::{
    app::AppState,
    changes::{self, By},
    lockout,
    origin::Origin,
};

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
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let found = target(&mut tx, &caller, id).await?;
    let changes = json!({});
    let (by, target) = (By::new(&caller, &origin), ("user", id.as_uuid()));
    changes::tell(&mut tx, &app, by, "user.unlocked", target, changes).await?;
    tx.commit().await?;
    lockout::unlock(&app, caller.tenant(), &found.user.email).await;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
