//! Lists of to-dos, and which one of them is meant.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use fluent_bundle::FluentValue;

use super::{SHOWN, Voice, keys, listed};
use crate::actions::Due;
use crate::crm::Todo;
use crate::understand::{Field, Filter, Slots};

impl Voice {
    /// The answer to a question for to-dos, of which there are `all`.
    pub(crate) fn todos(&self, slots: &Slots, todos: &[Todo], all: u64) -> String {
        if todos.is_empty() {
            return self.no_todos(slots, false);
        }
        let variables: [(_, FluentValue<'_>); 3] = [
            ("count", all.into()),
            ("status", status(slots, false).into()),
            ("conditions", self.todo_conditions(slots).into()),
        ];
        let heading = self.say(keys::TODOS_SOME, variables);
        let lines = todos.iter().take(SHOWN).map(|todo| self.line(todo));
        let mut text = listed(&heading, lines);
        if all > SHOWN as u64 {
            let more = self.say(keys::MORE, [("count", all - SHOWN as u64)]);
            text.push_str(&format!("\n{more}"));
        }
        text
    }

    /// No to-do passes.
    pub(crate) fn no_todos(&self, slots: &Slots, done: bool) -> String {
        let conditions = self.todo_conditions(slots);
        let variables = [
            ("status", status(slots, done)),
            ("conditions", conditions.as_str()),
        ];
        self.say(keys::TODOS_NONE, variables)
    }

    /// A to-do on one line.
    fn line(&self, todo: &Todo) -> String {
        let mut line = todo.title.clone();
        if let Some(when) = todo.due() {
            line.push(' ');
            line.push_str(&self.say(keys::LINE_DUE, [("due", self.due(when))]));
        }
        if todo.completed {
            line.push(' ');
            line.push_str(&self.word(keys::LINE_DONE));
        }
        line
    }

    /// Which of several is meant.
    pub(crate) fn which(&self, todos: &[&Todo]) -> String {
        let mut text = self.word(keys::WHICH_TODO);
        for todo in todos.iter().take(SHOWN) {
            text.push_str(&format!("\n- {}", self.line(todo)));
        }
        text
    }

    /// No to-do fits.
    pub(crate) fn no_match(&self, target: &str, done: bool) -> String {
        let status = if done { "completed" } else { "open" };
        self.say(keys::NO_MATCH, [("status", status), ("target", target)])
    }

    /// The conditions of a list, as words after "to-dos".
    fn todo_conditions(&self, slots: &Slots) -> String {
        let mut day = slots.due_date;
        let mut said: Vec<String> = Vec::new();
        for filter in &slots.filters {
            match (filter.field, filter.value.parse()) {
                (Field::Due, Ok(date)) => day = Some(date),
                _ => said.extend(self.todo_condition(filter)),
            }
        }
        if let Some(date) = day {
            said.push(self.say(keys::DUE_ON, [("day", self.due(Due::Date(date)))]));
        }
        said.iter().map(|part| format!(" {part}")).collect()
    }

    fn todo_condition(&self, filter: &Filter) -> Option<String> {
        let value = filter.value.as_str();
        Some(match filter.field {
            Field::Due => {
                let (from, to) = value.split_once('/').unwrap_or((value, value));
                self.say(keys::DUE_BETWEEN, [("from", from), ("to", to)])
            }
            Field::Priority => self.say(keys::WITH_PRIORITY, [("priority", value)]),
            Field::Assignee if value == "me" => self.word(keys::FOR_YOU),
            Field::Assignee if value == "none" => self.word(keys::FOR_NOBODY),
            Field::Assignee => self.say(keys::FOR_PERSON, [("name", value)]),
            Field::Text => self.say(keys::WITH_TEXT, [("text", value)]),
            _ => return None,
        })
    }
}

/// What is due first stands first; without a due time the newest, as the CRM gave them.
pub(crate) fn sort(todos: &mut [Todo], zone: Tz) {
    let day = |todo: &Todo| todo.due_day(zone).unwrap_or(NaiveDate::MAX);
    todos.sort_by_key(|todo| {
        let at = todo.due_at.unwrap_or(DateTime::<Utc>::MAX_UTC);
        (todo.completed, day(todo), at)
    });
}

/// Which to-dos are meant: `open`, `completed`, `overdue` or `all`.
fn status(slots: &Slots, done: bool) -> &str {
    let named = slots.filters.iter().rfind(|one| one.field == Field::Status);
    match named.map(|filter| filter.value.as_str()) {
        Some("done") => "completed",
        Some(value) => value,
        None if done => "completed",
        None => "open",
    }
}
