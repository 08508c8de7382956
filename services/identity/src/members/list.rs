use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{Page, UserId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Member, MembersRead, store};
use crate::app::AppState;

/// Whether a member has access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum MemberStatus {
    /// The member has access.
    Active,
    /// The member has no access for now.
    Suspended,
}

impl MemberStatus {
    /// As the table has it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListMembers {
    /// Only members in this status.
    status: Option<MemberStatus>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's members, those who came last first.
#[utoipa::path(
    get, path = "/api/members", tag = "members", security(("bearer" = ["members:read"])),
    params(ListMembers),
    responses((status = 200, description = "One page", body = Page<Member>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_members(
    State(app): State<AppState>,
    caller: Can<MembersRead>,
    Query(query): Query<ListMembers>,
) -> Result<Json<Page<Member>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let status = query.status.map(MemberStatus::as_str);
    let list = format!("members?status={}", status.unwrap_or_default());
    let page = PageQuery::new(query.limit, query.cursor).open::<UserId>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let members = store::list(&mut tx, status, page.after, page.limit).await?;
    Ok(Json(Page::cut(members, page.limit, |last: &Member| {
        cursors.seal(tenant, &list, &last.user_id)
    })))
}
