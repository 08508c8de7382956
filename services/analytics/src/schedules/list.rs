use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{ReportSchedule, store};
use crate::{app::AppState, reports::ReportsRead};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListReportSchedules {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The schedules of the tenant, newest first.
#[utoipa::path(
    get, path = "/api/report-schedules", tag = "report-schedules",
    security(("bearer" = ["reports:read"])),
    params(ListReportSchedules),
    responses((status = 200, description = "One page", body = Page<ReportSchedule>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_report_schedules(
    State(app): State<AppState>,
    caller: Can<ReportsRead>,
    Query(query): Query<ListReportSchedules>,
) -> Result<Json<Page<ReportSchedule>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(
        cursors,
        tenant,
        "report-schedules",
    )?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let schedules = store::list(&mut tx, page.after, i64::from(page.limit) + 1).await?;
    Ok(Json(Page::cut(
        schedules,
        page.limit,
        |last: &ReportSchedule| cursors.seal(tenant, "report-schedules", &last.id),
    )))
}
