use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{Page, RunId};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Run, RunStatus, RunsRead, store, whose};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListRuns {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only runs that are there.
    #[param(inline)]
    status: Option<RunStatus>,
}

/// The user's runs, newest first; with `runs:manage` those of everybody in the tenant.
#[utoipa::path(
    get, path = "/api/runs", tag = "runs",
    security(("bearer" = ["runs:read"])),
    params(ListRuns),
    responses((status = 200, description = "One page", body = Page<Run>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_runs(
    State(app): State<AppState>,
    caller: Can<RunsRead>,
    Query(query): Query<ListRuns>,
) -> Result<Json<Page<Run>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let status = query.status.map(RunStatus::name);
    let list = format!("runs/{}", status.unwrap_or_default());
    let page = PageQuery::new(query.limit, query.cursor).open::<RunId>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let wanted = (page.after, i64::from(page.limit) + 1);
    let runs = store::list(&mut tx, whose(&caller), status, wanted).await?;
    Ok(Json(Page::cut(runs, page.limit, |last: &Run| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
