use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};

use super::{Role, RolesRead, own_id, rights::BuiltIn, store};
use crate::app::AppState;

/// A role.
#[utoipa::path(
    get, path = "/api/roles/{id}", tag = "roles", security(("bearer" = ["roles:read"])),
    params(("id" = String, Path, description = "The role's id, or the name of a built-in one")),
    responses(
        (status = 200, description = "The role", body = Role, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_role(
    State(app): State<AppState>,
    caller: Can<RolesRead>,
    Path(id): Path<String>,
) -> Result<Versioned<Role>, Problem> {
    if let Some(role) = BuiltIn::parse(&id) {
        return Ok(Versioned(1, role.into()));
    }
    let id = own_id(&id)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let role = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(role.version, role))
}
