//! Lists of to-dos, as query plans.

use chrono::NaiveDate;
use serde_json::json;

use super::{Answer, Planner};
use crate::crm::{Kind, Todo};
use crate::failure::Failure;
use crate::queries::fields::{TODO_OPEN, TODO_STATES};
use crate::queries::{Aggregate, Compare, Condition, QueryPlan, run};
use crate::understand::{Field, Filter, Op, Slots};
use crate::wording;

impl Planner<'_> {
    pub(super) async fn list_todos(&self, slots: &Slots) -> Result<Answer, Failure> {
        let plan = match self.todo_plan(slots, false).await? {
            Ok(plan) => plan,
            Err(missing) => return Ok(missing),
        };
        let plan = QueryPlan { limit: 100, ..plan };
        let found = run::list::<Todo>(plan, self.crm, self.voice.zone).await?;
        let (mut todos, count) = (found.items, found.count);
        wording::sort(&mut todos, self.voice.zone);
        let text = self.voice.todos(slots, &todos, count);
        let links = todos.iter().take(wording::SHOWN).map(Todo::link).collect();
        Ok(Answer::say(text)
            .with_links(links)
            .cited("crm", "/api/todos/query"))
    }

    /// The plan of a list; of open to-dos when nothing else is said, or of done ones when those are meant.
    pub(super) async fn todo_plan(
        &self,
        slots: &Slots,
        done: bool,
    ) -> Result<Result<QueryPlan, Answer>, Failure> {
        let mut plan = QueryPlan::of(Kind::Todo, Aggregate::List);
        let said = |field| slots.filters.iter().any(|filter| filter.field == field);
        if !said(Field::Status) {
            plan = plan.one_of("status", if done { &["done"] } else { TODO_OPEN });
        }
        if let (Some(day), false) = (slots.due_date, said(Field::Due)) {
            plan = plan.with(Condition::new("due", Compare::Is, json!(day)));
        }
        for filter in &slots.filters {
            plan = match self.todo_filter(plan, filter).await? {
                Ok(plan) => plan,
                Err(missing) => return Ok(Err(missing)),
            };
        }
        Ok(Ok(plan))
    }

    async fn todo_filter(
        &self,
        plan: QueryPlan,
        filter: &Filter,
    ) -> Result<Result<QueryPlan, Answer>, Failure> {
        let value = filter.value.as_str();
        Ok(Ok(match filter.field {
            Field::Status => self.todo_status(plan, value),
            Field::Due => between(plan, "due", filter),
            Field::Created => between(plan, "created_at", filter),
            Field::Priority => plan.with(Condition::new("priority", Compare::Is, value)),
            Field::Text => plan.with(Condition::new("title", Compare::Contains, value)),
            Field::Assignee if value == "none" => {
                plan.with(Condition::new("owner_id", Compare::Empty, true))
            }
            Field::Assignee => match self.person(value).await? {
                Ok(member) => plan.with(Condition::new("owner_id", Compare::Is, json!(member.id))),
                Err(missing) => return Ok(Err(missing)),
            },
            Field::Stage | Field::Amount | Field::Company | Field::Source => plan,
        }))
    }

    fn todo_status(&self, plan: QueryPlan, value: &str) -> QueryPlan {
        match value {
            "completed" | "done" => plan.one_of("status", &["done"]),
            "all" => plan.one_of("status", TODO_STATES),
            "overdue" => plan.one_of("status", TODO_OPEN).with(Condition::new(
                "due",
                Compare::Before,
                json!(self.voice.now),
            )),
            _ => plan.one_of("status", TODO_OPEN),
        }
    }
}

/// The days that a filter says: one, or from one to another.
pub(super) fn between(plan: QueryPlan, field: &str, filter: &Filter) -> QueryPlan {
    let (from, to) = filter
        .value
        .split_once('/')
        .unwrap_or((&filter.value, &filter.value));
    let day = |text: &str| text.get(..10).unwrap_or(text).to_owned();
    let next = |text: &str| {
        let day: Option<NaiveDate> = day(text).parse().ok();
        day.and_then(|day| day.succ_opt())
            .map_or_else(|| text.to_owned(), |day| day.to_string())
    };
    let condition = |compare, text: &str| Condition::new(field, compare, day(text));
    match filter.op {
        Op::Before => plan.with(condition(Compare::Before, from)),
        Op::After => plan.with(condition(Compare::From, &next(to))),
        Op::AtLeast => plan.with(condition(Compare::From, from)),
        Op::AtMost => plan.with(condition(Compare::UpTo, to)),
        Op::Is | Op::Contains | Op::Between => plan
            .with(condition(Compare::From, from))
            .with(condition(Compare::UpTo, to)),
    }
}
