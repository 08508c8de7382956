use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{Page, UserId};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::{Todo, TodoStatus, TodosRead};
use crate::{
    app::AppState,
    records::{
        filter::{AllOf, AnyOf, Filter, NotThis, Op, Test},
        pages,
    },
};

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListTodos {
    /// Only to-dos in this status.
    status: Option<TodoStatus>,
    /// Only to-dos that are done (true) or not (false).
    completed: Option<bool>,
    /// Only those of this user; `me` is the caller.
    assignee: Option<String>,
    /// Only those that are still to be done and whose time has passed (true), or all others (false). Days are days in UTC.
    overdue: Option<bool>,
    /// Only those due before this day or instant.
    #[serde(rename = "due[lt]")]
    #[param(rename = "due[lt]")]
    due_lt: Option<String>,
    /// Only those due by this day or instant.
    #[serde(rename = "due[lte]")]
    #[param(rename = "due[lte]")]
    due_lte: Option<String>,
    /// Only those due after this day or instant.
    #[serde(rename = "due[gt]")]
    #[param(rename = "due[gt]")]
    due_gt: Option<String>,
    /// Only those due from this day or instant on.
    #[serde(rename = "due[gte]")]
    #[param(rename = "due[gte]")]
    due_gte: Option<String>,
    /// Only those with this text in title or description.
    q: Option<String>,
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The tenant's to-dos, newest first.
#[utoipa::path(
    get, path = "/api/todos", tag = "todos",
    security(("bearer" = ["todos:read"])),
    params(ListTodos),
    responses((status = 200, description = "One page", body = Page<Todo>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_todos(
    State(app): State<AppState>,
    caller: Can<TodosRead>,
    Query(query): Query<ListTodos>,
) -> Result<Json<Page<Todo>>, Problem> {
    let filter = query.filter(app.core.sources.now())?;
    // What is overdue goes by the clock: the list is named by its question, not by its filter.
    let name = query.name();
    let page = PageQuery::new(query.limit, query.cursor);
    pages::filtered(&app, &caller, page, (&name, &filter)).await
}

impl ListTodos {
    fn name(&self) -> String {
        let due = (&self.due_lt, &self.due_lte, &self.due_gt, &self.due_gte);
        let flags = (self.status, self.completed, self.overdue);
        format!("{flags:?}{:?}{:?}{due:?}", self.assignee, self.q)
    }

    fn filter(&self, now: DateTime<Utc>) -> Result<Filter, Problem> {
        let mut all = Vec::new();
        if let Some(status) = self.status {
            all.push(test("status", Op::Eq, json!(status.as_str())));
        }
        if let Some(completed) = self.completed {
            all.push(test("completed", Op::Eq, json!(completed)));
        }
        if let Some(assignee) = &self.assignee {
            if assignee != "me" && assignee.parse::<UserId>().is_err() {
                let message = "must be me or the id of a user";
                return Err(Problem::invalid_parameter(
                    "assignee",
                    "invalid_value",
                    message,
                ));
            }
            all.push(test("owner_id", Op::Eq, json!(assignee)));
        }
        let limits = [
            ("due[lt]", Op::Lt, &self.due_lt),
            ("due[lte]", Op::Lte, &self.due_lte),
            ("due[gt]", Op::Gt, &self.due_gt),
            ("due[gte]", Op::Gte, &self.due_gte),
        ];
        for (name, op, value) in limits {
            if let Some(value) = value {
                all.push(due(name, op, value)?);
            }
        }
        if let Some(q) = self.q.as_deref().filter(|q| !q.is_empty()) {
            let has = |field| test(field, Op::Contains, json!(q));
            all.push(any(vec![has("title"), has("description")]));
        }
        match self.overdue {
            Some(true) => all.push(overdue(now)),
            Some(false) => all.push(Filter::Not(NotThis {
                not: Box::new(overdue(now)),
            })),
            None => {}
        }
        Ok(Filter::All(AllOf { all }))
    }
}

/// Due before or after a day or an instant. Of a to-do that has only a day, the day counts.
fn due(name: &'static str, op: Op, value: &str) -> Result<Filter, Problem> {
    let instant = DateTime::parse_from_rfc3339(value).map(|at| at.to_utc().date_naive());
    let Ok(day) = value.parse::<NaiveDate>().or(instant) else {
        let message = "must be a day such as 2026-05-31 or a time such as 2026-05-31T09:30:00Z";
        return Err(Problem::invalid_parameter(name, "invalid_value", message));
    };
    let at = test("due_at", op, json!(value));
    Ok(any(vec![at, test("due_date", op, json!(day))]))
}

fn overdue(now: DateTime<Utc>) -> Filter {
    let statuses = json!([TodoStatus::Open.as_str(), TodoStatus::InProgress.as_str()]);
    let passed = any(vec![
        test("due_at", Op::Lt, json!(now)),
        test("due_date", Op::Lt, json!(now.date_naive())),
    ]);
    Filter::All(AllOf {
        all: vec![test("status", Op::In, statuses), passed],
    })
}

fn test(field: &str, op: Op, value: Value) -> Filter {
    Filter::Test(Test {
        field: field.to_owned(),
        op,
        value,
    })
}

fn any(any: Vec<Filter>) -> Filter {
    Filter::Any(AnyOf { any })
}
