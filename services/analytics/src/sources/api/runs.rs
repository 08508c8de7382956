use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    app::AppState,
    sources::{
        DataSourcesRead,
        resource::{DataSourceId, SourceRun},
        runs::store as runs,
        store,
    },
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListRuns {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The loads of a data source, newest first.
#[utoipa::path(
    get, path = "/api/datasources/{id}/runs", tag = "data-sources",
    security(("bearer" = ["data_sources:read"])),
    params(("id" = DataSourceId, Path, description = "The source"), ListRuns),
    responses(
        (status = 200, description = "One page", body = Page<SourceRun>),
        (status = 404, description = "No such source", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_data_source_runs(
    State(app): State<AppState>,
    caller: Can<DataSourcesRead>,
    Path(id): Path<DataSourceId>,
    Query(query): Query<ListRuns>,
) -> Result<Json<Page<SourceRun>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let list = format!("datasources/{id}/runs");
    let page = PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    store::find(&mut tx, id.as_uuid())
        .await?
        .ok_or_else(Problem::not_found)?;
    let rows = runs::list(&mut tx, id.as_uuid(), page.after, page.limit).await?;
    let shown: Vec<SourceRun> = rows.into_iter().map(Into::into).collect();
    Ok(Json(Page::cut(shown, page.limit, |last: &SourceRun| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
