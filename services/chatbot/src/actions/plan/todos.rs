//! Actions on to-dos.

use serde_json::json;

use super::{Answer, Decided, Planner};
use crate::actions::{Action, Due, Target, TodoFields};
use crate::crm::{CrmError, Kind, Todo};
use crate::failure::Failure;
use crate::queries::QueryPlan;
use crate::understand::target::{Resolution, resolve};
use crate::understand::{Field, Slots};
use crate::wording::{self, keys};

/// The most to-dos that one action reaches.
const MOST: usize = 500;

impl Planner<'_> {
    pub(super) async fn create_todo(&self, slots: &Slots) -> Result<Decided, Failure> {
        let Some(title) = slots.title.clone() else {
            return Ok(Err(Answer::ask(self.voice.word(keys::NO_TITLE))));
        };
        let fields = self.fields(slots).await?;
        Ok(fields.map(|fields| Action::CreateTodo {
            fields: TodoFields {
                title: Some(title),
                ..fields
            },
        }))
    }

    pub(super) async fn complete(&self, slots: &mut Slots) -> Result<Decided, Failure> {
        let todos = self.targets(slots, false).await?;
        Ok(todos.map(|todos| Action::CompleteTodos { todos }))
    }

    pub(super) async fn reopen(&self, slots: &mut Slots) -> Result<Decided, Failure> {
        let todos = self.targets(slots, true).await?;
        Ok(todos.map(|todos| Action::ReopenTodos { todos }))
    }

    pub(super) async fn delete(&self, slots: &mut Slots) -> Result<Decided, Failure> {
        let done = slots.filters.iter().any(|filter| {
            filter.field == Field::Status && matches!(filter.value.as_str(), "completed" | "done")
        });
        let todos = self.targets(slots, done).await?;
        Ok(todos.map(|todos| Action::DeleteTodos { todos }))
    }

    pub(super) async fn update(&self, slots: &mut Slots) -> Result<Decided, Failure> {
        let change = match self.fields(slots).await? {
            Ok(fields) => TodoFields {
                title: slots.new_title.clone(),
                ..fields
            },
            Err(missing) => return Ok(Err(missing)),
        };
        if change == TodoFields::default() {
            return Ok(Err(Answer::ask(self.voice.word(keys::NO_CHANGE))));
        }
        let todos = self.targets(slots, false).await?;
        Ok(todos.map(|todos| Action::UpdateTodos { todos, change }))
    }

    /// What a to-do gets besides its title.
    async fn fields(&self, slots: &Slots) -> Result<Result<TodoFields, Answer>, Failure> {
        let assignee = match slots.assignee.as_deref() {
            None => None,
            Some(said) => match self.person(said).await? {
                Ok(member) => Some(member),
                Err(missing) => return Ok(Err(missing)),
            },
        };
        let recurrence = slots.recurrence.clone();
        Ok(Ok(TodoFields {
            title: None,
            due: due(slots),
            priority: slots.priority.map(|priority| priority.name().to_owned()),
            time_zone: recurrence
                .as_ref()
                .map(|_| self.voice.zone.name().to_owned()),
            recurrence,
            assignee,
        }))
    }

    /// The to-dos that are meant: all that fit, or one.
    async fn targets(
        &self,
        slots: &mut Slots,
        done: bool,
    ) -> Result<Result<Vec<Target>, Answer>, Failure> {
        if !slots.all {
            let one = self.target(slots, done).await?;
            return Ok(one.map(|one| vec![one]));
        }
        let plan = match self.todo_plan(slots, done).await? {
            Ok(plan) => plan,
            Err(missing) => return Ok(Err(missing)),
        };
        let todos = match self.every(plan).await? {
            Ok(todos) => todos,
            Err(missing) => return Ok(Err(missing)),
        };
        if todos.is_empty() {
            return Ok(Err(Answer::nothing(self.voice.no_todos(slots, done))));
        }
        Ok(Ok(todos.iter().map(Todo::target).collect()))
    }

    /// All to-dos that pass, when they are not too many for one action.
    async fn every(&self, plan: QueryPlan) -> Result<Result<Vec<Todo>, Answer>, Failure> {
        let plan = QueryPlan { limit: 100, ..plan };
        let checked = plan.check().map_err(CrmError::from)?;
        let mut body = checked.body(self.voice.zone);
        let mut all = Vec::new();
        loop {
            let page: crate::crm::Listed<Todo> = self.crm.query(Kind::Todo, &body).await?;
            all.extend(page.items);
            if page.count.is_some_and(|count| count > MOST as u64) {
                let text = self.voice.say(keys::TOO_MANY, [("most", MOST)]);
                return Ok(Err(Answer::ask(text)));
            }
            let Some(cursor) = page.next_cursor else {
                break;
            };
            body["cursor"] = json!(cursor);
        }
        Ok(Ok(all))
    }

    /// The one to-do that is meant.
    async fn target(
        &self,
        slots: &mut Slots,
        done: bool,
    ) -> Result<Result<Target, Answer>, Failure> {
        let Some(wanted) = slots.mention.clone().or_else(|| slots.target.clone()) else {
            return Ok(Err(Answer::ask(self.voice.word(keys::NO_TARGET))));
        };
        slots.target = None;
        let todos = self.known(done).await?;
        let titles: Vec<&str> = todos.iter().map(|todo| todo.title.as_str()).collect();
        Ok(match resolve(&wanted, &titles) {
            Resolution::One(at) => {
                slots.target = Some(todos[at].title.clone());
                Ok(todos[at].target())
            }
            Resolution::Nothing => Err(Answer::ask(self.voice.no_match(&wanted, done))),
            Resolution::Ambiguous(some) => {
                let close: Vec<&Todo> = some.iter().map(|at| &todos[*at]).collect();
                let links = close.iter().map(|todo| todo.link()).collect();
                Err(Answer::ask(self.voice.which(&close)).with_links(links))
            }
        })
    }

    /// The to-dos among which one is looked for, in the order in which lists show them.
    async fn known(&self, done: bool) -> Result<Vec<Todo>, Failure> {
        let mut todos = self.crm.todos(done).await?;
        todos.retain(|todo| todo.status != "cancelled");
        if !done {
            wording::sort(&mut todos, self.voice.zone);
        }
        Ok(todos)
    }
}

fn due(slots: &Slots) -> Option<Due> {
    slots.due_at.map(Due::At).or(slots.due_date.map(Due::Date))
}
