use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Share, store, token};
use crate::{
    app::AppState,
    dashboards::{DashboardId, DashboardsWrite, boards},
};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListShares {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The links to a dashboard, newest first, also those that have ended. Needs the right to make them, since they open it.
#[utoipa::path(
    get, path = "/api/dashboards/{id}/shares", tag = "dashboards",
    security(("bearer" = ["dashboards:write"])),
    params(("id" = DashboardId, Path, description = "The dashboard"), ListShares),
    responses(
        (status = 200, description = "One page", body = Page<Share>),
        (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_shares(
    State(app): State<AppState>,
    caller: Can<DashboardsWrite>,
    Path(id): Path<DashboardId>,
    Query(query): Query<ListShares>,
) -> Result<Json<Page<Share>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let list = format!("dashboards/{id}/shares");
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    boards::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let found = store::list(&mut tx, id, page.after, page.limit).await?;
    let found: Vec<Share> = found
        .into_iter()
        .map(|share| token::addressed(&app.core, tenant, share))
        .collect();
    Ok(Json(Page::cut(found, page.limit, |last: &Share| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
