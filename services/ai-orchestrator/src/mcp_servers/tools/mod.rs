//! The tools of a server, and which of them a person approved.

mod approve;
mod list;
mod offered;
mod revoke;
pub(super) mod store;
pub(super) mod usable;

use bz_http::{Routes, routes};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{app::AppState, tools::Effect};

pub(super) use offered::{Offered, offered, shown};

/// The routes of this resource.
pub(super) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_mcp_server_tools))
        .routes(routes!(approve::approve_mcp_server_tool))
        .routes(routes!(revoke::revoke_mcp_server_tool))
}

/// What a server says of a tool: all that a model reads, and the person who approves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct McpToolDefinition {
    /// Name for people.
    pub title: String,
    /// For the model: what it does.
    pub description: String,
    /// JSON schema of the arguments.
    #[schema(value_type = Object)]
    pub input_schema: Value,
    /// What the server hints at: `readOnlyHint`, `destructiveHint` and others.
    #[schema(value_type = Object)]
    pub annotations: Map<String, Value>,
}

impl McpToolDefinition {
    /// What a call does to the world, as far as the hints say. Without any, the worst (as the protocol has it).
    pub(super) fn effect(&self) -> Effect {
        let hint = |name: &str| self.annotations.get(name).and_then(Value::as_bool);
        match (hint("readOnlyHint"), hint("destructiveHint")) {
            (Some(true), _) => Effect::Read,
            (_, Some(false)) => Effect::Write,
            _ => Effect::Destructive,
        }
    }
}

/// Whether agents may use a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum McpToolState {
    /// They may.
    Approved,
    /// Nobody approved it.
    Unapproved,
    /// It is not what was approved.
    Changed,
    /// It cannot be approved as it is.
    Unusable,
}

/// A tool of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct McpTool {
    /// Its name at the server.
    pub name: String,
    /// Its name in the lists of tools of agents: `mcp.<server>.<tool>`.
    pub tool: String,
    /// Whether agents may use it.
    pub state: McpToolState,
    /// What the server says of it.
    pub definition: McpToolDefinition,
    /// The hash of server and definition. An approval names it.
    pub fingerprint: String,
    /// What a call does to the world: as approved, otherwise as the server hints.
    pub effect: Effect,
    /// Why it cannot be approved.
    pub fault: Option<String>,
    /// The last approval, also of what the tool is no more.
    pub approval: Option<McpToolApproval>,
    /// When the server last had it.
    pub seen_at: DateTime<Utc>,
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct McpToolApproval {
    /// What was approved.
    pub definition: McpToolDefinition,
    /// Its fingerprint.
    pub fingerprint: String,
    /// What a call does to the world.
    pub effect: Effect,
    /// Who approved it.
    pub by: UserId,
    /// When.
    pub at: DateTime<Utc>,
}
