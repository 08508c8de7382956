//! Questions about records, as query plans: a type of record, conditions, an aggregate, a group, an order. A plan is checked
//! against the list of allowed fields and then run through the CRM's own API with the user's token. Never SQL.

pub(crate) mod answer;
pub(crate) mod call_today;
pub(crate) mod documents;
pub(crate) mod fields;
pub(crate) mod metrics;
pub(crate) mod money;
pub(crate) mod run;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::fields::{Field, Holds};
use crate::crm::Kind;
use crate::understand::instant;

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compare {
    /// Equal.
    Is,
    /// One of a list.
    In,
    /// Has this text in it.
    Contains,
    /// From this on, or that much or more.
    From,
    /// Up to this, or that much or less. Of days, the last one is included.
    UpTo,
    /// Before this.
    Before,
    /// Nothing is there.
    Empty,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Condition {
    pub(crate) field: String,
    pub(crate) compare: Compare,
    pub(crate) value: Value,
}

impl Condition {
    /// A condition.
    pub(crate) fn new(field: &str, compare: Compare, value: impl Into<Value>) -> Self {
        Self {
            field: field.to_owned(),
            compare,
            value: value.into(),
        }
    }
}

/// What is made of the records that pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Aggregate {
    /// The records.
    List,
    /// How many they are.
    Count,
    /// What they are worth together.
    Sum {
        /// An amount of money.
        field: String,
    },
}

/// A question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct QueryPlan {
    pub(crate) entity: Kind,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) aggregate: Aggregate,
    /// One answer for each value of this field.
    pub(crate) group: Option<String>,
    /// The name of a field, `-` before it for the other direction.
    pub(crate) sort: Vec<String>,
    pub(crate) limit: u16,
}

impl QueryPlan {
    /// All records of a type.
    pub(crate) const fn of(entity: Kind, aggregate: Aggregate) -> Self {
        Self {
            entity,
            conditions: Vec::new(),
            aggregate,
            group: None,
            sort: Vec::new(),
            limit: 20,
        }
    }

    /// Only those that pass this too.
    pub(crate) fn with(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Only those whose field is one of these words.
    pub(crate) fn one_of(self, field: &str, words: &[&str]) -> Self {
        self.with(Condition::new(field, Compare::In, json!(words)))
    }

    /// In this order.
    pub(crate) fn sorted(mut self, sort: &[&str]) -> Self {
        self.sort = sort.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Checks every part against the list of allowed fields.
    pub(crate) fn check(self) -> Result<Checked, NotAllowed> {
        let entity = self.entity;
        let allowed = |name: &str| {
            fields::find(entity, name).ok_or_else(|| NotAllowed::Field(name.to_owned()))
        };
        for condition in &self.conditions {
            let field = allowed(&condition.field)?;
            if !fits(field, condition) {
                return Err(NotAllowed::Condition(condition.field.clone()));
            }
        }
        for name in &self.sort {
            allowed(name.trim_start_matches('-'))?;
        }
        if let Aggregate::Sum { field } = &self.aggregate
            && allowed(field)?.holds != Holds::Money
        {
            return Err(NotAllowed::Sum(field.clone()));
        }
        if let Some(name) = &self.group
            && !matches!(allowed(name)?.holds, Holds::OneOf(_) | Holds::Id)
        {
            return Err(NotAllowed::Group(name.clone()));
        }
        Ok(Checked(self))
    }
}

/// Why a plan is not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAllowed {
    /// No such field may be looked at.
    #[error("the field {0} cannot be asked for")]
    Field(String),
    /// It cannot be compared like that.
    #[error("the field {0} cannot be compared like that")]
    Condition(String),
    /// It is no amount.
    #[error("the field {0} cannot be summed")]
    Sum(String),
    /// It has too many values.
    #[error("the field {0} cannot be grouped by")]
    Group(String),
}

fn fits(field: Field, condition: &Condition) -> bool {
    use Compare::{Before, Contains, Empty, From, In, Is, UpTo};
    let value = &condition.value;
    let texts = || {
        value
            .as_array()
            .is_some_and(|all| all.iter().all(Value::is_string))
    };
    let is_day = || {
        value
            .as_str()
            .is_some_and(|day| day.parse::<NaiveDate>().is_ok())
    };
    let known = |word: &Value, words: &[&str]| word.as_str().is_some_and(|w| words.contains(&w));
    match (field.holds, condition.compare) {
        (Holds::OneOf(words), Is) => known(value, words),
        (Holds::OneOf(words), In) => {
            texts()
                && value
                    .as_array()
                    .is_some_and(|all| all.iter().all(|w| known(w, words)))
        }
        (Holds::Text, Is | Contains) => value.is_string(),
        (Holds::Due, Before) => is_day() || moment(value).is_some(),
        (Holds::Time | Holds::Due, Is | From | UpTo | Before) => is_day(),
        (Holds::Money, From | UpTo) => value
            .as_str()
            .is_some_and(|amount| money::parse(amount).is_some()),
        (Holds::Number, From | UpTo) => value.is_i64(),
        (Holds::Id, Is) => value.is_string(),
        (Holds::Id, In) => texts(),
        (Holds::Id | Holds::Due | Holds::Time, Empty) => value.is_boolean(),
        _ => false,
    }
}

fn moment(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

/// A plan that was checked: the only kind that is run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked(QueryPlan);

impl Checked {
    /// The plan.
    pub(crate) const fn plan(&self) -> &QueryPlan {
        &self.0
    }

    /// The body for the CRM's `POST /api/<records>/query`: days are days where the user lives.
    pub(crate) fn body(&self, zone: Tz) -> Value {
        let plan = &self.0;
        let all: Vec<Value> = plan
            .conditions
            .iter()
            .map(|one| filter(one, plan.entity, zone))
            .collect();
        json!({ "filter": { "all": all }, "count": "exact", "limit": plan.limit, "sort": plan.sort })
    }
}

/// A condition as the CRM's filter.
fn filter(condition: &Condition, kind: Kind, zone: Tz) -> Value {
    let Condition {
        field,
        compare,
        value,
    } = condition;
    let holds = fields::find(kind, field).map(|field| field.holds);
    let day = value.as_str().and_then(|day| day.parse::<NaiveDate>().ok());
    match (holds, day) {
        (Some(Holds::Due), Some(day)) => {
            let parts = [("due_at", true), ("due_date", false)];
            json!({ "any": parts.map(|(field, clock)| time(field, *compare, day, clock.then_some(zone))) })
        }
        (Some(Holds::Due), None) if moment(value).is_some() => {
            let today = moment(value).map(|at| at.with_timezone(&zone).date_naive());
            let at = test("due_at", operator(*compare), value);
            json!({ "any": [at, test("due_date", operator(*compare), &json!(today))] })
        }
        (Some(Holds::Due), None) => {
            let parts = ["due_at", "due_date"].map(|field| test(field, "is_null", value));
            json!({ "all": parts })
        }
        (Some(Holds::Time), Some(day)) => {
            let clock = field.ends_with("_at").then_some(zone);
            time(field, *compare, day, clock)
        }
        _ => test(field, operator(*compare), value),
    }
}

const fn operator(compare: Compare) -> &'static str {
    match compare {
        Compare::Is => "eq",
        Compare::In => "in",
        Compare::Contains => "contains",
        Compare::From => "gte",
        Compare::UpTo => "lte",
        Compare::Before => "lt",
        Compare::Empty => "is_null",
    }
}

fn test(field: &str, op: &str, value: &Value) -> Value {
    json!({ "field": field, "op": op, "value": value })
}

/// A condition on a day, or on the instants of that day in a time zone.
fn time(field: &str, compare: Compare, day: NaiveDate, clock: Option<Tz>) -> Value {
    let Some(zone) = clock else {
        return test(field, operator(compare), &json!(day));
    };
    let start = begin(day, zone);
    let end = day.succ_opt().map_or(start, |next| begin(next, zone));
    let from = test(field, "gte", &json!(start));
    let until = test(field, "lt", &json!(end));
    match compare {
        Compare::From => from,
        Compare::UpTo => until,
        Compare::Before => test(field, "lt", &json!(start)),
        _ => json!({ "all": [from, until] }),
    }
}

fn begin(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    instant(day.and_time(chrono::NaiveTime::MIN), zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(field: &str, compare: Compare, value: impl Into<Value>) -> QueryPlan {
        QueryPlan::of(Kind::Lead, Aggregate::Count).with(Condition::new(field, compare, value))
    }

    #[test]
    fn only_listed_fields_with_fitting_values_are_asked_for() {
        assert!(plan("status", Compare::Is, "new").check().is_ok());
        assert_eq!(
            plan("status", Compare::Is, "new' OR 1=1 --").check(),
            Err(NotAllowed::Condition("status".into()))
        );
        assert_eq!(
            plan("password_hash", Compare::Is, "x").check(),
            Err(NotAllowed::Field("password_hash".into()))
        );
        assert_eq!(
            plan("score", Compare::Contains, "9").check(),
            Err(NotAllowed::Condition("score".into()))
        );
        let sorted = QueryPlan::of(Kind::Lead, Aggregate::List).sorted(&["-tenant_id"]);
        assert_eq!(sorted.check(), Err(NotAllowed::Field("tenant_id".into())));
    }

    #[test]
    fn only_money_is_summed_and_only_short_lists_are_grouped_by() {
        let sum = |field: &str| {
            QueryPlan::of(
                Kind::Deal,
                Aggregate::Sum {
                    field: field.into(),
                },
            )
        };
        assert!(sum("amount").check().is_ok());
        assert_eq!(sum("name").check(), Err(NotAllowed::Sum("name".into())));
        let by_name = QueryPlan {
            group: Some("name".into()),
            ..sum("amount")
        };
        assert_eq!(by_name.check(), Err(NotAllowed::Group("name".into())));
    }

    #[test]
    fn a_day_is_the_day_where_the_user_lives() {
        let due = QueryPlan::of(Kind::Todo, Aggregate::List).with(Condition::new(
            "due",
            Compare::Is,
            "2026-03-03",
        ));
        let body = due.check().unwrap().body(chrono_tz::America::New_York);
        assert_eq!(
            body["filter"]["all"][0]["any"],
            json!([
                { "all": [
                    { "field": "due_at", "op": "gte", "value": "2026-03-03T05:00:00Z" },
                    { "field": "due_at", "op": "lt", "value": "2026-03-04T05:00:00Z" },
                ] },
                { "field": "due_date", "op": "eq", "value": "2026-03-03" },
            ])
        );
    }
}
