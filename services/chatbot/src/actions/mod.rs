//! What the chatbot can do for a user: an action with its exact arguments, decided by rules outside any model, confirmed
//! when it must be, carried out in the CRM with the user's own token, and taken back when the user wants that.

mod confirm;
pub(crate) mod done;
pub(crate) mod inverse;
mod perform;
pub(crate) mod plan;
mod policy;
mod reject;
mod undo;

use bz_http::{Routes, routes};
use bz_kernel::{StageId, UserId};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::app::AppState;
use crate::crm::{Kind, Link, RecordId};

pub(crate) use perform::{Performed, perform, refreshed};
pub(crate) use plan::{Answer, Plan, Planner};

bz_kernel::typed_id!(
    /// An action: one that waits for a yes or a no, or one that was done.
    ActionId
);

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(confirm::confirm_action))
        .routes(routes!(reject::reject_action))
        .routes(routes!(undo::undo_action))
}

/// A record as it was when the action was decided. The version makes the CRM refuse when it has changed since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) id: RecordId,
    pub(crate) title: String,
    pub(crate) version: i64,
    /// What it had, for the way back.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) before: Map<String, Value>,
}

impl Target {
    /// A record.
    pub(crate) fn new(kind: Kind, id: RecordId, title: &str, version: i64) -> Self {
        Self {
            kind,
            id,
            title: title.to_owned(),
            version,
            before: Map::new(),
        }
    }

    /// The record with what it has now.
    pub(crate) fn with_before(mut self, before: Value) -> Self {
        if let Value::Object(before) = before {
            self.before = before;
        }
        self
    }

    /// The link to it.
    pub(crate) fn link(&self) -> Link {
        Link::to(self.kind, self.id, &self.title)
    }
}

/// When something is due: on a day or at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Due {
    Date(NaiveDate),
    At(DateTime<Utc>),
}

impl Due {
    /// The two fields of a to-do, of which one is empty.
    fn fields(self) -> [(&'static str, Value); 2] {
        match self {
            Self::Date(date) => [("due_date", json!(date)), ("due_at", Value::Null)],
            Self::At(at) => [("due_at", json!(at)), ("due_date", Value::Null)],
        }
    }
}

/// A person of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) id: UserId,
    pub(crate) name: String,
}

/// What a new to-do has, or what a change gives an old one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TodoFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) due: Option<Due>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recurrence: Option<String>,
    /// In which it comes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) assignee: Option<Member>,
}

impl TodoFields {
    /// As the CRM takes them.
    pub(crate) fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        let texts = [
            ("title", &self.title),
            ("priority", &self.priority),
            ("recurrence", &self.recurrence),
            ("time_zone", &self.time_zone),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                body.insert(name.to_owned(), json!(text));
            }
        }
        for (name, value) in self.due.map(Due::fields).into_iter().flatten() {
            body.insert(name.to_owned(), value);
        }
        if let Some(member) = &self.assignee {
            body.insert("owner_id".to_owned(), json!(member.id));
        }
        body
    }
}

/// Where a deal goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToStage {
    pub(crate) id: StageId,
    pub(crate) name: String,
}

/// An action with its exact arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action")]
pub(crate) enum Action {
    #[serde(rename = "todo.create")]
    CreateTodo { fields: TodoFields },
    #[serde(rename = "todo.complete")]
    CompleteTodos { todos: Vec<Target> },
    #[serde(rename = "todo.reopen")]
    ReopenTodos { todos: Vec<Target> },
    #[serde(rename = "todo.update")]
    UpdateTodos {
        todos: Vec<Target>,
        change: TodoFields,
    },
    #[serde(rename = "todo.delete")]
    DeleteTodos { todos: Vec<Target> },
    #[serde(rename = "lead.create")]
    CreateLead {
        name: String,
        fields: Map<String, Value>,
    },
    #[serde(rename = "lead.update")]
    UpdateLead {
        lead: Target,
        change: Map<String, Value>,
    },
    #[serde(rename = "deal.move")]
    MoveDeal { deal: Target, stage: ToStage },
    #[serde(rename = "agent.run")]
    RunAgent { agent: String, input: String },
}

impl Action {
    /// The name that clients see: that of the intent.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::CreateTodo { .. } => "todo.create",
            Self::CompleteTodos { .. } => "todo.complete",
            Self::ReopenTodos { .. } => "todo.reopen",
            Self::UpdateTodos { .. } => "todo.update",
            Self::DeleteTodos { todos } if todos.len() > 1 => "todo.bulk_delete",
            Self::DeleteTodos { .. } => "todo.delete",
            Self::CreateLead { .. } => "lead.create",
            Self::UpdateLead { .. } => "lead.update",
            Self::MoveDeal { .. } => "deal.move",
            Self::RunAgent { .. } => "agent.run",
        }
    }

    /// The records that are there and that it changes.
    pub(crate) fn targets(&self) -> &[Target] {
        match self {
            Self::CompleteTodos { todos }
            | Self::ReopenTodos { todos }
            | Self::UpdateTodos { todos, .. }
            | Self::DeleteTodos { todos } => todos,
            Self::UpdateLead { lead: one, .. } | Self::MoveDeal { deal: one, .. } => {
                std::slice::from_ref(one)
            }
            Self::CreateTodo { .. } | Self::CreateLead { .. } | Self::RunAgent { .. } => &[],
        }
    }

    /// The same with other records, or with the same ones as they are now.
    pub(crate) fn on(self, mut targets: Vec<Target>) -> Self {
        match self {
            Self::CompleteTodos { .. } => Self::CompleteTodos { todos: targets },
            Self::ReopenTodos { .. } => Self::ReopenTodos { todos: targets },
            Self::UpdateTodos { change, .. } => Self::UpdateTodos {
                todos: targets,
                change,
            },
            Self::DeleteTodos { .. } => Self::DeleteTodos { todos: targets },
            Self::UpdateLead { lead, change } => Self::UpdateLead {
                lead: targets.pop().unwrap_or(lead),
                change,
            },
            Self::MoveDeal { deal, stage } => Self::MoveDeal {
                deal: targets.pop().unwrap_or(deal),
                stage,
            },
            other => other,
        }
    }

    /// How many records it changes.
    pub(crate) fn count(&self) -> usize {
        self.targets().len().max(1)
    }

    /// Whether something is gone afterwards.
    pub(crate) const fn deletes(&self) -> bool {
        matches!(self, Self::DeleteTodos { .. })
    }
}
