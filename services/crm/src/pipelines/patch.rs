use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Query, Versioned};
use bz_kernel::PipelineId;

use super::{
    PatchPipeline, Pipeline, PipelinesManage,
    change::{MoveTo, change},
};
use crate::app::AppState;

/// Change a pipeline.
///
/// What is missing stays. `stages`, when given, replaces all stages as `PUT` does.
#[utoipa::path(
    patch, path = "/api/pipelines/{id}", tag = "pipelines",
    security(("bearer" = ["pipelines:manage"])),
    params(("id" = PipelineId, Path, description = "The pipeline"), MoveTo, IfMatch),
    request_body = PatchPipeline,
    responses(
        (status = 200, description = "The pipeline as it is now", body = Pipeline,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_pipeline(
    State(app): State<AppState>,
    caller: Can<PipelinesManage>,
    Path(id): Path<PipelineId>,
    Query(move_to): Query<MoveTo>,
    if_match: IfMatch,
    Json(patch): Json<PatchPipeline>,
) -> Result<Versioned<Pipeline>, Problem> {
    change(&app, &caller, (id, &if_match, &move_to), |before| {
        patch.onto(before)
    })
    .await
}
