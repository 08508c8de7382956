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
    origin::Origin,
    sessions::store::RevokedBecause,
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
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    target(&mut tx, &caller, id).await?;
    let because = RevokedBecause::EndedByAdmin;
    let ended = change::shut_out(&mut tx, &app, id, because, caller.user).await?;
    let changes = json!({ "sessions": ended });
    let (by, target) = (By::new(&caller, &origin), ("user", id.as_uuid()));
    changes::tell(&mut tx, &app, by, "user.sessions_ended", target, changes).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
