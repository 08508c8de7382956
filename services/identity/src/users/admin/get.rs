use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use bz_kernel::UserId;

use super::{ManagedUser, UsersManage, store};
use crate::app::AppState;

/// A user.
#[utoipa::path(
    get, path = "/api/users/{id}", tag = "users", security(("bearer" = ["users:manage"])),
    params(("id" = UserId, Path, description = "The user")),
    responses(
        (status = 200, description = "The user", body = ManagedUser,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_user(
    State(app): State<AppState>,
    caller: Can<UsersManage>,
    Path(id): Path<UserId>,
) -> Result<Versioned<ManagedUser>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let user = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(user.version, user))
}
