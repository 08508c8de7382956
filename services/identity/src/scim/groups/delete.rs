use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use bz_kernel::RoleId;
use serde_json::json;

use super::{WriteGroup, apply::set_members, store};
use crate::{
    app::AppState,
    changes::{self, By},
    members,
    origin::Origin,
    roles,
    scim::ScimManage,
};

/// Delete a group; its members lose what it allows (RFC 7644 section 3.6).
pub(in crate::scim) async fn delete_group(
    State(app): State<AppState>,
    caller: Can<ScimManage>,
    Path(id): Path<RoleId>,
    if_match: IfMatch,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    members::store::lock_all(&mut tx).await?;
    let before = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    let by = By::new(&caller, &origin);
    let empty = WriteGroup {
        members: Default::default(),
        ..before.written.clone()
    };
    set_members(&mut tx, &app, by, &before, &empty).await?;
    roles::store::delete(&mut tx, id).await?;
    let changes = json!({ "by": "scim", "name": before.written.display_name });
    let target = ("role", id.as_uuid());
    changes::tell(&mut tx, &app, by, "role.deleted", target, changes).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
