use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Schedule, ScheduleId, SchedulesRead, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListSchedules {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's schedules, newest first.
#[utoipa::path(
    get, path = "/api/schedules", tag = "schedules",
    security(("bearer" = ["schedules:read"])),
    params(ListSchedules),
    responses((status = 200, description = "One page", body = Page<Schedule>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_schedules(
    State(app): State<AppState>,
    caller: Can<SchedulesRead>,
    Query(query): Query<ListSchedules>,
) -> Result<Json<Page<Schedule>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page = PageQuery::new(query.limit, query.cursor);
    let page = page.open::<ScheduleId>(cursors, tenant, "schedules")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let schedules = store::list(&mut tx, page.after, i64::from(page.limit) + 1).await?;
    Ok(Json(Page::cut(schedules, page.limit, |last: &Schedule| {
        cursors.seal(tenant, "schedules", &last.id)
    })))
}
