use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use bz_kernel::UserId;
use serde_json::json;

use super::store;
use crate::{
    app::AppState,
    changes::{self, By},
    members::{self, change},
    origin::Origin,
    scim::ScimManage,
    sessions::store::RevokedBecause,
    users::admin,
};

/// Delete a user (RFC 7644 section 3.6). Whoever leaves the directory is out at once, whatever they were, but for the
/// last owner.
pub(in crate::scim) async fn delete_user(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Path(id): Path<UserId>,
    if_match: IfMatch,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    members::store::lock_all(&mut tx).await?;
    let before = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    let member = members::store::find(&mut tx, id).await?;
    let because = RevokedBecause::UserDeleted;
    change::shut_out(&mut tx, &app, id, because, caller.user).await?;
    admin::store::delete(&mut tx, id, app.core.sources.now()).await?;
    change::keep_an_owner(&mut tx, member.as_ref()).await?;
    let (by, target) = (By::new(&caller, &origin), ("user", id.as_uuid()));
    let changes = json!({ "by": "scim" });
    changes::tell(&mut tx, &app, by, "user.deleted", target, changes).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
