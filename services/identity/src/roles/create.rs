use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};
use serde_json::json;
use uuid::Uuid;

use super::{Role, RolesManage, WriteRole, guard, rights::Rights, store};
use crate::{
    app::AppState,
    changes::{self, By},
    origin::Origin,
};

/// Make a role.
///
/// It may allow only what the caller is allowed to do: anything else is 403 `privilege_escalation`.
#[utoipa::path(
    post, path = "/api/roles", tag = "roles", security(("bearer" = ["roles:manage"])),
    params(IdempotencyKey),
    request_body = WriteRole,
    responses(
        (status = 201, description = "The role", body = Role, headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "`role_name_taken`", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_role(
    State(app): State<AppState>,
    caller: Can<RolesManage>,
    key: IdempotencyKey,
    origin: Origin,
    Json(role): Json<WriteRole>,
) -> Result<Response, Problem> {
    let role = role.normalised();
    guard::may_change(&caller, &Rights::default(), &role.rights())?;
    let (core, by) = (&app.core, By::new(&caller, &origin));
    let at = (&core.db, &core.sources.clock);
    let create = async |tx: &mut bz_tenant::TenantTx| {
        let id: Uuid = core.sources.id();
        let created = store::insert(tx, id.into(), core.sources.now(), &role).await?;
        let changes = json!({ "name": created.name, "permissions": created.permissions });
        changes::tell(tx, &app, by, "role.created", ("role", id), changes).await?;
        Ok(created)
    };
    let created =
        bz_http::idempotent(at, &caller.scope, &key, "roles.create", &role, create).await?;
    app.wake();
    Ok(created.into_response_with(|role: &Role| role.version))
}
