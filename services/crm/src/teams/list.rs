use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{Page, TeamId};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Team, TeamsRead, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListTeams {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The teams with their members, in the order of their making.
#[utoipa::path(
    get, path = "/api/teams", tag = "teams",
    security(("bearer" = ["teams:read"])),
    params(ListTeams),
    responses((status = 200, description = "One page", body = Page<Team>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_teams(
    State(app): State<AppState>,
    caller: Can<TeamsRead>,
    Query(query): Query<ListTeams>,
) -> Result<Json<Page<Team>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<TeamId>(cursors, tenant, "teams")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let after = page.after.map(TeamId::as_uuid);
    let teams = store::list(&mut tx, after, page.limit).await?;
    Ok(Json(Page::cut(teams, page.limit, |last: &Team| {
        cursors.seal(tenant, "teams", &last.id)
    })))
}
