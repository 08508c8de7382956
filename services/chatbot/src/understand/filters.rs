//! Which to-dos a message speaks of: overdue ones, those of this week, high ones, Ada's.

use chrono::{NaiveDateTime, TimeDelta};

use super::intent::Shown;
use super::normalise::{self, contains};
use super::{Field, Filter, Op, dates, extras, ranges};

/// The conditions of a message about several to-dos.
pub(super) fn of_todos(message: &str, shown: Option<Shown>, local: NaiveDateTime) -> Vec<Filter> {
    let words = normalise::words(message);
    let texts = normalise::texts(&words);
    let mut filters = Vec::new();
    filters.extend(status(&texts, shown));
    filters.extend(due(message, &texts, shown, local));
    if let Some(priority) = extras::priority(message) {
        filters.push(Filter::new(Field::Priority, Op::Is, priority.value.name()));
    }
    filters.extend(assignee(message));
    filters
}

fn status(texts: &[&str], shown: Option<Shown>) -> Option<Filter> {
    let is = |name: &str| Some(Filter::new(Field::Status, Op::Is, name));
    match shown {
        Some(Shown::Overdue) => is("overdue"),
        Some(Shown::Done) => is("completed"),
        Some(Shown::All) => is("all"),
        _ => {
            let open = texts.iter().any(|word| {
                matches!(
                    *word,
                    "open" | "pending" | "unfinished" | "incomplete" | "outstanding"
                )
            });
            // "open my list" asks for nothing but the list.
            let verb = texts.first() == Some(&"open");
            if open && !verb || contains(texts, "not done") {
                is("open")
            } else {
                None
            }
        }
    }
}

fn due(
    message: &str,
    texts: &[&str],
    shown: Option<Shown>,
    local: NaiveDateTime,
) -> Option<Filter> {
    let on = |days| {
        let day = local.date().checked_add_signed(TimeDelta::days(days))?;
        Some(Filter::new(Field::Due, Op::Is, day.to_string()))
    };
    match shown {
        Some(Shown::Today) => return on(0),
        Some(Shown::Tomorrow) => return on(1),
        Some(Shown::Overdue | Shown::Done) => return None,
        Some(Shown::All) | None => {}
    }
    if let Some(range) = ranges::find(message, local).filter(|range| range.from != range.to) {
        let value = format!("{}/{}", range.from, range.to);
        return Some(Filter::new(Field::Due, Op::Between, value));
    }
    let mention = dates::find(message, local)?;
    let date = mention.moment.at.date().to_string();
    let op = if texts.contains(&"before") {
        Op::Before
    } else if texts.contains(&"after") {
        Op::After
    } else if texts
        .iter()
        .any(|word| matches!(*word, "by" | "until" | "till"))
    {
        Op::AtMost
    } else {
        Op::Is
    };
    Some(Filter::new(Field::Due, op, date))
}

/// "assigned to Ada", "Ada's tasks".
fn assignee(message: &str) -> Option<Filter> {
    let whose = extras::assignee(message)
        .map(|said| said.value)
        .or_else(|| {
            let (before, _) = message
                .split_once("'s ")
                .or_else(|| message.split_once("\u{2019}s "))?;
            let name = before.rsplit(' ').next()?;
            let named = name.starts_with(char::is_uppercase) && before.contains(' ');
            (named && !dates::says_a_time(name) && !matches!(name, "What" | "That" | "It"))
                .then(|| name.to_owned())
        })?;
    Some(Filter::new(Field::Assignee, Op::Is, whose))
}
