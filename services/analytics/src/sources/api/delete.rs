use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem, Query};
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    sources::{DataSourcesManage, resource::DataSourceId, store},
    version,
};

/// What goes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteDataSource {
    /// Whether the facts, orders and deals that the source told of go, too; they stay when not given. Events stay always.
    #[serde(default)]
    with_data: bool,
}

/// Delete a data source with its runs.
#[utoipa::path(
    delete, path = "/api/datasources/{id}", tag = "data-sources",
    security(("bearer" = ["data_sources:manage"])),
    params(("id" = DataSourceId, Path, description = "The source"), DeleteDataSource, IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_data_source(
    State(app): State<AppState>,
    caller: Can<DataSourcesManage>,
    Path(id): Path<DataSourceId>,
    Query(query): Query<DeleteDataSource>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let row = store::lock(&mut tx, id.as_uuid())
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(row.version)?;
    store::delete(&mut tx, row.id, query.with_data).await?;
    if query.with_data {
        version::bump(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
