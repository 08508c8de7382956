//! Actions, as they are asked about and as they are told when they are done.

use fluent_bundle::FluentValue;
use serde_json::{Map, Value};

use super::{NAMED, Voice, keys, quoted};
use crate::actions::{Action, Target, TodoFields};
use keys::Key;

/// How an action is asked about and how it is told.
struct Sentences {
    ask: Key,
    done: Key,
}

const fn sentences(action: &Action) -> Sentences {
    let (ask, done) = match action {
        Action::CreateTodo { .. } => (keys::ASK_TODO_CREATE, keys::DONE_TODO_CREATE),
        Action::CompleteTodos { .. } => (keys::ASK_TODO_COMPLETE, keys::DONE_TODO_COMPLETE),
        Action::ReopenTodos { .. } => (keys::ASK_TODO_REOPEN, keys::DONE_TODO_REOPEN),
        Action::UpdateTodos { .. } => (keys::ASK_TODO_UPDATE, keys::DONE_TODO_UPDATE),
        Action::DeleteTodos { .. } => (keys::ASK_TODO_DELETE, keys::DONE_TODO_DELETE),
        Action::CreateLead { .. } => (keys::ASK_LEAD_CREATE, keys::DONE_LEAD_CREATE),
        Action::UpdateLead { .. } => (keys::ASK_LEAD_UPDATE, keys::DONE_LEAD_UPDATE),
        Action::MoveDeal { .. } => (keys::ASK_DEAL_MOVE, keys::DONE_DEAL_MOVE),
        Action::RunAgent { .. } => (keys::ASK_AGENT_RUN, keys::DONE_AGENT_RUN),
    };
    Sentences { ask, done }
}

impl Voice {
    /// The action as a question's subject: "Delete the to-do \"call Ada\"".
    pub(crate) fn summary(&self, action: &Action) -> String {
        self.told(sentences(action).ask, action)
    }

    /// What happened.
    pub(crate) fn done(&self, action: &Action) -> String {
        match action {
            Action::UpdateTodos { todos, change } if todos.len() == 1 => {
                self.updated(&todos[0].title, change)
            }
            action => self.told(sentences(action).done, action),
        }
    }

    /// A sentence about an action, with what its kind of action has.
    fn told(&self, key: Key, action: &Action) -> String {
        match action {
            Action::CreateTodo { fields } => self.say(key, [("todo", self.with_title(fields))]),
            Action::CompleteTodos { todos }
            | Action::ReopenTodos { todos }
            | Action::DeleteTodos { todos } => self.say(key, [("todos", self.named(todos))]),
            Action::UpdateTodos { todos, change } => {
                let variables = [
                    ("todos", self.named(todos)),
                    ("changes", self.changes(change)),
                ];
                self.say(key, variables)
            }
            Action::CreateLead { name, .. } => self.say(key, [("title", name)]),
            Action::UpdateLead { lead, change } => {
                let variables = [("title", lead.title.clone()), ("changes", values(change))];
                self.say(key, variables)
            }
            Action::MoveDeal { deal, stage } => {
                self.say(key, [("title", &deal.title), ("stage", &stage.name)])
            }
            Action::RunAgent { agent, .. } => self.say(key, [("agent", agent)]),
        }
    }

    fn with_title(&self, fields: &TodoFields) -> String {
        let title = format!("\"{}\"", fields.title.as_deref().unwrap_or_default());
        let rest = TodoFields {
            title: None,
            ..fields.clone()
        };
        match self.changes(&rest) {
            rest if rest.is_empty() => title,
            rest => format!("{title}, {rest}"),
        }
    }

    /// "title \"call Grace\", due tomorrow, high priority".
    fn changes(&self, change: &TodoFields) -> String {
        let mut parts = Vec::new();
        if let Some(title) = &change.title {
            parts.push(self.say(keys::CHANGE_TITLE, [("title", title)]));
        }
        if let Some(when) = change.due {
            parts.push(self.say(keys::CHANGE_DUE, [("due", self.due(when))]));
        }
        if let Some(rule) = &change.recurrence {
            parts.push(self.say(keys::CHANGE_RECURRENCE, [("rule", rule)]));
        }
        if let Some(priority) = &change.priority {
            parts.push(self.say(keys::CHANGE_PRIORITY, [("priority", priority)]));
        }
        if let Some(member) = &change.assignee {
            parts.push(self.say(keys::CHANGE_ASSIGNEE, [("name", &member.name)]));
        }
        parts.join(", ")
    }

    fn named(&self, todos: &[Target]) -> String {
        let titles: Vec<&str> = todos.iter().map(|todo| todo.title.as_str()).collect();
        if let [title] = titles.as_slice() {
            return self.say(keys::ONE_TODO, [("title", *title)]);
        }
        let more = if titles.len() > NAMED { ", ..." } else { "" };
        let variables: [(_, FluentValue<'_>); 2] = [
            ("count", titles.len().into()),
            ("titles", format!("{}{more}", quoted(&titles)).into()),
        ];
        self.say(keys::MANY_TODOS, variables)
    }

    /// What happened to one to-do.
    fn updated(&self, title: &str, change: &TodoFields) -> String {
        let only_title = TodoFields {
            title: change.title.clone(),
            ..TodoFields::default()
        };
        let only_due = TodoFields {
            due: change.due,
            ..TodoFields::default()
        };
        match (&change.title, change.due) {
            (Some(new), _) if *change == only_title => {
                self.say(keys::DONE_TODO_RENAMED, [("title", title), ("new", new)])
            }
            (_, Some(when)) if *change == only_due => {
                let variables = [("title", title.to_owned()), ("due", self.due(when))];
                self.say(keys::DONE_TODO_MOVED, variables)
            }
            _ => {
                let variables = [
                    ("title", title.to_owned()),
                    ("changes", self.changes(change)),
                ];
                self.say(keys::DONE_TODO_CHANGED, variables)
            }
        }
    }
}

fn values(change: &Map<String, Value>) -> String {
    let parts = change.iter().map(|(name, value)| {
        let value = value.as_str().unwrap_or_default();
        format!("{} {value}", name.replace('_', " "))
    });
    parts.collect::<Vec<_>>().join(", ")
}
