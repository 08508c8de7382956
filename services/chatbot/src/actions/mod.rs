//! What the chatbot can do for a user: an action with its exact arguments, decided by rules outside any model, confirmed
//! when it must be, and carried out in the CRM with the user's own token.

mod perform;
mod plan;
mod policy;

use bz_kernel::TodoId;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use perform::{Performed, perform};
pub(crate) use plan::{Plan, Planner};

/// A to-do as it was when the action was decided. The version makes the CRM refuse when it has changed since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) id: TodoId,
    pub(crate) title: String,
    pub(crate) version: i64,
}

/// When something is due: on a day or at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Due {
    Date(NaiveDate),
    At(DateTime<Utc>),
}

/// An action with its exact arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Action {
    CreateTodo { title: String, due: Option<Due> },
    CompleteTodos { todos: Vec<Target> },
    RenameTodo { todo: Target, new_title: String },
    RescheduleTodo { todo: Target, due: Due },
    DeleteTodos { todos: Vec<Target> },
}

impl Action {
    /// The name that clients see.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::CreateTodo { .. } => "create_todo",
            Self::CompleteTodos { .. } => "complete_todos",
            Self::RenameTodo { .. } => "rename_todo",
            Self::RescheduleTodo { .. } => "reschedule_todo",
            Self::DeleteTodos { .. } => "delete_todos",
        }
    }

    /// How many records it changes.
    pub(crate) const fn count(&self) -> usize {
        match self {
            Self::CompleteTodos { todos } | Self::DeleteTodos { todos } => todos.len(),
            Self::CreateTodo { .. } | Self::RenameTodo { .. } | Self::RescheduleTodo { .. } => 1,
        }
    }
}
