//! The lists of to-dos, and the questions that people ask of them in short.

use bz_kernel::UserId;
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::TodoStatus;
use crate::records::{
    filter::{AllOf, AnyOf, Filter, NotThis, Op, Test},
    list::endpoints::lists,
};

lists! {
    Todo, TodosRead = "todos:read",
    tag "todos",
    "/api/todos", "/api/todos/query",
    list list_todos "The to-dos that the caller sees.",
    query query_todos "Find to-dos.",
}

/// The questions, and what they mean.
pub(super) const SHORTHANDS: &[(&str, &str)] = &[
    (
        "completed",
        "Only to-dos that are done (true) or not (false).",
    ),
    ("assignee", "Only those of this user; `me` is the caller."),
    (
        "overdue",
        "Only those that are still to be done and whose time has passed (true), or all others (false). Days are days in UTC.",
    ),
    ("due[lt]", "Only those due before this day or instant."),
    ("due[lte]", "Only those due by this day or instant."),
    ("due[gt]", "Only those due after this day or instant."),
    ("due[gte]", "Only those due from this day or instant on."),
    ("q", "Only those with this text in title or description."),
];

/// What a question stands for.
pub(super) fn shorthand(
    name: &str,
    value: &str,
    now: DateTime<Utc>,
) -> Option<Result<Filter, String>> {
    Some(match name {
        "completed" => flag(value).map(|completed| test("completed", Op::Eq, json!(completed))),
        "assignee" if value == "me" || value.parse::<UserId>().is_ok() => {
            Ok(test("owner_id", Op::Eq, json!(value)))
        }
        "assignee" => Err("must be me or the id of a user".to_owned()),
        "overdue" => flag(value).map(|wanted| match wanted {
            true => overdue(now),
            false => Filter::Not(NotThis {
                not: Box::new(overdue(now)),
            }),
        }),
        "due[lt]" => due(Op::Lt, value),
        "due[lte]" => due(Op::Lte, value),
        "due[gt]" => due(Op::Gt, value),
        "due[gte]" => due(Op::Gte, value),
        "q" if value.is_empty() => Ok(Filter::everything()),
        "q" => {
            let has = |field| test(field, Op::Contains, json!(value));
            Ok(any(vec![has("title"), has("description")]))
        }
        _ => return None,
    })
}

fn flag(value: &str) -> Result<bool, String> {
    value
        .parse()
        .map_err(|_| "must be true or false".to_owned())
}

/// Due before or after a day or an instant. Of a to-do that has only a day, the day counts.
fn due(op: Op, value: &str) -> Result<Filter, String> {
    let instant = DateTime::parse_from_rfc3339(value).map(|at| at.to_utc().date_naive());
    let Ok(day) = value.parse::<NaiveDate>().or(instant) else {
        return Err(
            "must be a day such as 2026-05-31 or a time such as 2026-05-31T09:30:00Z".to_owned(),
        );
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
