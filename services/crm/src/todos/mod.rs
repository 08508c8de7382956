//! To-dos: what somebody in the tenant wants done.

mod create;
mod delete;
mod get;
mod list;
mod patch;
mod put;
mod store;

use bz_http::{Errors, Patch, Validate};
use bz_kernel::{TodoId, UserId};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{app::AppState, rules};

bz_auth::permissions! {
    /// See to-dos.
    TodosRead = "todos:read",
    /// Create, change and delete to-dos.
    TodosWrite = "todos:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create_todo, list::list_todos))
        .routes(routes!(
            get::get_todo,
            put::put_todo,
            patch::patch_todo,
            delete::delete_todo
        ))
}

/// How far a to-do is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TodoStatus {
    /// Not begun.
    #[default]
    Open,
    /// Begun.
    InProgress,
    /// Done; `completed` says the same.
    Done,
    /// Will not be done.
    Cancelled,
}

rules::text_enum!(TodoStatus {
    Open => "open",
    InProgress => "in_progress",
    Done => "done",
    Cancelled => "cancelled",
});

/// How much a to-do matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TodoPriority {
    /// When there is time.
    Low,
    /// As usual.
    #[default]
    Normal,
    /// Soon.
    High,
    /// Now.
    Urgent,
}

rules::text_enum!(TodoPriority { Low => "low", Normal => "normal", High => "high", Urgent => "urgent" });

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Todo {
    /// The to-do's id.
    pub id: TodoId,
    /// What is to be done.
    pub title: String,
    /// More about it.
    pub description: Option<String>,
    /// How far it is.
    pub status: TodoStatus,
    /// Whether it is done; mirrors `status`.
    pub completed: bool,
    /// How much it matters.
    pub priority: TodoPriority,
    /// The instant by which it is due, when it has a time.
    pub due_at: Option<DateTime<Utc>>,
    /// The day on which it is due, when it has no time.
    pub due_date: Option<NaiveDate>,
    /// When it was done.
    pub completed_at: Option<DateTime<Utc>>,
    /// Who created it.
    pub created_by: UserId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// What a client writes of a to-do. `status` and `completed` say the same thing in two ways: give one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTodo {
    /// What is to be done, 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    pub title: String,
    /// More about it, at most 10,000 characters.
    #[schema(max_length = 10_000)]
    pub description: Option<String>,
    /// How far it is; `open` when neither this nor `completed` is given.
    pub status: Option<TodoStatus>,
    /// Whether it is done.
    pub completed: Option<bool>,
    /// How much it matters; `normal` when not given.
    #[serde(default)]
    pub priority: TodoPriority,
    /// The instant by which it is due. Not together with `due_date`.
    pub due_at: Option<DateTime<Utc>>,
    /// The day on which it is due. Not together with `due_at`.
    pub due_date: Option<NaiveDate>,
}

impl Validate for CreateTodo {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/title", Some(&self.title), 500);
        rules::optional_text(errors, "/description", self.description.as_deref(), 10_000);
        if self.due_at.is_some() && self.due_date.is_some() {
            errors.add("/due_date", "conflicting", "give either due_at or due_date");
        }
        if let (Some(status), Some(completed)) = (self.status, self.completed)
            && completed != (status == TodoStatus::Done)
        {
            errors.add(
                "/completed",
                "conflicting",
                "contradicts status; give one of the two",
            );
        }
    }
}

/// A change of a to-do (JSON merge patch, RFC 7396): a missing field stays, `null` clears it.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchTodo {
    /// Cannot be cleared.
    #[schema(min_length = 1, max_length = 500)]
    title: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 10_000)]
    description: Patch<String>,
    /// Cannot be cleared.
    status: Option<TodoStatus>,
    /// Cannot be cleared.
    completed: Option<bool>,
    /// Cannot be cleared.
    priority: Option<TodoPriority>,
    /// Setting it clears `due_date`.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    due_at: Patch<DateTime<Utc>>,
    /// Setting it clears `due_at`.
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>)]
    due_date: Patch<NaiveDate>,
}

/// What can only be judged with the to-do that is changed is judged in [`PatchTodo::onto`].
impl Validate for PatchTodo {
    fn validate(&self, errors: &mut Errors) {
        if matches!(
            (&self.due_at, &self.due_date),
            (Patch::Value(_), Patch::Value(_))
        ) {
            errors.add("/due_date", "conflicting", "give either due_at or due_date");
        }
    }
}

impl PatchTodo {
    /// The to-do's writable fields after the change.
    fn onto(self, todo: Todo) -> CreateTodo {
        let untouched = self.status.is_none() && self.completed.is_none();
        let (set_at, set_date) = (
            matches!(self.due_at, Patch::Value(_)),
            matches!(self.due_date, Patch::Value(_)),
        );
        CreateTodo {
            title: self.title.unwrap_or(todo.title),
            description: self.description.onto(todo.description),
            status: if untouched {
                Some(todo.status)
            } else {
                self.status
            },
            completed: self.completed,
            priority: self.priority.unwrap_or(todo.priority),
            due_at: if set_date {
                None
            } else {
                self.due_at.onto(todo.due_at)
            },
            due_date: if set_at {
                None
            } else {
                self.due_date.onto(todo.due_date)
            },
        }
    }
}

impl CreateTodo {
    /// The status that `status` or `completed` asks for.
    fn wanted_status(&self) -> TodoStatus {
        match (self.status, self.completed) {
            (Some(status), _) => status,
            (None, Some(true)) => TodoStatus::Done,
            (None, _) => TodoStatus::Open,
        }
    }
}
