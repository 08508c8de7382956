use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use bz_kernel::UserId;
use serde_json::json;

use super::{UsersManage, store, target::target};
use crate::{
    app::AppState,
    changes::{self, By},
    members::change,
    origin::Origin,
    sessions::store::RevokedBecause,
};

/// Delete a user with all that is theirs here. Their sessions end at once.
#[utoipa::path(
    delete, path = "/api/users/{id}", tag = "users", security(("bearer" = ["users:manage"])),
    params(("id" = UserId, Path, description = "The user"), IfMatch),
    responses((status = 204, description = "The user is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_user(
    State(app): State<AppState>,
    caller: Can<UsersManage>,
    Path(id): Path<UserId>,
    if_match: IfMatch,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let before = target(&mut tx, &caller, id).await?;
    if_match.check(before.user.version)?;
    let because = RevokedBecause::UserDeleted;
    change::shut_out(&mut tx, &app, id, because, caller.user).await?;
    store::delete(&mut tx, id, app.core.sources.now()).await?;
    change::keep_an_owner(&mut tx, before.member.as_ref()).await?;
    // Nothing of the person stays in the log but the id.
    let (by, target) = (By::new(&caller, &origin), ("user", id.as_uuid()));
    changes::tell(&mut tx, &app, by, "user.deleted", target, json!({})).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
