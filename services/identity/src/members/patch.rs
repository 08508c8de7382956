use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Path, Problem, Validate, Versioned};
use bz_kernel::UserId;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Member, MembersManage, change, list::MemberStatus, store};
use crate::{
    app::AppState,
    changes::{self, By},
    origin::Origin,
    roles::guard,
    sessions::store::RevokedBecause,
};

/// A change of a membership; a missing field stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchMember {
    /// `suspended` ends the member's sessions in the tenant and keeps them out until it is `active` again.
    status: Option<MemberStatus>,
}

impl Validate for PatchMember {
    fn validate(&self, _: &mut Errors) {}
}

/// Suspend a member, or let them in again.
#[utoipa::path(
    patch, path = "/api/members/{user_id}", tag = "members", security(("bearer" = ["members:manage"])),
    params(("user_id" = UserId, Path, description = "The user"), IfMatch),
    request_body = PatchMember,
    responses(
        (status = 200, description = "The member as it is now", body = Member,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_member(
    State(app): State<AppState>,
    caller: Can<MembersManage>,
    Path(user): Path<UserId>,
    if_match: IfMatch,
    origin: Origin,
    Json(patch): Json<PatchMember>,
) -> Result<Versioned<Member>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    store::lock_all(&mut tx).await?;
    let before = store::find(&mut tx, user)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    guard::may_act_on(&caller, &before.rights)?;
    let wanted = patch.status.map(MemberStatus::as_str);
    let Some(status) = wanted.filter(|status| *status != before.status) else {
        return Ok(Versioned(before.version, before));
    };
    store::set_status(&mut tx, user, status, app.core.sources.now()).await?;
    change::keep_an_owner(&mut tx, Some(&before)).await?;
    if status == MemberStatus::Suspended.as_str() {
        let because = RevokedBecause::UserDisabled;
        change::shut_out(&mut tx, &app, user, because, caller.user).await?;
    }
    let member = store::find(&mut tx, user)
        .await?
        .ok_or_else(Problem::not_found)?;
    let changes = json!({ "status": [before.status, member.status] });
    let (by, target) = (By::new(&caller, &origin), ("user", user.as_uuid()));
    changes::tell(&mut tx, &app, by, "member.updated", target, changes).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(member.version, member))
}
