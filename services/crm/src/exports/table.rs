//! Records as rows of a table.

use bz_http::Problem;
use bz_tabular::Cell;
use serde_json::{Map, Value};

use crate::records::{Kind, Record, RecordType, custom::Definition};

/// A column: where its value is in the record's JSON.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// Its heading.
    pub name: String,
    field: String,
    /// A member of the field, when it is an object.
    member: Option<String>,
    number: bool,
}

/// The column of a field.
pub(super) fn column(
    name: &str,
    record: &'static RecordType,
    custom: &[Definition],
) -> Option<Column> {
    let made = |field: &str, member: Option<&str>, number| {
        Some(Column {
            name: name.to_owned(),
            field: field.to_owned(),
            member: member.map(ToOwned::to_owned),
            number,
        })
    };
    if let Some(key) = name.strip_prefix("custom.") {
        let mut own = custom
            .iter()
            .filter(|field| field.record_type == record.name);
        let field = own.find(|field| field.key == key)?;
        return made("custom", Some(key), field.kind == "number");
    }
    if name == "tags" {
        return made(name, None, false);
    }
    if let Some(amount) = name.strip_suffix("_currency")
        && record
            .field(amount)
            .is_some_and(|field| field.kind == Kind::Money)
    {
        return made(amount, Some("currency"), false);
    }
    match record.field(name)?.kind {
        Kind::Money => made(name, Some("amount"), true),
        Kind::Integer | Kind::Number => made(name, None, true),
        _ => made(name, None, false),
    }
}

/// All columns of a type.
pub(super) fn all(record: &'static RecordType, custom: &[Definition]) -> Vec<Column> {
    let first = ["id".to_owned()].into_iter();
    let fields = record
        .fields
        .iter()
        .filter(|field| field.name != "id")
        .flat_map(|field| {
            let currency = (field.kind == Kind::Money).then(|| format!("{}_currency", field.name));
            [Some(field.name.to_owned()), currency]
                .into_iter()
                .flatten()
        });
    let own = custom
        .iter()
        .filter(|field| field.record_type == record.name);
    let own = own.map(|field| format!("custom.{}", field.key));
    let names = first.chain(fields).chain(["tags".to_owned()]).chain(own);
    names
        .filter_map(|name| column(&name, record, custom))
        .collect()
}

/// A record as JSON.
pub(super) fn object<R: Record>(record: &R) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(record).map_err(Problem::internal)? {
        Value::Object(object) => Ok(object),
        other => Ok(Map::from_iter([("value".to_owned(), other)])),
    }
}

impl Column {
    /// The cell of a record.
    pub(super) fn cell(&self, record: &Map<String, Value>) -> Cell {
        let value = record.get(&self.field);
        let value = match &self.member {
            Some(member) => value.and_then(|value| value.get(member)),
            None => value,
        };
        match value {
            None | Some(Value::Null) => Cell::Empty,
            Some(Value::Number(number)) => Cell::Number(number.to_string()),
            Some(Value::String(text)) if self.number => Cell::Number(text.clone()),
            Some(Value::String(text)) => Cell::Text(text.clone()),
            Some(Value::Bool(yes)) => Cell::Text(yes.to_string()),
            Some(Value::Array(list)) if list.iter().all(Value::is_string) => {
                let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                if texts.is_empty() {
                    Cell::Empty
                } else {
                    Cell::Text(texts.join("; "))
                }
            }
            Some(Value::Object(object)) if object.is_empty() => Cell::Empty,
            Some(other) => Cell::Text(other.to_string()),
        }
    }

    /// The value of a record in an object that has only some columns.
    pub(super) fn value(&self, record: &Map<String, Value>) -> Value {
        let value = record.get(&self.field).cloned().unwrap_or_default();
        match &self.member {
            Some(member) => value.get(member).cloned().unwrap_or_default(),
            None => value,
        }
    }
}
