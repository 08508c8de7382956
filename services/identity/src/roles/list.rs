use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{Page, RoleId};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{Role, RolesRead, rights::BuiltIn, store};
use crate::app::AppState;

const LIST: &str = "roles";

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListRoles {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Behind which role a page starts.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Behind {
    BuiltIn(BuiltIn),
    Own(RoleId),
}

/// The roles: the built-in ones, then the tenant's own in the order of their making.
#[utoipa::path(
    get, path = "/api/roles", tag = "roles", security(("bearer" = ["roles:read"])),
    params(ListRoles),
    responses((status = 200, description = "One page", body = Page<Role>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_roles(
    State(app): State<AppState>,
    caller: Can<RolesRead>,
    Query(query): Query<ListRoles>,
) -> Result<Json<Page<Role>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let page = PageQuery::new(query.limit, query.cursor).open::<Behind>(cursors, tenant, LIST)?;
    let (mut roles, after) = built_in(page.after);
    let wanted = usize::from(page.limit) + 1;
    let mut tx = app.core.db.read(&caller.scope).await?;
    roles.extend(store::list(&mut tx, after, wanted.saturating_sub(roles.len())).await?);
    Ok(Json(Page::cut(roles, page.limit, |last: &Role| {
        let behind = match (BuiltIn::parse(&last.id), last.id.parse()) {
            (None, Ok(id)) => Behind::Own(id),
            (role, _) => Behind::BuiltIn(role.unwrap_or(BuiltIn::Viewer)),
        };
        cursors.seal(tenant, LIST, &behind)
    })))
}

/// The built-in roles that are behind a position, and the position among the tenant's own.
fn built_in(behind: Option<Behind>) -> (Vec<Role>, Option<RoleId>) {
    let skipped = match behind {
        None => 0,
        Some(Behind::BuiltIn(role)) => BuiltIn::ALL
            .iter()
            .position(|other| *other == role)
            .map_or(0, |at| at + 1),
        Some(Behind::Own(id)) => return (Vec::new(), Some(id)),
    };
    let left = BuiltIn::ALL.into_iter().skip(skipped);
    (left.map(Role::from).collect(), None)
}
