use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Path, Problem, Query};
use bz_kernel::RunId;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{Run, RunsWrite, create::accepted, order, store, whose};
use crate::app::AppState;

/// Where to fork.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ForkRun {
    /// Number of the last step that the new run takes over; 0 for none.
    #[param(minimum = 0)]
    step: i64,
}

/// Start a run that begins with the steps of another one, up to a step, and goes on by itself: what those steps did is not done
/// again. It is held to the same plan and limits, and works with the token of this request.
#[utoipa::path(
    post, path = "/api/runs/{id}/fork", tag = "runs",
    security(("bearer" = ["runs:write"])),
    params(("id" = RunId, Path, description = "The run"), ForkRun, IdempotencyKey),
    responses(
        (status = 202, description = "The new run, which waits for a worker", body = Run),
        (status = 402, description = "A hard budget has no run left", content_type = "application/problem+json"),
        (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn fork_run(
    State(app): State<AppState>,
    caller: Can<RunsWrite>,
    Path(id): Path<RunId>,
    Query(query): Query<ForkRun>,
    key: IdempotencyKey,
) -> Result<Response, Problem> {
    let sources = &app.core.sources;
    let made = bz_http::idempotent(
        (&app.core.db, &sources.clock),
        &caller.scope,
        &key,
        "runs.fork",
        &(id, &query),
        async |tx| {
            let run = store::find(tx, id, whose(&caller)).await?;
            let run = run.ok_or_else(Problem::not_found)?;
            if query.step != 0 && !store::has_step(tx, id, query.step).await? {
                let message = "must be the number of a step that is done";
                return Err(Problem::invalid_parameter("step", "unknown_step", message));
            }
            let new_id: RunId = sources.id();
            let new = store::NewRun {
                id: new_id,
                subject: run.subject,
                plan: store::plan_of(tx, id).await?,
                inputs: run.inputs,
                credential: Some(app.credential(new_id, caller.token())),
                user: caller.user,
                schedule: None,
                forked_from: Some(id),
            };
            let made = order::made(&app, tx, new).await?;
            store::copy_steps(tx, id, new_id, query.step).await?;
            Ok(made)
        },
    )
    .await?;
    app.runs.wake();
    Ok(accepted(made.into_response()))
}
