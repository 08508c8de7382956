use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use uuid::Uuid;

use crate::{
    app::AppState,
    sources::{DataSourcesRead, resource::SourceRun, runs::store},
};

/// How an import, or any other run of a source, is getting on.
#[utoipa::path(
    get, path = "/api/analytics/imports/{id}", tag = "imports",
    security(("bearer" = ["data_sources:read"])),
    params(("id" = Uuid, Path, description = "The run")),
    responses(
        (status = 200, description = "The run", body = SourceRun),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_data_import(
    State(app): State<AppState>,
    caller: Can<DataSourcesRead>,
    Path(id): Path<Uuid>,
) -> Result<Json<SourceRun>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let run = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Json(run.into()))
}
