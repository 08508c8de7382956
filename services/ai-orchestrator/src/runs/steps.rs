use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::{Page, RunId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, query_as};
use utoipa::{IntoParams, ToSchema};

use super::{RunsRead, store, whose};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListRunSteps {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A step of a run.
#[derive(Debug, Serialize, ToSchema, FromRow)]
pub(super) struct RunStep {
    /// Its number; what `fork` takes.
    #[sqlx(rename = "seq")]
    step: i64,
    /// Its place in the run: `task.llm0`, `task.call0.1`.
    path: String,
    /// `llm`, `tool` or `review`.
    kind: String,
    /// The model or the tool.
    name: String,
    /// The task it belongs to.
    task: String,
    /// `waiting`, `sent`, `uncertain`, `succeeded`, `failed` or `rejected`.
    status: String,
    /// What was asked.
    #[schema(value_type = Object)]
    request: Value,
    /// What was answered.
    #[schema(value_type = Option<Object>)]
    response: Option<Value>,
    /// Tokens of the question.
    prompt_tokens: i64,
    /// Tokens of the answer.
    completion_tokens: i64,
    /// Millionths of the currency of the configured prices.
    #[sqlx(rename = "cost")]
    cost_micros: i64,
    /// Which attempt at the run made it.
    attempt: i32,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it was done.
    finished_at: Option<DateTime<Utc>>,
}

/// The steps of a run, in the order in which they began.
#[utoipa::path(
    get, path = "/api/runs/{id}/steps", tag = "runs",
    security(("bearer" = ["runs:read"])),
    params(("id" = RunId, Path, description = "The run"), ListRunSteps),
    responses(
        (status = 200, description = "One page", body = Page<RunStep>),
        (status = 404, description = "Not there, or another tenant's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_run_steps(
    State(app): State<AppState>,
    caller: Can<RunsRead>,
    Path(id): Path<RunId>,
    Query(query): Query<ListRunSteps>,
) -> Result<Json<Page<RunStep>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let list = format!("runs/{id}/steps");
    let page = PageQuery::new(query.limit, query.cursor).open::<i64>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let run = store::find(&mut tx, id, whose(&caller)).await?;
    let run = run.ok_or_else(Problem::not_found)?;
    let wanted = (page.after.unwrap_or(0), i64::from(page.limit) + 1);
    let steps = steps(&mut tx, run.id, wanted).await?;
    Ok(Json(Page::cut(steps, page.limit, |last: &RunStep| {
        cursors.seal(tenant, &list, &last.step)
    })))
}

async fn steps(
    tx: &mut TenantTx,
    run: RunId,
    (after, limit): (i64, i64),
) -> Result<Vec<RunStep>, DbError> {
    let rows = query_as(
        "-- ai.run_steps.list\n\
         SELECT seq, path, kind, name, task, status, request, response, prompt_tokens, completion_tokens, cost, attempt, \
           started_at, finished_at FROM ai.run_steps WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    );
    let rows = rows.bind(run.as_uuid()).bind(after).bind(limit);
    Ok(rows.fetch_all(tx.conn()).await?)
}
