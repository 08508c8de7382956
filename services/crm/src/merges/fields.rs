//! What the record that stays says after a merge.

use std::collections::BTreeMap;

use bz_http::{Errors, Problem, extract::parse, validated};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::records::Record;

/// The fields of the primary record with what the others add.
///
/// # Errors
/// 422 for a field that there is not, or when what comes of it is not valid.
pub(super) fn merged<R: Record>(
    primary: &R,
    others: &[R],
    chosen: &BTreeMap<String, Uuid>,
) -> Result<R::Fields, Problem> {
    let mut target = object(primary)?;
    let mut sources = Vec::with_capacity(others.len());
    for other in others {
        sources.push((other.head().id, object(other)?));
    }
    for (_, source) in &sources {
        fill(&mut target, source);
    }
    let ids: Vec<String> = others
        .iter()
        .map(|other| other.head().id.to_string())
        .collect();
    // A record does not become its own part.
    for (name, value) in &mut target {
        if name == "parent_id" && ids.iter().any(|id| value == id.as_str()) {
            *value = Value::Null;
        }
    }
    sources.push((primary.head().id, object(primary)?));
    let mut errors = Errors::default();
    for (name, id) in chosen {
        let source = sources.iter().find(|(other, _)| other == id);
        if !source.is_some_and(|(_, source)| take::<R>(&mut target, source, name)) {
            errors.add(
                format!("/fields/{}", name.replace('~', "~0").replace('/', "~1")),
                "unknown_field",
                "is no field that can be chosen",
            );
        }
    }
    if !errors.is_empty() {
        return Err(Problem::validation(errors));
    }
    let bytes = serde_json::to_vec(&target).map_err(Problem::internal)?;
    validated(parse(&bytes)?)
}

fn object<R: Record>(record: &R) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(record.fields()).map_err(Problem::internal)? {
        Value::Object(object) => Ok(object),
        _ => Ok(Map::new()),
    }
}

/// Adds what is empty in the target; of lists what is not in it yet, as far as there is room.
fn fill(target: &mut Map<String, Value>, source: &Map<String, Value>) {
    const MOST: [(&str, usize); 4] = [
        ("tags", 50),
        ("emails", 20),
        ("phones", 20),
        ("domains", 20),
    ];
    for (name, value) in source {
        match (target.entry(name.clone()).or_insert(Value::Null), value) {
            (Value::Object(target), Value::Object(source)) if is_open(name) => {
                for (key, value) in source {
                    target.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
            (Value::Array(target), Value::Array(source)) => {
                let most = MOST.iter().find(|(list, _)| list == name);
                for value in source {
                    let room = most.is_none_or(|(_, most)| target.len() < *most);
                    if room && !target.contains(value) {
                        target.push(value.clone());
                    }
                }
            }
            (target @ Value::Null, value) => *target = value.clone(),
            _ => {}
        }
    }
}

/// Objects that are put together member by member; an amount of money is one value.
fn is_open(name: &str) -> bool {
    matches!(name, "custom" | "utm" | "consent")
}

/// Takes one field, or one of the tenant's own, from a record; false for one that there is not.
fn take<R: Record>(
    target: &mut Map<String, Value>,
    source: &Map<String, Value>,
    name: &str,
) -> bool {
    if let Some(key) = name.strip_prefix("custom.") {
        let Some(Value::Object(custom)) = target.get_mut("custom") else {
            return false;
        };
        let value = source.get("custom").and_then(|custom| custom.get(key));
        match value {
            Some(value) => drop(custom.insert(key.to_owned(), value.clone())),
            None => drop(custom.remove(key)),
        }
        return true;
    }
    let known = name == "tags"
        || name == "custom"
        || R::TYPE.field(name).is_some_and(|field| field.written);
    if known {
        target.insert(
            name.to_owned(),
            source.get(name).cloned().unwrap_or(Value::Null),
        );
    }
    known
}
