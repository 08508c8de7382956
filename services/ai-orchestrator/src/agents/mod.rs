//! The ready agents: data, not code. What an agent needs decides whether it can work now.

mod get;
mod list;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

bz_auth::permissions! {
    /// See the agents.
    AgentsRead = "agents:read",
}

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_agents))
        .routes(routes!(get::get_agent))
}

/// An agent as the catalogue describes it. Open to further fields, because [`Agent`] is this and more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentCard {
    /// Name for programs.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// What it is.
    pub role: String,
    /// What it works for.
    pub goal: String,
    /// What it may use.
    pub tools: Vec<String>,
}

/// Whether an agent can work now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// It waits for work.
    Idle,
    /// No LLM is configured.
    NeedsLlm,
    /// The LLM is configured but cannot be reached.
    LlmUnreachable,
}

/// An agent and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Agent {
    /// What it is.
    #[serde(flatten)]
    pub card: AgentCard,
    /// Whether it can work now.
    pub status: AgentStatus,
}

/// Reads the catalogue that is compiled in.
///
/// # Errors
/// When the file is not what [`AgentCard`] says; a test reads it.
pub fn catalog() -> serde_json::Result<Vec<AgentCard>> {
    serde_json::from_str(include_str!("catalog.json"))
}

/// The state of every agent: all of them need the LLM and nothing else yet.
pub(crate) fn status(app: &AppState) -> AgentStatus {
    if !app.gateway.is_configured() {
        AgentStatus::NeedsLlm
    } else if app.gateway.is_available() {
        AgentStatus::Idle
    } else {
        AgentStatus::LlmUnreachable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_reads_and_names_are_unique() {
        let mut names: Vec<String> = catalog()
            .unwrap()
            .into_iter()
            .map(|card| card.name)
            .collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert!(count >= 5 && names.len() == count);
    }
}
