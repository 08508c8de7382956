//! Whether agents can work, and what they do.

use std::collections::HashMap;

use bz_tenant::{DbError, TenantTx};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::query_as;
use utoipa::ToSchema;

use crate::app::AppState;

/// Whether an agent can work now, and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// It waits for work.
    Idle,
    /// It works.
    Running,
    /// A run of it waits for a person.
    WaitingApproval,
    /// Its last run failed.
    Failed,
    /// No LLM is configured.
    NeedsLlm,
    /// The LLM is configured but cannot be reached.
    LlmUnreachable,
}

/// What all agents are in want of; idle when nothing.
pub(crate) fn llm_status(app: &AppState) -> AgentStatus {
    if !app.gateway.is_configured() {
        AgentStatus::NeedsLlm
    } else if app.gateway.is_available() {
        AgentStatus::Idle
    } else {
        AgentStatus::LlmUnreachable
    }
}

/// What the tenant's agents do, by name: those that are not idle.
pub(crate) async fn at_work(tx: &mut TenantTx) -> Result<HashMap<String, AgentStatus>, DbError> {
    let rows: Vec<(String, String)> = query_as(
        "-- ai.runs.at_work\n\
         SELECT DISTINCT subject, status FROM ai.runs WHERE kind = 'agent' AND status IN ('running', 'waiting_approval')",
    )
    .fetch_all(tx.conn())
    .await?;
    let mut working = HashMap::new();
    for (name, status) in rows {
        let status = match status.as_str() {
            "running" => AgentStatus::Running,
            _ => AgentStatus::WaitingApproval,
        };
        let known = working.entry(name).or_insert(status);
        if status == AgentStatus::Running {
            *known = status;
        }
    }
    Ok(working)
}

/// What `/health` says of the ready agents and of the runs of this process.
pub(crate) fn details(app: &AppState) -> Map<String, Value> {
    let (llm, pulse) = (llm_status(app), app.runs.pulse());
    let agents = app.agents.iter().map(|ready| {
        let status = match llm {
            AgentStatus::Idle => pulse.status_of(&ready.name),
            wanting => wanting,
        };
        json!({ "name": ready.name, "status": status })
    });
    Map::from_iter([
        ("agents".to_owned(), Value::Array(agents.collect())),
        ("runs".to_owned(), pulse.runs()),
        ("workers".to_owned(), pulse.workers()),
    ])
}
