use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Path, Problem, Validate};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    Effect, Tool, ToolSpec, ToolsRead,
    get::found,
    prepare::{Prepared, prepare},
};
use crate::app::AppState;

/// A call to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestTool {
    /// What the tool would be called with.
    #[schema(value_type = Object)]
    arguments: Map<String, Value>,
}

impl Validate for TestTool {
    fn validate(&self, _: &mut Errors) {}
}

/// What is wrong with an argument.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ArgumentFault {
    /// JSON pointer to it.
    pointer: String,
    /// What is wrong.
    message: String,
}

/// What a call would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TriedTool {
    /// Whether the arguments fit the tool's schema.
    valid: bool,
    /// What does not.
    errors: Vec<ArgumentFault>,
    /// What would be sent, without headers.
    would_send: Option<Prepared>,
    /// Whether a person would be asked first.
    needs_approval: bool,
    /// Whether the user may use it.
    permitted: bool,
}

/// Try a tool without calling it: check arguments and see what would be sent.
#[utoipa::path(
    post, path = "/api/tools/{id}/test", tag = "tools",
    security(("bearer" = ["tools:read"])),
    params(("id" = String, Path, description = "The tool's id or name")),
    request_body = TestTool,
    responses((status = 200, description = "What would happen", body = TriedTool), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn test_tool(
    State(app): State<AppState>,
    caller: Can<ToolsRead>,
    Path(id): Path<String>,
    Json(wanted): Json<TestTool>,
) -> Result<Json<TriedTool>, Problem> {
    let tool = found(&app, &caller.scope, &id).await?;
    let needed = tool.permission.as_deref();
    let permitted = needed.is_none_or(|permission| caller.permissions.allow(permission));
    let spec = ToolSpec::from(tool);
    let arguments = Value::Object(wanted.arguments);
    let faults = spec.faults(&arguments).into_iter();
    let errors: Vec<ArgumentFault> = faults
        .map(|(pointer, message)| ArgumentFault { pointer, message })
        .collect();
    Ok(Json(TriedTool {
        valid: errors.is_empty(),
        would_send: errors.is_empty().then(|| prepare(&spec, &arguments)),
        needs_approval: spec.effect == Effect::Destructive,
        permitted,
        errors,
    }))
}

impl From<Tool> for ToolSpec {
    fn from(tool: Tool) -> Self {
        Self {
            name: tool.name,
            title: tool.title,
            description: tool.description,
            effect: tool.effect,
            idempotent: tool.idempotent,
            timeout_seconds: tool.timeout_seconds,
            permission: tool.permission,
            parameters: tool.parameters,
            call: tool.call,
        }
    }
}
