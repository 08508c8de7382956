use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Path, Problem, Validate, Versioned};
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Member, MembersManage, change, store};
use crate::{
    app::AppState,
    changes::{self, By},
    origin::Origin,
    roles::{guard, rights::Rights},
    users::admin,
};

/// The roles that a member is to have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplaceMemberRoles {
    /// At most one name of a built-in role, and ids of the tenant's own roles; 20 at most.
    #[schema(example = json!(["member"]), max_items = 20)]
    roles: Vec<String>,
}

impl Validate for ReplaceMemberRoles {
    fn validate(&self, errors: &mut Errors) {
        change::check_roles("/roles", &self.roles, errors);
    }
}

/// Give a member these roles, and no others. A user of the tenant who is no member becomes one.
///
/// What is given and what is taken away must be the caller's too (403 `privilege_escalation`), and a tenant keeps an
/// owner (409 `last_owner`).
#[utoipa::path(
    put, path = "/api/members/{user_id}/roles", tag = "members", security(("bearer" = ["members:manage"])),
    params(("user_id" = UserId, Path, description = "The user"), IfMatch),
    request_body = ReplaceMemberRoles,
    responses(
        (status = 200, description = "The member as it is now", body = Member,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn replace_member_roles(
    State(app): State<AppState>,
    caller: Can<MembersManage>,
    Path(user): Path<UserId>,
    if_match: IfMatch,
    origin: Origin,
    Json(request): Json<ReplaceMemberRoles>,
) -> Result<Versioned<Member>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    store::lock_all(&mut tx).await?;
    let before = store::find(&mut tx, user).await?;
    if before.is_none() && !admin::store::exists(&mut tx, user).await? {
        return Err(Problem::not_found());
    }
    if_match.check(before.as_ref().map_or(0, |member| member.version))?;
    let wanted = change::resolve(&mut tx, "/roles", &request.roles).await?;
    let nothing = Rights::default();
    let had = before.as_ref().map_or(&nothing, |member| &member.rights);
    guard::may_change(&caller, had, &wanted.rights)?;
    let by = By::new(&caller, &origin);
    let member = set_roles(&mut tx, &app, by, user, before.as_ref(), &wanted).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(member.version, member))
}

/// Gives a member roles that the caller may give, with all that follows from it. The tenant's memberships are locked by
/// [`store::lock_all`], and `before` was read under the lock.
pub(crate) async fn set_roles(
    tx: &mut TenantTx,
    app: &AppState,
    by: By<'_>,
    user: UserId,
    before: Option<&Member>,
    wanted: &change::WantedRoles,
) -> Result<Member, Problem> {
    let now = app.core.sources.now();
    store::set_roles(tx, user, wanted.built_in, &wanted.own, now).await?;
    change::keep_an_owner(tx, before).await?;
    change::refresh_rights(tx, app, user, by.user()).await?;
    let member = store::find(tx, user)
        .await?
        .ok_or_else(Problem::not_found)?;
    let had = before.map(Member::role_ids).unwrap_or_default();
    let changes = json!({ "roles": [had, member.role_ids()] });
    let target = ("user", user.as_uuid());
    changes::tell(tx, app, by, "member.updated", target, changes).await?;
    Ok(member)
}
