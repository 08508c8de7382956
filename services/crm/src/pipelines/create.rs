use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};
use bz_kernel::{PipelineId, StageId};

use super::{
    CreatePipeline, MOST_PIPELINES, Pipeline, PipelinesManage, WantedStage, default_pipeline, seed,
    store,
};
use crate::{app::AppState, problems, records::Work};

/// Create a pipeline.
///
/// With an `Idempotency-Key` the same request may be sent again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/pipelines", tag = "pipelines",
    security(("bearer" = ["pipelines:manage"])),
    params(IdempotencyKey),
    request_body = CreatePipeline,
    responses(
        (status = 201, description = "The pipeline", body = Pipeline,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "There is one with this name", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_pipeline(
    State(app): State<AppState>,
    caller: Can<PipelinesManage>,
    key: IdempotencyKey,
    Json(wanted): Json<CreatePipeline>,
) -> Result<Response, Problem> {
    let core = &app.core;
    let created = bz_http::idempotent(
        (&core.db, &core.sources.clock),
        &caller.scope,
        &key,
        "pipelines.create",
        &wanted,
        async |tx| {
            let actor = caller.user;
            let mut work = Work {
                app: &app,
                tx,
                actor,
            };
            create(&mut work, wanted.clone()).await
        },
    )
    .await?;
    Ok(created.into_response_with(|pipeline| pipeline.version))
}

async fn create(work: &mut Work<'_>, mut wanted: CreatePipeline) -> Result<Pipeline, Problem> {
    if wanted.stages.iter().any(|stage| stage.id.is_some()) {
        let message = "a new pipeline has new stages; leave the ids out";
        return Err(Problem::invalid("/stages", "unknown_field", message));
    }
    if wanted.stages.is_empty() {
        wanted.stages = seed::usual_stages();
    }
    default_pipeline(work).await?;
    if store::lock(work.tx).await? >= MOST_PIPELINES {
        let message = format!("There are {MOST_PIPELINES} pipelines. Delete one first.");
        return Err(Problem::conflict("too_many", message));
    }
    if wanted.is_default {
        let now = work.now();
        store::clear_default(work.tx, now).await?;
    }
    let id: PipelineId = work.id().into();
    let by = (work.actor, work.now());
    if !store::insert(work.tx, id, (&wanted.name, wanted.is_default), by).await? {
        return Err(problems::name_taken());
    }
    let stages: Vec<(StageId, &WantedStage)> = wanted
        .in_order()
        .into_iter()
        .map(|stage| (work.id().into(), stage))
        .collect();
    store::put_stages(work.tx, id, &stages).await?;
    let created = store::find(work.tx, id).await?;
    created.ok_or_else(|| Problem::internal("a pipeline vanished in its own transaction"))
}
