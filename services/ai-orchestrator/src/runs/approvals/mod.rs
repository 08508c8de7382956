//! What runs ask people.

pub(super) mod decide;
pub(super) mod list;
pub(crate) mod store;

use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::ApprovalId;

/// What a run asks a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// The step that waits.
    pub path: String,
    /// `destructive`: may this be called? `uncertain`: the answer of this call was lost; approve to send it again. `result`: is
    /// this good?
    pub reason: String,
    /// The tool, or the task.
    pub subject: String,
    /// What the tool would be called with, or the result.
    #[schema(value_type = Object)]
    pub arguments: Value,
    /// `pending`, `approved` or `rejected`.
    pub status: String,
    /// What the person made of the arguments.
    #[schema(value_type = Option<Object>)]
    pub decided_arguments: Option<Value>,
    /// What the person said.
    pub comment: Option<String>,
    /// Who decided.
    pub decided_by: Option<UserId>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// When it was asked.
    pub created_at: DateTime<Utc>,
}
