use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use bz_kernel::UserId;

use super::{Member, MembersRead, store};
use crate::app::AppState;

/// A member.
#[utoipa::path(
    get, path = "/api/members/{user_id}", tag = "members", security(("bearer" = ["members:read"])),
    params(("user_id" = UserId, Path, description = "The user")),
    responses(
        (status = 200, description = "The member", body = Member, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_member(
    State(app): State<AppState>,
    caller: Can<MembersRead>,
    Path(user): Path<UserId>,
) -> Result<Versioned<Member>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let member = store::find(&mut tx, user)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(member.version, member))
}
