//! A run as the API shows it.

use bz_kernel::{CrewId, RunId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::RunLimits;
use crate::knowledge::Citation;

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunStatus {
    /// It waits for a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// It waits for a person.
    WaitingApproval,
    /// It waits until a provider or a service may be asked again.
    WaitingRetry,
    /// It is done.
    Succeeded,
    /// It cannot go on.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// It reached one of its limits.
    LimitExceeded,
}

impl RunStatus {
    /// As the store writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::WaitingApproval => "waiting_approval",
            Self::WaitingRetry => "waiting_retry",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::LimitExceeded => "limit_exceeded",
        }
    }

    /// The status of a stored name.
    pub(crate) fn of(name: &str) -> Self {
        let all = [
            Self::Queued,
            Self::Running,
            Self::WaitingApproval,
            Self::WaitingRetry,
            Self::Succeeded,
            Self::Cancelled,
            Self::LimitExceeded,
        ];
        all.into_iter()
            .find(|status| status.name() == name)
            .unwrap_or(Self::Failed)
    }

    /// Whether the run is over.
    pub(crate) const fn is_over(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::LimitExceeded
        )
    }
}

/// Whom a run is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunKind {
    /// One agent.
    Agent,
    /// A crew.
    Crew,
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Subject {
    /// An agent or a crew.
    pub kind: RunKind,
    /// Its name.
    pub name: String,
    /// Its id; none for a ready agent.
    pub id: Option<Uuid>,
    /// The version that the run has, whatever is changed later.
    pub version: i64,
}

impl Subject {
    /// The crew, when it is one.
    pub(super) fn crew(&self) -> Option<CrewId> {
        let id = self.id.filter(|_| self.kind == RunKind::Crew);
        id.map(CrewId::from_uuid)
    }
}

/// What a run has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunUsage {
    /// Questions to a model and calls of tools.
    pub steps: i32,
    /// Calls of tools.
    pub tool_calls: i32,
    /// Tokens of the questions.
    pub prompt_tokens: i64,
    /// Tokens of the answers.
    pub completion_tokens: i64,
    /// Millionths of the currency of the configured prices.
    pub cost_micros: i64,
    /// How long workers were at it, in milliseconds.
    pub worked_ms: i64,
}

/// Why a run ended, or waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunError {
    /// For programs: `provider_error`, `schema_invalid`, `guardrail_failed`, `loop_detected`, `authorization_expired` ...
    pub code: String,
    /// For people.
    pub message: String,
    /// Which limit was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
}

/// What a task gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct TaskResult {
    /// The task.
    pub task: String,
    /// Who did it.
    pub agent: String,
    /// The answer.
    pub text: String,
    /// The answer as JSON, where the task has a schema.
    #[schema(value_type = Option<Object>)]
    pub data: Option<Value>,
}

/// What a run gave, also one that did not come to its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunOutput {
    /// The answer; none while the last task is not done.
    pub text: Option<String>,
    /// The answer as JSON, where the last task has a schema.
    #[schema(value_type = Option<Object>)]
    pub data: Option<Value>,
    /// What each task gave that is done.
    pub tasks: Vec<TaskResult>,
    /// The places of documents that its agents read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    /// What the model said last in tasks that are not done.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub unfinished: Map<String, Value>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Run {
    /// Its id.
    pub id: RunId,
    /// What was run.
    pub subject: Subject,
    /// Where it is.
    pub status: RunStatus,
    /// What it was given.
    #[schema(value_type = Object)]
    pub inputs: Map<String, Value>,
    /// What it is held to.
    pub limits: RunLimits,
    /// What it has used.
    pub usage: RunUsage,
    /// What it gave so far.
    pub output: Option<RunOutput>,
    /// Why it ended or waits.
    pub error: Option<RunError>,
    /// How often a worker took it.
    pub attempt: i32,
    /// When somebody asked for its end.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// The schedule that made it.
    pub schedule_id: Option<Uuid>,
    /// The run whose steps it began with.
    pub forked_from: Option<RunId>,
    /// For whom it works.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a worker first took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub finished_at: Option<DateTime<Utc>>,
}
