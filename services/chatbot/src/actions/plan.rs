//! From what was understood to what will be done: looks at the user's to-dos, finds the one that is meant, answers
//! questions at once and turns the rest into an action.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::{Action, Due, Target, policy};
use crate::crm::{CrmError, Session, Todo};
use crate::understand::target::{Resolution, resolve};
use crate::understand::{Field, Intent, Op, Slots, Understood};
use crate::wording;

/// What to do about a message.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Only answer.
    Say(String),
    /// Ask for what is missing, or which one is meant.
    Clarify(String),
    /// Nothing can be done.
    Nothing(String),
    /// Do it.
    Run(Action),
    /// Ask before doing it.
    Ask(Action),
}

/// Plans for one message of one user.
pub(crate) struct Planner<'a> {
    pub(crate) crm: &'a Session<'a>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: Tz,
}

/// An action, or what is missing for one.
type Decided = Result<Action, String>;

impl Planner<'_> {
    /// Decides what to do. Reads in the CRM, changes nothing.
    pub(crate) async fn plan(&self, understood: &Understood) -> Result<Plan, CrmError> {
        let slots = &understood.slots;
        let decided = match understood.intent {
            Intent::TodoList => return self.list(slots).await.map(Plan::Say),
            Intent::LeadCount => return self.count_leads().await.map(Plan::Say),
            Intent::Help => return Ok(Plan::Say(wording::HELP.to_owned())),
            Intent::Smalltalk => return Ok(Plan::Say(wording::GREETING.to_owned())),
            Intent::ConfirmYes | Intent::ConfirmNo | Intent::ConfirmUnsure => {
                return Ok(Plan::Nothing(wording::NOTHING_TO_CONFIRM.to_owned()));
            }
            Intent::TodoReopen
            | Intent::LeadCreate
            | Intent::LeadFind
            | Intent::LeadUpdate
            | Intent::DealMove
            | Intent::DealFind
            | Intent::DealSum
            | Intent::ContactFind
            | Intent::MetricsQuery
            | Intent::AgentRun
            | Intent::None => return Ok(Plan::Nothing(wording::UNKNOWN.to_owned())),
            Intent::TodoCreate => create(slots),
            Intent::TodoComplete => self
                .targets(slots)
                .await?
                .map(|todos| Action::CompleteTodos { todos }),
            Intent::TodoDelete | Intent::TodoBulkDelete => self
                .targets(slots)
                .await?
                .map(|todos| Action::DeleteTodos { todos }),
            Intent::TodoUpdate if slots.new_title.is_some() => self.rename(slots).await?,
            Intent::TodoUpdate => self.reschedule(slots).await?,
        };
        Ok(match decided {
            Err(missing) => Plan::Clarify(missing),
            Ok(action) if policy::asks_first(&action, understood) => Plan::Ask(action),
            Ok(action) => Plan::Run(action),
        })
    }

    async fn rename(&self, slots: &Slots) -> Result<Decided, CrmError> {
        let Some(new_title) = slots.new_title.clone() else {
            return Ok(Err(wording::NO_NEW_TITLE.to_owned()));
        };
        Ok(self
            .target(slots)
            .await?
            .map(|todo| Action::RenameTodo { todo, new_title }))
    }

    async fn reschedule(&self, slots: &Slots) -> Result<Decided, CrmError> {
        let Some(due) = due(slots) else {
            return Ok(Err(wording::NO_NEW_TIME.to_owned()));
        };
        Ok(self
            .target(slots)
            .await?
            .map(|todo| Action::RescheduleTodo { todo, due }))
    }

    /// All open to-dos, or the one that is meant.
    async fn targets(&self, slots: &Slots) -> Result<Result<Vec<Target>, String>, CrmError> {
        if !slots.all {
            return Ok(self.target(slots).await?.map(|one| vec![one]));
        }
        let todos = self.open().await?;
        if todos.is_empty() {
            return Ok(Err("You have no open to-dos.".to_owned()));
        }
        Ok(Ok(todos.iter().map(Todo::target).collect()))
    }

    /// The one open to-do that is meant.
    async fn target(&self, slots: &Slots) -> Result<Result<Target, String>, CrmError> {
        let Some(wanted) = slots.mention.as_deref() else {
            return Ok(Err("Which to-do do you mean?".to_owned()));
        };
        let todos = self.open().await?;
        let titles: Vec<&str> = todos.iter().map(|todo| todo.title.as_str()).collect();
        Ok(match resolve(wanted, &titles) {
            Resolution::One(at) => Ok(todos[at].target()),
            Resolution::Nothing => Err(wording::no_match(wanted)),
            Resolution::Ambiguous(some) => {
                let close: Vec<&Todo> = some.iter().map(|at| &todos[*at]).collect();
                Err(wording::which(&close, self.now, self.zone))
            }
        })
    }

    /// The open to-dos in the order in which lists show them.
    async fn open(&self) -> Result<Vec<Todo>, CrmError> {
        let mut todos = self.crm.todos(false).await?;
        todos.retain(|todo| todo.status != "cancelled");
        self.sort(&mut todos);
        Ok(todos)
    }

    /// What is due first stands first; without a due time the newest, as the CRM gave them.
    fn sort(&self, todos: &mut [Todo]) {
        let day = |todo: &Todo| todo.due_day(self.zone).unwrap_or(NaiveDate::MAX);
        todos.sort_by_key(|todo| (day(todo), todo.due_at.unwrap_or(DateTime::<Utc>::MAX_UTC)));
    }

    async fn list(&self, slots: &Slots) -> Result<String, CrmError> {
        let mut todos = match status(slots) {
            Some("completed") => self.crm.todos(true).await?,
            Some("all") => [self.open().await?, self.crm.todos(true).await?].concat(),
            _ => self.open().await?,
        };
        let on = slots
            .filters
            .iter()
            .find(|filter| filter.field == Field::Due && filter.op == Op::Is)
            .and_then(|filter| filter.value.parse::<NaiveDate>().ok());
        if let Some(on) = on {
            todos.retain(|todo| todo.due_day(self.zone) == Some(on));
        }
        if status(slots) == Some("overdue") {
            todos.retain(|todo| todo.is_overdue(self.now, self.zone));
        }
        let what = described(slots, on, self.now, self.zone);
        if todos.is_empty() {
            return Ok(format!("You have no {} to-dos{}.", what.0, what.1).replace("  ", " "));
        }
        let noun = if todos.len() == 1 { "to-do" } else { "to-dos" };
        let heading =
            format!("You have {} {} {noun}{}", todos.len(), what.0, what.1).replace("  ", " ");
        Ok(wording::list(&heading, &todos, self.now, self.zone))
    }

    async fn count_leads(&self) -> Result<String, CrmError> {
        let (count, more) = self.crm.count_leads().await?;
        let counted = wording::count(count, "lead");
        Ok(if more {
            format!("You have more than {counted}.")
        } else {
            format!("You have {counted}.")
        })
    }
}

/// Which to-dos are asked for by how far they are.
fn status(slots: &Slots) -> Option<&str> {
    let filter = slots
        .filters
        .iter()
        .find(|filter| filter.field == Field::Status);
    filter.map(|filter| filter.value.as_str())
}

fn create(slots: &Slots) -> Decided {
    let Some(title) = slots.title.clone() else {
        return Err(wording::NO_TITLE.to_owned());
    };
    Ok(Action::CreateTodo {
        title,
        due: due(slots),
    })
}

fn due(slots: &Slots) -> Option<Due> {
    slots.due_at.map(Due::At).or(slots.due_date.map(Due::Date))
}

/// The words before and after "to-dos" that say which ones.
fn described(
    slots: &Slots,
    on: Option<NaiveDate>,
    now: DateTime<Utc>,
    zone: Tz,
) -> (&'static str, String) {
    let kind = match status(slots) {
        Some("overdue") => "overdue",
        Some("completed") => "completed",
        Some("all") => "",
        _ => "open",
    };
    (
        kind,
        on.map(|date| format!(" for {}", wording::due(Due::Date(date), now, zone)))
            .unwrap_or_default(),
    )
}
