//! Changes of a resource (RFC 7644 section 3.5.2), made on its JSON form.

#[cfg(test)]
mod tests;

use bz_http::Problem;
use serde_json::{Map, Value, json};

use super::{body::member, error::bad_request, filter::Filter};

/// The most operations in one request.
const MOST_OPERATIONS: usize = 100;
/// The longest path, in bytes.
const MOST_PATH_BYTES: usize = 500;

/// What a resource has that can be written, by kind.
pub(super) struct Shape {
    /// Attributes with one value, or with parts.
    pub(super) single: &'static [&'static str],
    /// Attributes with several values.
    pub(super) multiple: &'static [&'static str],
    /// Attributes that only we write.
    pub(super) read_only: &'static [&'static str],
}

impl Shape {
    fn find(&self, name: &str) -> Result<(&'static str, bool), Problem> {
        let among = |names: &'static [&'static str]| {
            names
                .iter()
                .find(|known| known.eq_ignore_ascii_case(name))
                .copied()
        };
        if among(self.read_only).is_some() {
            return Err(bad_request("mutability", format!("{name} is read-only.")));
        }
        among(self.single)
            .map(|name| (name, false))
            .or_else(|| among(self.multiple).map(|name| (name, true)))
            .ok_or_else(|| {
                bad_request("invalidPath", format!("There is no attribute {name:.100}."))
            })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// `attribute[filter].part`
struct Path {
    attribute: &'static str,
    is_multiple: bool,
    filter: Option<Filter>,
    part: Option<String>,
}

/// Applies all operations of a request to a resource, or none.
///
/// # Errors
/// 400 with the code that says what is wrong.
pub(super) fn apply(
    resource: &mut Map<String, Value>,
    shape: &Shape,
    request: &Map<String, Value>,
) -> Result<(), Problem> {
    let Some(operations) = member(request, "Operations").and_then(Value::as_array) else {
        return Err(bad_request("invalidSyntax", "Operations must be a list."));
    };
    if operations.len() > MOST_OPERATIONS {
        return Err(bad_request(
            "tooMany",
            "There may be 100 operations at most.",
        ));
    }
    for operation in operations {
        let Some(operation) = operation.as_object() else {
            return Err(bad_request(
                "invalidSyntax",
                "An operation must be an object.",
            ));
        };
        one(resource, shape, operation)?;
    }
    Ok(())
}

fn one(
    resource: &mut Map<String, Value>,
    shape: &Shape,
    operation: &Map<String, Value>,
) -> Result<(), Problem> {
    let verb = member(operation, "op").and_then(Value::as_str);
    let verb = match verb.map(str::to_ascii_lowercase).as_deref() {
        Some("add") => Verb::Add,
        Some("replace") => Verb::Replace,
        Some("remove") => Verb::Remove,
        _ => {
            return Err(bad_request(
                "invalidSyntax",
                "op must be add, replace or remove.",
            ));
        }
    };
    let value = member(operation, "value");
    if let Some(path) = member(operation, "path") {
        let Some(path) = path.as_str() else {
            return Err(bad_request("invalidPath", "path must be a text."));
        };
        return at_path(resource, &parse(path, shape)?, verb, value);
    }
    match (verb, value.and_then(Value::as_object)) {
        (Verb::Remove, _) => Err(bad_request("noTarget", "remove needs a path.")),
        (_, None) => Err(bad_request(
            "invalidValue",
            "Without a path, value must be an object.",
        )),
        (verb, Some(members)) => {
            for (name, value) in members {
                // What nobody knows here is left out, as in a body; what is read-only is ours.
                if let Ok(path) = parse(name, shape) {
                    at_path(resource, &path, verb, Some(value))?;
                }
            }
            Ok(())
        }
    }
}

fn parse(text: &str, shape: &Shape) -> Result<Path, Problem> {
    let invalid = || bad_request("invalidPath", "The path cannot be read.");
    if text.len() > MOST_PATH_BYTES {
        return Err(invalid());
    }
    let (before, rest) = match text.split_once('[') {
        Some((before, rest)) => (before, Some(rest)),
        None => (text, None),
    };
    // The schema's URN has dots of its own.
    let before = before.rsplit_once(':').map_or(before, |(_, name)| name);
    let (attribute, part) = match before.split_once('.') {
        Some((attribute, part)) => (attribute, Some(part)),
        None => (before, None),
    };
    let (attribute, is_multiple) = shape.find(attribute)?;
    let Some(rest) = rest else {
        let part = part.map(ToOwned::to_owned);
        return Ok(Path {
            attribute,
            is_multiple,
            filter: None,
            part,
        });
    };
    let (inner, after) = rest.rsplit_once(']').ok_or_else(invalid)?;
    if part.is_some() || !is_multiple {
        return Err(invalid());
    }
    let filter = Filter::parse(inner).map_err(|_| invalid())?;
    let part = match after.strip_prefix('.') {
        Some(part) if !part.is_empty() => Some(part.to_owned()),
        None if after.is_empty() => None,
        _ => return Err(invalid()),
    };
    Ok(Path {
        attribute,
        is_multiple,
        filter: Some(filter),
        part,
    })
}

fn at_path(
    resource: &mut Map<String, Value>,
    path: &Path,
    verb: Verb,
    value: Option<&Value>,
) -> Result<(), Problem> {
    if verb != Verb::Remove && value.is_none() {
        return Err(bad_request("invalidValue", "add and replace need a value."));
    }
    let name = path.attribute;
    let value = value.cloned().unwrap_or(Value::Null);
    if let Some(filter) = &path.filter {
        return filtered(resource, path, filter, verb, &value);
    }
    match (&path.part, path.is_multiple) {
        (Some(part), true) => of_each(resource, name, part, verb, &value),
        (Some(part), false) => {
            let holder = resource.entry(name).or_insert_with(|| json!({}));
            set_part(holder, part, verb, value);
            Ok(())
        }
        (None, true) => {
            elements(resource, name, verb, value);
            Ok(())
        }
        (None, false) => {
            single(resource, name, verb, value);
            Ok(())
        }
    }
}

/// A part of every element; where there is none, one is made.
fn of_each(
    resource: &mut Map<String, Value>,
    name: &str,
    part: &str,
    verb: Verb,
    value: &Value,
) -> Result<(), Problem> {
    let all = Filter::Not(Filter::Present("\u{0}".to_owned()).into());
    with_list(resource, name, |elements| {
        if elements.is_empty() && verb != Verb::Remove {
            elements.push(json!({}));
        }
        set_parts(elements, &all, part, verb, value)
    })
}

fn elements(resource: &mut Map<String, Value>, name: &str, verb: Verb, value: Value) {
    match verb {
        Verb::Add => with_list(resource, name, |elements| add_all(elements, value)),
        Verb::Replace => _ = resource.insert(name.to_owned(), Value::Array(as_list(value))),
        Verb::Remove if value.is_null() => _ = resource.remove(name),
        Verb::Remove => {
            // Some directories name the elements in the value instead of the path.
            let gone = as_list(value);
            let is_gone = |element: &Value| gone.iter().any(|it| it["value"] == element["value"]);
            with_list(resource, name, |elements| {
                elements.retain(|element| !is_gone(element));
            });
        }
    }
}

fn single(resource: &mut Map<String, Value>, name: &str, verb: Verb, value: Value) {
    match (verb, value) {
        (Verb::Remove, _) => _ = resource.remove(name),
        (Verb::Add, Value::Object(parts)) => {
            let holder = resource.entry(name).or_insert_with(|| json!({}));
            for (part, value) in parts {
                set_part(holder, &part, verb, value);
            }
        }
        (_, value) => _ = resource.insert(name.to_owned(), value),
    }
}

fn filtered(
    resource: &mut Map<String, Value>,
    path: &Path,
    filter: &Filter,
    verb: Verb,
    value: &Value,
) -> Result<(), Problem> {
    with_list(resource, path.attribute, |elements| match &path.part {
        Some(part) => set_parts(elements, filter, part, verb, value),
        None if verb == Verb::Remove => {
            elements.retain(|element| !filter.passes(element));
            Ok(())
        }
        None => {
            let mut found = false;
            for element in elements.iter_mut().filter(|it| filter.passes(it)) {
                *element = value.clone();
                found = true;
            }
            found.then_some(()).ok_or_else(no_target)
        }
    })
}

fn set_parts(
    elements: &mut [Value],
    filter: &Filter,
    part: &str,
    verb: Verb,
    value: &Value,
) -> Result<(), Problem> {
    let mut found = false;
    for element in elements.iter_mut().filter(|it| filter.passes(it)) {
        set_part(element, part, verb, value.clone());
        found = true;
    }
    if found || verb == Verb::Remove {
        Ok(())
    } else {
        Err(no_target())
    }
}

fn set_part(holder: &mut Value, part: &str, verb: Verb, value: Value) {
    if let Some(members) = holder.as_object_mut() {
        members.retain(|name, _| !name.eq_ignore_ascii_case(part));
        if verb != Verb::Remove {
            members.insert(part.to_owned(), value);
        }
    }
}

fn add_all(elements: &mut Vec<Value>, value: Value) {
    for new in as_list(value) {
        // There is one primary value at most (RFC 7643 section 2.4).
        if new["primary"] == true {
            for element in elements.iter_mut() {
                set_part(element, "primary", Verb::Remove, Value::Null);
            }
        }
        if !elements
            .iter()
            .any(|element| element["value"] == new["value"])
        {
            elements.push(new);
        }
    }
}

fn as_list(value: Value) -> Vec<Value> {
    let elements = match value {
        Value::Array(elements) => elements,
        Value::Null => Vec::new(),
        value => vec![value],
    };
    // A bare value stands for an element that has only it.
    let whole = |element: Value| match element {
        Value::String(_) => json!({ "value": element }),
        element => element,
    };
    elements.into_iter().map(whole).collect()
}

/// Calls `change` with the elements of an attribute.
fn with_list<T>(
    resource: &mut Map<String, Value>,
    name: &str,
    change: impl FnOnce(&mut Vec<Value>) -> T,
) -> T {
    let mut elements = match resource.remove(name) {
        Some(Value::Array(elements)) => elements,
        _ => Vec::new(),
    };
    let done = change(&mut elements);
    resource.insert(name.to_owned(), Value::Array(elements));
    done
}

fn no_target() -> Problem {
    bad_request("noTarget", "Nothing matches the path.")
}
