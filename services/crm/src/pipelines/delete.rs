use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem, Query};
use bz_kernel::PipelineId;
use uuid::Uuid;

use super::{
    PipelinesManage,
    change::{MoveTo, conflict, empty},
    store,
};
use crate::{app::AppState, problems, records::Work};

/// Delete a pipeline with its stages.
///
/// The deals in it go to `move_to`, a stage of another pipeline. The default pipeline cannot be deleted.
#[utoipa::path(
    delete, path = "/api/pipelines/{id}", tag = "pipelines",
    security(("bearer" = ["pipelines:manage"])),
    params(("id" = PipelineId, Path, description = "The pipeline"), MoveTo, IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_pipeline(
    State(app): State<AppState>,
    caller: Can<PipelinesManage>,
    Path(id): Path<PipelineId>,
    Query(move_to): Query<MoveTo>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    store::lock(&mut tx).await?;
    let found = store::find(&mut tx, id).await?;
    let pipeline = found.ok_or_else(Problem::not_found)?;
    if_match.check(pipeline.version)?;
    if pipeline.is_default {
        return Err(problems::default_pipeline());
    }
    let gone: Vec<Uuid> = pipeline
        .stages
        .iter()
        .map(|stage| stage.id.as_uuid())
        .collect();
    let actor = caller.user;
    let mut work = Work {
        app: &app,
        tx: &mut tx,
        actor,
    };
    empty(&mut work, &gone, &move_to).await?;
    store::delete(work.tx, id).await.map_err(conflict)?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
