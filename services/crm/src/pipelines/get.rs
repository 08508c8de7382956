use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use bz_kernel::PipelineId;

use super::{Pipeline, PipelinesRead, store};
use crate::app::AppState;

/// One pipeline with its stages.
#[utoipa::path(
    get, path = "/api/pipelines/{id}", tag = "pipelines",
    security(("bearer" = ["pipelines:read"])),
    params(("id" = PipelineId, Path, description = "The pipeline")),
    responses(
        (status = 200, description = "The pipeline", body = Pipeline,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_pipeline(
    State(app): State<AppState>,
    caller: Can<PipelinesRead>,
    Path(id): Path<PipelineId>,
) -> Result<Versioned<Pipeline>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let found = store::find(&mut tx, id).await?;
    let pipeline = found.ok_or_else(Problem::not_found)?;
    Ok(Versioned(pipeline.version, pipeline))
}
