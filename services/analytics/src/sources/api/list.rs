use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    app::AppState,
    sources::{DataSourcesRead, resource::DataSource, store},
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListDataSources {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's data sources, newest first.
#[utoipa::path(
    get, path = "/api/datasources", tag = "data-sources",
    security(("bearer" = ["data_sources:read"])),
    params(ListDataSources),
    responses((status = 200, description = "One page", body = Page<DataSource>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_data_sources(
    State(app): State<AppState>,
    caller: Can<DataSourcesRead>,
    Query(query): Query<ListDataSources>,
) -> Result<Json<Page<DataSource>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<Uuid>(cursors, tenant, "datasources")?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let rows = store::list(&mut tx, page.after, page.limit).await?;
    let shown: Vec<DataSource> = rows.into_iter().map(Into::into).collect();
    Ok(Json(Page::cut(shown, page.limit, |last: &DataSource| {
        cursors.seal(tenant, "datasources", &last.id.as_uuid())
    })))
}
