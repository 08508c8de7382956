//! How records and lists of them are said.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::{count, due};
use crate::actions::Due;
use crate::crm::{Lead, Todo};
use crate::understand::{Field, Slots};

/// The most records that one answer lists.
pub(crate) const SHOWN: usize = 20;

/// A to-do on one line.
pub(crate) fn line(todo: &Todo, now: DateTime<Utc>, zone: Tz) -> String {
    let due = todo
        .due()
        .map(|when| format!(" (due {})", due(when, now, zone)))
        .unwrap_or_default();
    let done = if todo.completed { " (done)" } else { "" };
    format!("{}{due}{done}", todo.title)
}

/// A heading and lines under it, numbered.
pub(crate) fn listed(heading: &str, lines: impl Iterator<Item = String>) -> String {
    let mut text = heading.to_owned();
    for (at, line) in lines.enumerate() {
        text.push_str(&format!("\n{}. {line}", at + 1));
    }
    text
}

/// What is due first stands first; without a due time the newest, as the CRM gave them.
pub(crate) fn sort(todos: &mut [Todo], zone: Tz) {
    let day = |todo: &Todo| todo.due_day(zone).unwrap_or(NaiveDate::MAX);
    todos.sort_by_key(|todo| {
        let at = todo.due_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        (todo.completed, day(todo), at)
    });
}

/// The answer to a question for to-dos, of which there are `all`.
pub(crate) fn todos(
    slots: &Slots,
    todos: &[Todo],
    all: u64,
    (now, zone): (DateTime<Utc>, Tz),
) -> String {
    let (before, after) = which_todos(slots, false, now, zone);
    if todos.is_empty() {
        return format!("You have no {before}to-dos{after}.");
    }
    let heading = format!("You have {}{after}:", count(all, &format!("{before}to-do")));
    let lines = todos.iter().take(SHOWN).map(|todo| line(todo, now, zone));
    let mut text = listed(&heading, lines);
    if all > SHOWN as u64 {
        text.push_str(&format!("\n... and {} more", all - SHOWN as u64));
    }
    text
}

/// No to-do passes.
pub(crate) fn no_todos(slots: &Slots, done: bool, now: DateTime<Utc>, zone: Tz) -> String {
    let (before, after) = which_todos(slots, done, now, zone);
    format!("You have no {before}to-dos{after}.")
}

/// The words before and after "to-dos" that say which ones.
fn which_todos(slots: &Slots, done: bool, now: DateTime<Utc>, zone: Tz) -> (String, String) {
    let mut before = if done {
        "completed ".to_owned()
    } else {
        "open ".to_owned()
    };
    let mut after = String::new();
    let mut day = slots.due_date;
    for filter in &slots.filters {
        let value = filter.value.as_str();
        match filter.field {
            Field::Status => before = state(value),
            Field::Due => match value.parse() {
                Ok(date) => day = Some(date),
                Err(_) => after.push_str(&format!(" due {}", value.replace('/', " to "))),
            },
            Field::Priority => after.push_str(&format!(" with {value} priority")),
            Field::Assignee if value == "me" => after.push_str(" for you"),
            Field::Assignee if value == "none" => after.push_str(" for nobody"),
            Field::Assignee => after.push_str(&format!(" for {value}")),
            Field::Text => after.push_str(&format!(" with \"{value}\"")),
            _ => {}
        }
    }
    if let Some(date) = day {
        after.push_str(&format!(" for {}", due(Due::Date(date), now, zone)));
    }
    (before, after)
}

fn state(value: &str) -> String {
    match value {
        "all" => String::new(),
        "done" => "completed ".to_owned(),
        other => format!("{other} "),
    }
}

/// The conditions of a question for leads, as words after "leads".
pub(crate) fn conditions(slots: &Slots) -> String {
    let mut text = String::new();
    if let Some(stage) = &slots.stage {
        text.push_str(&format!(" that are {stage}"));
    }
    for filter in &slots.filters {
        let value = filter.value.replace('/', " to ");
        match filter.field {
            Field::Status | Field::Stage if value != "all" => {
                text.push_str(&format!(" that are {value}"));
            }
            Field::Company => text.push_str(&format!(" at {value}")),
            Field::Source => text.push_str(&format!(" from {value}")),
            Field::Created => text.push_str(&format!(" created {value}")),
            Field::Assignee if value == "me" => text.push_str(" that are yours"),
            Field::Assignee => text.push_str(&format!(" of {value}")),
            _ => {}
        }
    }
    if let Some(range) = slots.range {
        text.push_str(&format!(" created {} to {}", range.from, range.to));
    }
    text
}

/// The kind of deals that a question is about, as words before "deals".
pub(crate) fn kind_of(slots: &Slots) -> String {
    let status = slots.filters.iter().find(|one| one.field == Field::Status);
    status.map_or_else(String::new, |filter| state(&filter.value))
}

/// A lead or a contact on one line.
pub(crate) fn person(lead: &Lead) -> String {
    let mut text = lead.name();
    if let Some(company) = lead
        .company_name
        .as_ref()
        .filter(|company| **company != text)
    {
        text.push_str(&format!(" ({company})"));
    }
    if let Some(status) = &lead.status {
        text.push_str(&format!(", {status}"));
    }
    if let Some(score) = lead.score {
        let grade = lead.grade.as_ref().map(|grade| format!(" ({grade})"));
        text.push_str(&format!(", score {score}{}", grade.unwrap_or_default()));
    }
    for detail in [&lead.email, &lead.phone].into_iter().flatten() {
        text.push_str(&format!(", {detail}"));
    }
    text
}

/// Which of several is meant.
pub(crate) fn which(todos: &[&Todo], now: DateTime<Utc>, zone: Tz) -> String {
    let mut text = "Which one do you mean?".to_owned();
    for todo in todos.iter().take(SHOWN) {
        text.push_str(&format!("\n- {}", line(todo, now, zone)));
    }
    text
}

/// No to-do fits.
pub(crate) fn no_match(target: &str, done: bool) -> String {
    let kind = if done { "completed" } else { "open" };
    format!(
        "I found no {kind} to-do like \"{target}\". Say \"what's on my list?\" to see them all."
    )
}
