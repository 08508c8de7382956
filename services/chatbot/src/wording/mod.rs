//! What the chatbot says. Plain English from templates; numbers and titles come from results only.

mod lists;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use crate::actions::{Action, Due, Target, TodoFields};
use crate::crm::CrmError;
use crate::failure::{Failure, Part};

pub(crate) use lists::{
    SHOWN, conditions, kind_of, listed, no_match, no_todos, person, sort, todos, which,
};

pub(crate) const GREETING: &str = "Hello! I keep your to-dos, leads and deals. Try \"add a todo: call Ada tomorrow at 3pm\", \
    \"what's on my list?\" or \"who should I call today?\".";
pub(crate) const HELP: &str = "I can add a to-do (\"remind me to call Ada tomorrow at 3pm\"), list them (\"what's on my \
    list?\", \"what is overdue?\"), complete, reopen, rename, move and delete them (\"mark call Ada as done\", \"rename call \
    Ada to call Grace\", \"move call Ada to Friday\", \"delete call Ada\"); add, find, count and change leads (\"how many \
    leads do I have?\", \"who should I call today?\"); find, sum and move deals (\"what are my deals worth?\"); tell numbers \
    (\"how many visitors last week?\") and run agents. Before I delete anything I ask, and \"undo\" takes back what I did \
    last.";
pub(crate) const UNKNOWN: &str = "I did not understand that. Say \"help\" to see what I can do.";
pub(crate) const NOTHING_TO_CONFIRM: &str = "There is nothing waiting for your answer.";
pub(crate) const CONFIRMATION_EXPIRED: &str =
    "That question has expired, so nothing was changed. Please ask again.";
pub(crate) const NO_TITLE: &str =
    "What should the to-do say? For example: \"add a todo: call Ada tomorrow at 3pm\".";
pub(crate) const NO_CHANGE: &str = "What should I change? For example: \"move call Ada to Friday at 3pm\" or \"rename call \
    Ada to call Grace\".";
pub(crate) const REJECTED: &str = "All right, I changed nothing.";
pub(crate) const NOTHING_TO_UNDO: &str = "There is nothing that I could take back.";
pub(crate) const ONE_QUESTION: &str =
    "For the rest please ask again after that: I ask one question at a time.";

/// "3 to-dos", "1 to-do".
pub(crate) fn count(n: u64, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

/// "tomorrow, Tue 3 Mar 2026, 15:00".
pub(crate) fn due(due: Due, now: DateTime<Utc>, zone: Tz) -> String {
    let today = now.with_timezone(&zone).date_naive();
    match due {
        Due::Date(date) => day(date, today),
        Due::At(at) => {
            let local = at.with_timezone(&zone);
            format!(
                "{}, {}",
                day(local.date_naive(), today),
                local.format("%H:%M")
            )
        }
    }
}

fn day(date: NaiveDate, today: NaiveDate) -> String {
    let written = format!(
        "{} {} {}",
        date.format("%a"),
        date.day(),
        date.format("%b %Y")
    );
    match (date - today).num_days() {
        -1 => format!("yesterday, {written}"),
        0 => format!("today, {written}"),
        1 => format!("tomorrow, {written}"),
        _ => written,
    }
}

/// The action as a question's subject: "Delete the to-do \"call Ada\"".
pub(crate) fn summary(action: &Action, now: DateTime<Utc>, zone: Tz) -> String {
    match action {
        Action::CreateTodo { fields } => format!("Add the to-do {}", with_title(fields, now, zone)),
        Action::CompleteTodos { todos } => format!("Mark {} as done", named(todos)),
        Action::ReopenTodos { todos } => format!("Open {} again", named(todos)),
        Action::UpdateTodos { todos, change } => {
            format!("Change {}: {}", named(todos), changes(change, now, zone))
        }
        Action::DeleteTodos { todos } => format!("Delete {}", named(todos)),
        Action::CreateLead { name, .. } => format!("Add the lead \"{name}\""),
        Action::UpdateLead { lead, change } => {
            format!("Change the lead \"{}\": {}", lead.title, values(change))
        }
        Action::MoveDeal { deal, stage } => {
            format!("Move the deal \"{}\" to {}", deal.title, stage.name)
        }
        Action::RunAgent { agent, .. } => format!("Run the agent {agent}"),
    }
}

fn with_title(fields: &TodoFields, now: DateTime<Utc>, zone: Tz) -> String {
    let title = format!("\"{}\"", fields.title.as_deref().unwrap_or_default());
    let rest = TodoFields {
        title: None,
        ..fields.clone()
    };
    match changes(&rest, now, zone) {
        rest if rest.is_empty() => title,
        rest => format!("{title}, {rest}"),
    }
}

/// "title \"call Grace\", due tomorrow, high priority".
fn changes(change: &TodoFields, now: DateTime<Utc>, zone: Tz) -> String {
    let mut parts = Vec::new();
    if let Some(title) = &change.title {
        parts.push(format!("title \"{title}\""));
    }
    if let Some(when) = change.due {
        parts.push(format!("due {}", due(when, now, zone)));
    }
    if let Some(rule) = &change.recurrence {
        parts.push(format!("every time of {rule}"));
    }
    if let Some(priority) = &change.priority {
        parts.push(format!("{priority} priority"));
    }
    if let Some(member) = &change.assignee {
        parts.push(format!("for {}", member.name));
    }
    parts.join(", ")
}

fn values(change: &Map<String, Value>) -> String {
    let parts = change.iter().map(|(name, value)| {
        let value = value.as_str().unwrap_or_default();
        format!("{} {value}", name.replace('_', " "))
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn named(todos: &[Target]) -> String {
    match todos {
        [one] => format!("the to-do \"{}\"", one.title),
        many => {
            let titles: Vec<String> = many
                .iter()
                .take(5)
                .map(|todo| format!("\"{}\"", todo.title))
                .collect();
            let more = if many.len() > 5 { ", ..." } else { "" };
            format!(
                "{} ({}{more})",
                count(many.len() as u64, "to-do"),
                titles.join(", ")
            )
        }
    }
}

/// The question that waits for a yes.
pub(crate) fn question(summary: &str) -> String {
    format!("{summary}? Say \"yes\" or \"no\".")
}

/// What happened.
pub(crate) fn done(action: &Action, now: DateTime<Utc>, zone: Tz) -> String {
    match action {
        Action::CreateTodo { fields } => format!("Added {}.", with_title(fields, now, zone)),
        Action::CompleteTodos { todos } => format!("Marked {} as done.", named(todos)),
        Action::ReopenTodos { todos } => format!("Opened {} again.", named(todos)),
        Action::UpdateTodos { todos, change } => updated(todos, change, now, zone),
        Action::DeleteTodos { todos } => format!("Deleted {}.", named(todos)),
        Action::CreateLead { name, .. } => format!("Added the lead \"{name}\"."),
        Action::UpdateLead { lead, change } => {
            format!("Changed the lead \"{}\": {}.", lead.title, values(change))
        }
        Action::MoveDeal { deal, stage } => {
            format!("Moved the deal \"{}\" to {}.", deal.title, stage.name)
        }
        Action::RunAgent { agent, .. } => format!("Started the agent {agent}."),
    }
}

fn updated(todos: &[Target], change: &TodoFields, now: DateTime<Utc>, zone: Tz) -> String {
    let [one] = todos else {
        return format!("Changed {}: {}.", named(todos), changes(change, now, zone));
    };
    let title = &one.title;
    let only_title = TodoFields {
        title: change.title.clone(),
        ..TodoFields::default()
    };
    let only_due = TodoFields {
        due: change.due,
        ..TodoFields::default()
    };
    match (&change.title, change.due) {
        (Some(new), _) if *change == only_title => format!("Renamed \"{title}\" to \"{new}\"."),
        (_, Some(when)) if *change == only_due => {
            format!("Moved \"{title}\" to {}.", due(when, now, zone))
        }
        _ => format!("Changed \"{title}\": {}.", changes(change, now, zone)),
    }
}

/// What is said when a part of the platform did not do it.
pub(crate) fn failed(failure: &Failure, writing: bool) -> String {
    let part = failure.part.called();
    match &failure.why {
        CrmError::Unavailable if writing => {
            format!(
                "The {part} did not answer, so I do not know whether it was changed. Please look before you try again."
            )
        }
        CrmError::Unavailable | CrmError::Unreachable => {
            format!(
                "I cannot reach the {part} right now, so nothing was changed. Please try again in a moment."
            )
        }
        CrmError::Forbidden => {
            format!("You are not allowed to do that in the {part}. Nothing was changed.")
        }
        CrmError::Gone => "That record is not there any more. Nothing was changed.".to_owned(),
        CrmError::Changed => {
            "That record has been changed in the meantime, so I left it as it is. Please ask again."
                .to_owned()
        }
        CrmError::Refused(detail) if failure.part == Part::Agents => {
            format!("No agent was started: {detail}.")
        }
        CrmError::Refused(detail) => format!("The {part} did not accept that: {detail}"),
    }
}

/// The question about what has changed since it was asked about.
pub(crate) fn changed(question: &str) -> String {
    format!("It has been changed in the meantime, so I did nothing yet. {question}")
}

/// What was taken back.
pub(crate) fn undone(titles: &[&str]) -> String {
    let named: Vec<String> = titles
        .iter()
        .take(5)
        .map(|title| format!("\"{title}\""))
        .collect();
    let more = if titles.len() > 5 {
        " and the others"
    } else {
        ""
    };
    format!(
        "Taken back: {}{more} is as it was before.",
        named.join(", ")
    )
}
