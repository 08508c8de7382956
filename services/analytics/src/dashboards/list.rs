use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{DashboardSummary, DashboardsRead, boards};
use crate::app::AppState;

const LIST: &str = "dashboards";

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListDashboards {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's dashboards, newest first, without their tiles.
#[utoipa::path(
    get, path = "/api/dashboards", tag = "dashboards",
    security(("bearer" = ["dashboards:read"])),
    params(ListDashboards),
    responses((status = 200, description = "One page", body = Page<DashboardSummary>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_dashboards(
    State(app): State<AppState>,
    caller: Can<DashboardsRead>,
    Query(query): Query<ListDashboards>,
) -> Result<Json<Page<DashboardSummary>>, Problem> {
    let (tenant, cursors) = (caller.scope.tenant(), &app.core.cursors);
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, LIST)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let found = boards::list(&mut tx, page.after, page.limit).await?;
    Ok(Json(Page::cut(
        found,
        page.limit,
        |last: &DashboardSummary| cursors.seal(tenant, LIST, &last.id),
    )))
}
