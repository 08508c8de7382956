use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{ReportsRead, resource::Report, store};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListReports {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The reports of the tenant, newest first.
#[utoipa::path(
    get, path = "/api/reports", tag = "reports",
    security(("bearer" = ["reports:read"])),
    params(ListReports),
    responses((status = 200, description = "One page", body = Page<Report>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_reports(
    State(app): State<AppState>,
    caller: Can<ReportsRead>,
    Query(query): Query<ListReports>,
) -> Result<Json<Page<Report>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, "reports")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let rows = store::list(&mut tx, page.after, i64::from(page.limit) + 1).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let files = store::files(&mut tx, &ids).await?;
    let reports = rows.into_iter().map(|row| row.shown(&files)).collect();
    Ok(Json(Page::cut(reports, page.limit, |last: &Report| {
        cursors.seal(tenant, "reports", &last.id)
    })))
}
