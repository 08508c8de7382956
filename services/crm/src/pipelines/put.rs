use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Query, Versioned};
use bz_kernel::PipelineId;

use super::{
    CreatePipeline, Pipeline, PipelinesManage,
    change::{MoveTo, change},
};
use crate::app::AppState;

/// Replace a pipeline.
///
/// Stages with their ids stay the same, those without are new, those left out are deleted; the deals in them go to
/// `move_to`.
#[utoipa::path(
    put, path = "/api/pipelines/{id}", tag = "pipelines",
    security(("bearer" = ["pipelines:manage"])),
    params(("id" = PipelineId, Path, description = "The pipeline"), MoveTo, IfMatch),
    request_body = CreatePipeline,
    responses(
        (status = 200, description = "The pipeline as it is now", body = Pipeline,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_pipeline(
    State(app): State<AppState>,
    caller: Can<PipelinesManage>,
    Path(id): Path<PipelineId>,
    Query(move_to): Query<MoveTo>,
    if_match: IfMatch,
    Json(wanted): Json<CreatePipeline>,
) -> Result<Versioned<Pipeline>, Problem> {
    change(&app, &caller, (id, &if_match, &move_to), |_| wanted).await
}
