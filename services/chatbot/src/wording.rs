//! What the chatbot says. Plain English from templates; numbers and titles come from results only.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::actions::{Action, Due, Target};
use crate::crm::{CrmError, Todo};

/// The most to-dos that one answer lists.
const SHOWN: usize = 20;

pub(crate) const GREETING: &str = "Hello! I keep your to-dos. Try \"add a todo: call Ada tomorrow at 3pm\" or \"what's on my list?\".";
pub(crate) const HELP: &str = "I can add a to-do (\"remind me to call Ada tomorrow at 3pm\"), list them (\"what's on my \
    list?\", \"what is overdue?\"), complete, rename, move and delete them (\"mark call Ada as done\", \"rename call Ada to \
    call Grace\", \"move call Ada to Friday\", \"delete call Ada\"), and count your leads (\"how many leads do I have?\"). \
    Before I delete anything I ask.";
pub(crate) const UNKNOWN: &str = "I did not understand that. Say \"help\" to see what I can do.";
pub(crate) const NOTHING_TO_CONFIRM: &str = "There is nothing waiting for your answer.";
pub(crate) const CONFIRMATION_EXPIRED: &str =
    "That question has expired, so nothing was changed. Please ask again.";
pub(crate) const NO_TITLE: &str =
    "What should the to-do say? For example: \"add a todo: call Ada tomorrow at 3pm\".";
pub(crate) const NO_NEW_TITLE: &str =
    "What should it be called? For example: \"rename call Ada to call Grace\".";
pub(crate) const NO_NEW_TIME: &str =
    "When should it be due? For example: \"move call Ada to Friday at 3pm\".";

/// "3 to-dos", "1 to-do".
pub(crate) fn count(n: usize, noun: &str) -> String {
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

/// A to-do on one line.
pub(crate) fn line(todo: &Todo, now: DateTime<Utc>, zone: Tz) -> String {
    let due = todo
        .due()
        .map(|when| format!(" (due {})", due(when, now, zone)))
        .unwrap_or_default();
    let done = if todo.completed { " (done)" } else { "" };
    format!("{}{due}{done}", todo.title)
}

/// To-dos as a numbered list under a heading.
pub(crate) fn list(heading: &str, todos: &[Todo], now: DateTime<Utc>, zone: Tz) -> String {
    let mut text = format!("{heading}:");
    for (at, todo) in todos.iter().take(SHOWN).enumerate() {
        text.push_str(&format!("\n{}. {}", at + 1, line(todo, now, zone)));
    }
    if todos.len() > SHOWN {
        text.push_str(&format!("\n... and {} more", todos.len() - SHOWN));
    }
    text
}

/// The action as a question's subject: "Delete the to-do \"call Ada\"".
pub(crate) fn summary(action: &Action, now: DateTime<Utc>, zone: Tz) -> String {
    match action {
        Action::CreateTodo { title, due: None } => format!("Add the to-do \"{title}\""),
        Action::CreateTodo {
            title,
            due: Some(when),
        } => {
            format!("Add the to-do \"{title}\", due {}", due(*when, now, zone))
        }
        Action::CompleteTodos { todos } => format!("Mark {} as done", named(todos)),
        Action::RenameTodo { todo, new_title } => {
            format!("Rename the to-do \"{}\" to \"{new_title}\"", todo.title)
        }
        Action::RescheduleTodo { todo, due: when } => {
            format!(
                "Move the to-do \"{}\" to {}",
                todo.title,
                due(*when, now, zone)
            )
        }
        Action::DeleteTodos { todos } => format!("Delete {}", named(todos)),
    }
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
                count(many.len(), "to-do"),
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
        Action::CreateTodo { title, due: None } => format!("Added \"{title}\"."),
        Action::CreateTodo {
            title,
            due: Some(when),
        } => format!("Added \"{title}\", due {}.", due(*when, now, zone)),
        Action::CompleteTodos { todos } => format!("Marked {} as done.", named(todos)),
        Action::RenameTodo { todo, new_title } => {
            format!("Renamed \"{}\" to \"{new_title}\".", todo.title)
        }
        Action::RescheduleTodo { todo, due: when } => {
            format!("Moved \"{}\" to {}.", todo.title, due(*when, now, zone))
        }
        Action::DeleteTodos { todos } => format!("Deleted {}.", named(todos)),
    }
}

/// What is said when the CRM did not do it.
pub(crate) fn failed(error: &CrmError, writing: bool) -> String {
    match error {
        CrmError::Unavailable if writing => {
            "The CRM did not answer, so I do not know whether it was changed. Please look at your list before you try again."
        }
        CrmError::Unavailable | CrmError::Unreachable => {
            "I cannot reach the CRM right now, so nothing was changed. Please try again in a moment."
        }
        CrmError::Forbidden => "You are not allowed to do that in the CRM. Nothing was changed.",
        CrmError::Gone => "That to-do is not there any more. Nothing was changed.",
        CrmError::Changed => "That to-do has been changed in the meantime, so I left it as it is. Please ask again.",
        CrmError::Refused(detail) => return format!("The CRM did not accept that: {detail}"),
    }
    .to_owned()
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
pub(crate) fn no_match(target: &str) -> String {
    format!("I found no open to-do like \"{target}\". Say \"what's on my list?\" to see them all.")
}
