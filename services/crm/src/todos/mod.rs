//! To-dos: what somebody in the tenant wants done.

mod complete;
mod completed;
mod endpoints;
mod list;
mod recurrence;
pub(crate) mod reminders;
mod reopen;
mod series;
mod transfer;

use bz_auth::Caller;
use bz_http::{Errors, IfMatch, Problem, Routes, Validate, Versioned, routes};
use bz_kernel::{TodoId, UserId};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    links::{self, Link},
    records::{
        Facts, Fields, Record, Rules, Work, column::choice_columns, filter::Filter, handlers,
        record, validate_common,
    },
    rules,
};
use completed::Completed;

bz_auth::permissions! {
    /// See to-dos.
    TodosRead = "todos:read",
    /// Create, change and delete to-dos.
    TodosWrite = "todos:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    endpoints::routes()
        .merge(list::routes())
        .merge(transfer::routes())
        .routes(routes!(complete::complete_todo))
        .routes(routes!(reopen::reopen_todo))
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
choice_columns!(TodoStatus, TodoPriority);

record! {
    /// Something to do.
    pub struct Todo(TodoId) = TODO: "todo", "todos", owner "assignee_id";

    /// What a client writes of a to-do. `status` and `completed` say the same thing in two ways: give one of them.
    /// `owner_id` is who it is assigned to and may be called `assignee_id`.
    #[schema(example = json!({ "title": "Call Ada", "due_date": "2026-03-03", "recurrence": "FREQ=WEEKLY;BYDAY=TU" }))]
    writes CreateTodo {
        /// What is to be done, 1 to 500 characters.
        #[schema(min_length = 1, max_length = 500)]
        title: String,
        /// More about it, at most 10,000 characters.
        #[schema(max_length = 10_000)]
        description: Option<String>,
        /// How far it is; `open` when neither this nor `completed` is given.
        #[serde(default)]
        #[schema(value_type = TodoStatus)]
        status: Option<TodoStatus>,
        /// Whether it is done; mirrors `status`.
        #[serde(default)]
        #[schema(value_type = bool)]
        completed: Completed,
        /// How much it matters; `normal` when not given.
        #[serde(default)]
        priority: TodoPriority,
        /// The instant by which it is due. Not together with `due_date`.
        due_at: Option<DateTime<Utc>>,
        /// The day on which it is due, when it has no time. Not together with `due_at`.
        due_date: Option<NaiveDate>,
        /// When to be reminded of it.
        remind_at: Option<DateTime<Utc>>,
        /// How it comes again: a rule of RFC 5545 such as `FREQ=WEEKLY;BYDAY=MO,TH`, at most 500 characters, from `DAILY`
        /// to `YEARLY`. It begins when the to-do is due. Completing it makes the next one.
        #[schema(max_length = 500)]
        recurrence: Option<String>,
        /// The time zone in which it comes again: `Europe/Berlin`. `UTC` when not given.
        #[schema(max_length = 64)]
        time_zone: Option<String>,
        /// Where it stands among others, as the client likes.
        #[serde(default)]
        position: f64,
        /// Where it came from, at most 100 characters: `chat`.
        #[schema(max_length = 100)]
        source: Option<String>,
        /// What it is about, at most 50 records.
        #[serde(default)]
        #[schema(max_items = 50)]
        links: Vec<Link>,
    }

    reads {
        /// Who it is assigned to; another name of `owner_id`.
        assignee_id: Option<UserId>,
        /// When it was done.
        completed_at: Option<DateTime<Utc>>,
        /// When the reminder was sent.
        reminded_at: Option<DateTime<Utc>>,
        /// The first to-do of its series, when it comes again.
        series_id: Option<TodoId>,
    }
}

impl Validate for CreateTodo {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/title", Some(&self.title), 500);
        rules::optional_text(errors, "/description", self.description.as_deref(), 10_000);
        rules::optional_text(errors, "/source", self.source.as_deref(), 100);
        if self.due_at.is_some() && self.due_date.is_some() {
            errors.add("/due_date", "conflicting", "give either due_at or due_date");
        }
        if let (Some(status), Some(completed)) = (self.status, self.completed.0)
            && completed != (status == TodoStatus::Done)
        {
            errors.add(
                "/completed",
                "conflicting",
                "contradicts status; give one of the two",
            );
        }
        recurrence::validate(errors, self);
        links::validate(errors, &self.links);
        validate_common(errors, self.common());
    }
}

impl CreateTodo {
    /// Lets `status` and `completed` say the same.
    fn settle(&mut self) {
        let status = match (self.status, self.completed.0) {
            (Some(status), _) => status,
            (None, Some(true)) => TodoStatus::Done,
            (None, _) => TodoStatus::Open,
        };
        self.status = Some(status);
        self.completed = Completed(Some(status == TodoStatus::Done));
    }
}

impl Todo {
    /// Whether it is done.
    fn is_done(&self) -> bool {
        self.status == Some(TodoStatus::Done)
    }
}

impl Rules for Todo {
    type Wanted = CreateTodo;
    const SHORTHANDS: &'static [(&'static str, &'static str)] = list::SHORTHANDS;

    fn shorthand(name: &str, value: &str, now: DateTime<Utc>) -> Option<Result<Filter, String>> {
        list::shorthand(name, value, now)
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            status: self.status.map(TodoStatus::as_str),
            source: self.source.as_deref(),
        }
    }

    fn change_event(&self, before: &Self) -> Option<&'static str> {
        (self.is_done() && !before.is_done()).then_some("todo.completed")
    }

    /// One of `status` and `completed` sets the other, one due time clears the other, and the assignee is the owner.
    fn reword(&self, members: &mut Map<String, Value>) {
        members.retain(|name, value| {
            !(value.is_null() && ["status", "completed"].contains(&name.as_str()))
        });
        match (members.get("status").is_some(), members.get("completed")) {
            (false, Some(Value::Bool(completed))) if *completed != self.is_done() => {
                let status = if *completed {
                    TodoStatus::Done
                } else {
                    TodoStatus::Open
                };
                members.insert("status".into(), status.as_str().into());
            }
            (true, None) => {
                members.insert("completed".into(), Value::Null);
            }
            _ => {}
        }
        for (set, other) in [("due_at", "due_date"), ("due_date", "due_at")] {
            if members.get(set).is_some_and(|value| !value.is_null())
                && !members.contains_key(other)
            {
                members.insert(other.into(), Value::Null);
            }
        }
        if let Some(assignee) = members.remove("assignee_id") {
            members.insert("owner_id".into(), assignee);
        }
    }

    async fn prepare(
        work: &mut Work<'_>,
        wanted: &mut CreateTodo,
        before: Option<&Self>,
    ) -> Result<(), Problem> {
        wanted.settle();
        let linked = before.map_or(&[][..], |todo| &todo.links);
        links::check(work, &wanted.links, linked).await
    }

    async fn written(&self, work: &mut Work<'_>, before: Option<&Self>) -> Result<(), Problem> {
        let linked = before.map_or(&[][..], |todo| &todo.links);
        links::write(work, (TODO, self.id.as_uuid()), &self.links, linked).await?;
        if self.is_done() && !before.is_some_and(Self::is_done) {
            series::go_on(work, self).await?;
        }
        Ok(())
    }
}

/// Changes the status of a to-do and nothing else.
async fn set_status(
    app: &AppState,
    caller: &Caller,
    id: TodoId,
    if_match: &IfMatch,
    wanted: impl FnOnce(TodoStatus) -> TodoStatus,
) -> Result<Versioned<Todo>, Problem> {
    handlers::write(app, caller, id.as_uuid(), if_match, |todo: &Todo| {
        let mut fields = todo.fields();
        fields.status = Some(wanted(todo.status.unwrap_or_default()));
        fields.completed = Completed(None);
        Ok(fields)
    })
    .await
}
