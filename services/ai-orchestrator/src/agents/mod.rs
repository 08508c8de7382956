//! Agents: the ready ones, which are data and the same for everybody, and those that a tenant makes for itself.

pub mod catalogue;
mod create;
mod definition;
mod delete;
mod get;
pub(crate) mod guardrails;
mod list;
mod put;
mod status;
mod store;
mod versions;

use bz_http::{Routes, routes};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::AppState;

pub(crate) use catalogue::ReadyAgent;
pub(crate) use definition::{
    AgentDefinition, CreateAgent, PutAgent, Unknown, check_name, check_text, check_unknown, is_name,
};
pub(crate) use status::{AgentStatus, details, llm_status};

bz_kernel::typed_id!(
    /// An agent that a tenant made.
    AgentId
);

bz_auth::permissions! {
    /// See the agents.
    AgentsRead = "agents:read",
    /// Make, change and delete agents.
    AgentsWrite = "agents:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_agents, create::create_agent))
        .routes(routes!(
            get::get_agent,
            put::put_agent,
            delete::delete_agent
        ))
        .routes(routes!(versions::list_agent_versions))
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Agent {
    /// Its id; none for a ready one, which is known by its name.
    pub id: Option<AgentId>,
    /// Name for programs.
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub definition: AgentDefinition,
    /// Whether it is one of the ready agents, which everybody has and nobody changes.
    pub ready: bool,
    /// Whether it can work now, and what it does.
    pub status: AgentStatus,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Agent {
    /// A ready agent as it is now.
    pub(crate) fn ready(ready: &ReadyAgent, status: AgentStatus) -> Self {
        Self {
            id: None,
            name: ready.name.clone(),
            definition: ready.agent.clone(),
            ready: true,
            status,
            version: ready.version,
            created_by: None,
            created_at: None,
            updated_at: None,
        }
    }
}
