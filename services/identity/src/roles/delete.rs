use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use serde_json::json;

use super::{RolesManage, guard, own_id, rights::Rights, store};
use crate::{
    app::AppState,
    changes::{self, By},
    origin::Origin,
};

/// Delete a role that nobody has; one that somebody has is 409 `role_in_use`.
#[utoipa::path(
    delete, path = "/api/roles/{id}", tag = "roles", security(("bearer" = ["roles:manage"])),
    params(("id" = String, Path, description = "The role's id"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_role(
    State(app): State<AppState>,
    caller: Can<RolesManage>,
    Path(id): Path<String>,
    if_match: IfMatch,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let id = own_id(&id)?;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let role = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(role.version)?;
    guard::may_change(&caller, &role.rights(), &Rights::default())?;
    store::delete(&mut tx, id).await?;
    let changes = json!({ "name": role.name, "permissions": role.permissions });
    let (by, target) = (By::new(&caller, &origin), ("role", id.as_uuid()));
    changes::tell(&mut tx, &app, by, "role.deleted", target, changes).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
