use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};
use serde_json::json;

use super::{Role, RolesManage, WriteRole, guard, own_id, refresh_holders, store};
use crate::{
    app::AppState,
    changes::{self, By},
    origin::Origin,
};

/// Change a role. Its members have the new permissions with their next access token, which they need at once.
///
/// What is added and what is taken away must be the caller's too: anything else is 403 `privilege_escalation`.
#[utoipa::path(
    put, path = "/api/roles/{id}", tag = "roles", security(("bearer" = ["roles:manage"])),
    params(("id" = String, Path, description = "The role's id"), IfMatch),
    request_body = WriteRole,
    responses(
        (status = 200, description = "The role as it is now", body = Role,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn replace_role(
    State(app): State<AppState>,
    caller: Can<RolesManage>,
    Path(id): Path<String>,
    if_match: IfMatch,
    origin: Origin,
    Json(wanted): Json<WriteRole>,
) -> Result<Versioned<Role>, Problem> {
    let (id, wanted) = (own_id(&id)?, wanted.normalised());
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let before = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    guard::may_change(&caller, &before.rights(), &wanted.rights())?;
    let role = store::update(&mut tx, id, app.core.sources.now(), &wanted).await?;
    refresh_holders(&mut tx, &app, id, caller.user).await?;
    let changes = json!({
        "name": [before.name, role.name], "permissions": [before.permissions, role.permissions],
    });
    let (by, target) = (By::new(&caller, &origin), ("role", id.as_uuid()));
    changes::tell(&mut tx, &app, by, "role.updated", target, changes).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(role.version, role))
}
