//! Filters as conditions. Values become parameters of the field's own type; a value that is none is a fault.

use bz_http::Errors;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::{Context, Filter, MAX_DEPTH, MAX_TESTS, MAX_VALUES, Op, Test};
use crate::{
    normal,
    records::{Kind, sql::Sql},
};

/// Makes the normalised form of a value.
type Form = fn(&str) -> Option<String>;

/// Fields that are compared in a normalised form, which has a column and an index of its own.
const NORMAL: [(&str, &str, Form); 3] = [
    ("email", "email_norm", normal::email),
    ("phone", "phone_norm", normal::phone),
    ("domain", "domain", normal::domain),
];

/// Writes a filter into a statement and collects what is wrong with it.
pub(super) struct Writer<'a, 'e> {
    pub context: Context<'a>,
    pub sql: &'e mut Sql,
    pub errors: &'e mut Errors,
    pub tests: usize,
}

/// A value, in the type of its column.
pub(super) enum Typed {
    Text(String),
    Integer(i64),
    Number(f64),
    Amount(Decimal),
    Boolean(bool),
    Date(NaiveDate),
    Instant(DateTime<Utc>),
    Id(Uuid),
}

impl Writer<'_, '_> {
    pub(super) fn filter(&mut self, filter: &Filter, pointer: &str, depth: usize) {
        if depth > MAX_DEPTH {
            let text = format!("must not be nested deeper than {MAX_DEPTH}");
            return self.fault(pointer, "too_deep", text);
        }
        match filter {
            Filter::All(list) => {
                self.joined(&list.all, " AND ", "true", &format!("{pointer}/all"), depth);
            }
            Filter::Any(list) => {
                self.joined(&list.any, " OR ", "false", &format!("{pointer}/any"), depth);
            }
            Filter::Not(not) => {
                // A test on an empty field is neither true nor false: what is not true passes here.
                self.sql.push("(");
                self.filter(&not.not, &format!("{pointer}/not"), depth + 1);
                self.sql.push(") IS NOT TRUE");
            }
            Filter::Test(test) => self.test(test, pointer),
        }
    }

    fn joined(&mut self, list: &[Filter], join: &str, empty: &str, pointer: &str, depth: usize) {
        if list.is_empty() {
            self.sql.push(empty);
            return;
        }
        self.sql.push("(");
        for (n, filter) in list.iter().enumerate() {
            if n > 0 {
                self.sql.push(join);
            }
            self.filter(filter, &format!("{pointer}/{n}"), depth + 1);
        }
        self.sql.push(")");
    }

    fn test(&mut self, test: &Test, pointer: &str) {
        self.tests += 1;
        if self.tests > MAX_TESTS {
            let text = format!("must have at most {MAX_TESTS} tests");
            return self.fault(pointer, "too_many", text);
        }
        let name = test.field.as_str();
        if name == "tags" || name == "tag" {
            return self.tags(test, pointer);
        }
        if let Some(key) = name.strip_prefix("custom.") {
            return self.custom(key, test, pointer);
        }
        match self.context.record.field(name) {
            Some(field) => match field.kind {
                Kind::Texts | Kind::Json => {
                    self.fault(
                        pointer,
                        "not_filterable",
                        format!("{name} cannot be filtered by"),
                    );
                }
                kind => self.column(name, kind, test, pointer),
            },
            None => self.fault(
                pointer,
                "unknown_field",
                format!("{} have no field {name}", self.context.record.plural),
            ),
        }
    }

    pub(super) fn column(&mut self, name: &str, kind: Kind, test: &Test, pointer: &str) {
        let normal = NORMAL.iter().find(|(field, ..)| *field == name);
        let has_column =
            |column: &str| column == "domain" || kind == Kind::Text && column.ends_with("_norm");
        match (test.op, normal.filter(|(_, column, _)| has_column(column))) {
            (Op::Eq | Op::Ne | Op::In | Op::Nin, Some((_, column, form))) => {
                let values = self.values(test, pointer, &|text: &str| {
                    Ok(Typed::Text(form(text).unwrap_or_default()))
                });
                self.compare(column, test.op, values);
            }
            (Op::Like | Op::Contains, _) => self.part(name, kind, test, pointer),
            (Op::IsNull, _) => self.is_null(name, test, pointer),
            (Op::Any | Op::All, _) => self.fault(
                pointer,
                "unknown_operator",
                "any and all are for tags".to_owned(),
            ),
            (op, _) => {
                if let Kind::Boolean | Kind::Id | Kind::Choice(_) = kind
                    && matches!(op, Op::Gt | Op::Gte | Op::Lt | Op::Lte)
                {
                    return self.fault(pointer, "unknown_operator", format!("{name} has no order"));
                }
                let me = self.context.me.as_uuid();
                let values = self.values(test, pointer, &|text: &str| typed(kind, text, me));
                self.compare(name, op, values);
            }
        }
    }

    fn compare(&mut self, column: &str, op: Op, mut values: Vec<Typed>) {
        match op {
            Op::In | Op::Nin => {
                self.sql.push("(").push(column).push(" IN (");
                for (n, value) in values.into_iter().enumerate() {
                    if n > 0 {
                        self.sql.push(", ");
                    }
                    self.bind(value);
                }
                self.sql
                    .push(if op == Op::In { "))" } else { ")) IS NOT TRUE" });
            }
            _ => {
                let Some(value) = values.pop() else { return };
                let sign = match op {
                    Op::Ne => " IS DISTINCT FROM ",
                    Op::Gt => " > ",
                    Op::Gte => " >= ",
                    Op::Lt => " < ",
                    Op::Lte => " <= ",
                    _ => " = ",
                };
                self.sql.push(column).push(sign);
                self.bind(value);
            }
        }
    }

    fn part(&mut self, name: &str, kind: Kind, test: &Test, pointer: &str) {
        if kind != Kind::Text {
            return self.fault(pointer, "unknown_operator", format!("{name} is no text"));
        }
        let Some(text) = self.text(test, pointer) else {
            return;
        };
        if test.op == Op::Like {
            self.sql.push("starts_with(lower(").push(name).push("), ");
        } else {
            self.sql.push("(strpos(lower(").push(name).push("), ");
        }
        self.sql.bind(text.to_lowercase());
        self.sql
            .push(if test.op == Op::Like { ")" } else { ") > 0)" });
    }

    fn is_null(&mut self, column: &str, test: &Test, pointer: &str) {
        match flag(&test.value) {
            Some(true) => drop(self.sql.push(column).push(" IS NULL")),
            Some(false) => drop(self.sql.push(column).push(" IS NOT NULL")),
            None => self.fault(pointer, "invalid_value", "must be true or false".to_owned()),
        }
    }

    /// The values of a test, one for all operators but those that take a list.
    pub(super) fn values(
        &mut self,
        test: &Test,
        pointer: &str,
        read: &dyn Fn(&str) -> Result<Typed, String>,
    ) -> Vec<Typed> {
        let list = match (&test.value, test.op) {
            (Value::Array(list), Op::In | Op::Nin | Op::Any | Op::All) => list.as_slice(),
            (value, _) => std::slice::from_ref(value),
        };
        if list.is_empty() || list.len() > MAX_VALUES {
            self.fault(
                pointer,
                "invalid_value",
                format!("must be 1 to {MAX_VALUES} values"),
            );
            return Vec::new();
        }
        let mut values = Vec::with_capacity(list.len());
        for value in list {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                Value::Bool(yes) => yes.to_string(),
                _ => {
                    self.fault(
                        pointer,
                        "invalid_value",
                        "must be a text, a number, true or false".to_owned(),
                    );
                    continue;
                }
            };
            match read(&text) {
                Ok(value) => values.push(value),
                Err(wanted) => self.fault(pointer, "invalid_value", wanted),
            }
        }
        values
    }

    fn text<'t>(&mut self, test: &'t Test, pointer: &str) -> Option<&'t str> {
        let text = test.value.as_str().filter(|text| !text.is_empty());
        if text.is_none() {
            self.fault(pointer, "invalid_value", "must be a text".to_owned());
        }
        text
    }

    fn bind(&mut self, value: Typed) {
        match value {
            Typed::Text(value) => self.sql.bind(value),
            Typed::Integer(value) => self.sql.bind(value),
            Typed::Number(value) => self.sql.bind(value),
            Typed::Amount(value) => self.sql.bind(value),
            Typed::Boolean(value) => self.sql.bind(value),
            Typed::Date(value) => self.sql.bind(value),
            Typed::Instant(value) => self.sql.bind(value),
            Typed::Id(value) => self.sql.bind(value),
        };
    }

    pub(super) fn fault(&mut self, pointer: &str, code: &'static str, message: String) {
        self.errors.add(format!("{pointer}/value"), code, message);
    }
}

pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn typed(kind: Kind, text: &str, me: Uuid) -> Result<Typed, String> {
    let wanted = |what: &str| format!("must be {what}");
    match kind {
        Kind::Choice(texts) if !texts.contains(&text) => {
            Err(format!("must be one of: {}", texts.join(", ")))
        }
        Kind::Integer => text
            .parse()
            .map(Typed::Integer)
            .map_err(|_| wanted("a whole number")),
        Kind::Number => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Typed::Number(number)),
            _ => Err(wanted("a number")),
        },
        Kind::Money => text
            .parse()
            .map(Typed::Amount)
            .map_err(|_| wanted("an amount such as 1234.50")),
        Kind::Boolean => text
            .parse()
            .map(Typed::Boolean)
            .map_err(|_| wanted("true or false")),
        Kind::Date => text
            .parse()
            .map(Typed::Date)
            .map_err(|_| wanted("a day such as 2026-05-31")),
        Kind::Instant => instant(text)
            .map(Typed::Instant)
            .ok_or_else(|| wanted("a time such as 2026-05-31T09:30:00Z, or a day")),
        Kind::Id if text == "me" => Ok(Typed::Id(me)),
        Kind::Id => text.parse().map(Typed::Id).map_err(|_| wanted("an id")),
        Kind::Text | Kind::Choice(_) | Kind::Texts | Kind::Json => Ok(Typed::Text(text.to_owned())),
    }
}

/// A time, or a day's beginning in UTC.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    let day: NaiveDate = text.parse().ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}
