use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Errors, IdempotencyKey, Json, Problem, Validate};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    Limits, Run, RunsWrite,
    order::{self, Behalf},
};
use crate::{agents::check_text, app::AppState, crews::check_schema};

/// The largest inputs, in bytes.
const MOST_INPUT: usize = 65_536;

/// A run to start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "agent": "day-planner", "task": "Plan my day." }))]
pub(crate) struct CreateRun {
    /// Id or name of the agent; this or `crew`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60)]
    pub agent: Option<String>,
    /// Id or name of the crew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60)]
    pub crew: Option<String>,
    /// What the agent is to do, up to 8,000 characters; its goal when not given. A crew has tasks of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 8000)]
    pub task: Option<String>,
    /// What it is given; a task's `{topic}` stands for the input of that name. At most 64 KiB.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub inputs: Map<String, Value>,
    /// JSON schema that the agent's answer follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub output_schema: Option<Value>,
    /// What it may use; never more than the agent or crew may.
    #[serde(default, deserialize_with = "bz_http::object")]
    pub limits: Limits,
}

impl CreateRun {
    /// Adds what is wrong, at this place of the body.
    pub(crate) fn check(&self, errors: &mut Errors, at: &str) {
        if self.agent.is_some() == self.crew.is_some() {
            let message = "name an agent or a crew, and not both";
            errors.add(format!("{at}/agent"), "one_of", message);
        }
        if self.crew.is_some() && (self.task.is_some() || self.output_schema.is_some()) {
            let message = "a crew has tasks of its own";
            errors.add(format!("{at}/task"), "not_allowed", message);
        }
        if let Some(task) = &self.task {
            check_text(errors, &format!("{at}/task"), task, 1, 8000);
        }
        let inputs = serde_json::to_string(&self.inputs).unwrap_or_default();
        if inputs.len() > MOST_INPUT || inputs.contains("\\u0000") {
            let message = "must have at most 65536 bytes, and no zero character";
            errors.add(format!("{at}/inputs"), "invalid_value", message);
        }
        check_schema(
            errors,
            &format!("{at}/output_schema"),
            self.output_schema.as_ref(),
        );
        self.limits.check(errors, &format!("{at}/limits"));
    }
}

impl Validate for CreateRun {
    fn validate(&self, errors: &mut Errors) {
        self.check(errors, "");
    }
}

/// Start a run. It works for the user with the token of this request: when that ends, the run waits until the user resumes it.
/// An API key lasts longer.
///
/// With an `Idempotency-Key` the same request may be sent again: it starts no second run.
#[utoipa::path(
    post, path = "/api/runs", tag = "runs",
    security(("bearer" = ["runs:write"])),
    params(IdempotencyKey),
    request_body = CreateRun,
    responses(
        (status = 202, description = "The run, which waits for a worker", body = Run),
        (status = 402, description = "A hard budget has no run left", content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_run(
    State(app): State<AppState>,
    caller: Can<RunsWrite>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateRun>,
) -> Result<Response, Problem> {
    let made = bz_http::idempotent(
        (&app.core.db, &app.core.sources.clock),
        &caller.scope,
        &key,
        "runs.create",
        &wanted,
        async |tx| {
            let behalf = Behalf {
                user: caller.user,
                permissions: &caller.permissions,
                token: Some(caller.token()),
                schedule: None,
            };
            order::run(&app, tx, &behalf, &wanted).await
        },
    )
    .await?;
    app.runs.wake();
    Ok(accepted(made.into_response()))
}

/// 202 in place of 201: what was made is not done yet.
pub(super) fn accepted(response: Response) -> Response {
    let mut response = response.into_response();
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}
