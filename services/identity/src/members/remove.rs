use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use bz_kernel::UserId;
use serde_json::json;

use super::{MembersManage, change, store};
use crate::{
    app::AppState,
    changes::{self, By},
    guests,
    origin::Origin,
    roles::guard,
    sessions::store::RevokedBecause,
};

/// Remove a member: their sessions in the tenant end at once. The user stays, and may become a member again by being
/// given roles.
#[utoipa::path(
    delete, path = "/api/members/{user_id}", tag = "members", security(("bearer" = ["members:manage"])),
    params(("user_id" = UserId, Path, description = "The user"), IfMatch),
    responses((status = 204, description = "The user is no member any more"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn remove_member(
    State(app): State<AppState>,
    caller: Can<MembersManage>,
    Path(user): Path<UserId>,
    if_match: IfMatch,
    origin: Origin,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    store::lock_all(&mut tx).await?;
    let before = store::find(&mut tx, user)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    guard::may_act_on(&caller, &before.rights)?;
    let because = RevokedBecause::MemberRemoved;
    change::shut_out(&mut tx, &app, user, because, caller.user).await?;
    // A guest leaves nothing behind; somebody whose home is here stays a user without a role.
    if !guests::store::remove_guest(&mut tx, user).await? {
        store::delete(&mut tx, user).await?;
    }
    change::keep_an_owner(&mut tx, Some(&before)).await?;
    let changes = json!({ "roles": before.role_ids() });
    let (by, target) = (By::new(&caller, &origin), ("user", user.as_uuid()));
    changes::tell(&mut tx, &app, by, "member.removed", target, changes).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
