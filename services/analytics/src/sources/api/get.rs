use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};

use crate::{
    app::AppState,
    sources::{
        DataSourcesRead,
        resource::{DataSource, DataSourceId},
        store,
    },
};

/// One data source.
#[utoipa::path(
    get, path = "/api/datasources/{id}", tag = "data-sources",
    security(("bearer" = ["data_sources:read"])),
    params(("id" = DataSourceId, Path, description = "The source")),
    responses(
        (status = 200, description = "The source", body = DataSource,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_data_source(
    State(app): State<AppState>,
    caller: Can<DataSourcesRead>,
    Path(id): Path<DataSourceId>,
) -> Result<Versioned<DataSource>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = store::find(&mut tx, id.as_uuid())
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(row.version, row.into()))
}
