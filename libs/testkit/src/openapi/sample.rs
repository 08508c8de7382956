//! A value that fits a schema: the smallest one, with the examples of the document where it gives them.

use serde_json::{Map, Value};

use super::Document;

/// How deep recursive schemas are followed.
const DEEPEST: usize = 12;
/// An id of something that does not exist.
const NOBODYS_ID: &str = "019b76da-a800-7000-8000-00000000dead";

/// A value that fits `schema`.
#[must_use]
pub fn sample(document: &Document, schema: &Value) -> Value {
    at_depth(document, schema, 0)
}

fn at_depth(document: &Document, schema: &Value, depth: usize) -> Value {
    let schema = document.resolve(schema);
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(given) = given(schema) {
        return given;
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return merged(parts.iter().map(|part| at_depth(document, part, depth + 1)));
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        let some = choices.iter().find(|choice| choice["type"] != "null");
        return some.map_or(Value::Null, |choice| at_depth(document, choice, depth + 1));
    }
    match type_of(schema) {
        "object" => object(document, schema, depth),
        "array" => array(document, schema, depth),
        "string" => Value::from(string(schema)),
        "integer" => Value::from(schema["minimum"].as_i64().unwrap_or(1)),
        "number" => Value::from(schema["minimum"].as_f64().unwrap_or(1.0)),
        "boolean" => Value::from(true),
        _ => Value::Null,
    }
}

/// What the document itself says a value can be.
fn given(schema: &Value) -> Option<Value> {
    let first = |list: &Value| list.as_array().and_then(|list| list.first()).cloned();
    let own = [
        schema.get("example").cloned(),
        schema.get("examples").and_then(first),
    ];
    let fixed = [
        schema.get("const").cloned(),
        schema.get("enum").and_then(first),
    ];
    own.into_iter().chain(fixed).flatten().next()
}

/// The type; the first that is not null when there are several (OpenAPI 3.1).
pub(crate) fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(name) => name,
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null")
            .unwrap_or("null"),
        _ if schema["properties"].is_object() => "object",
        _ => "null",
    }
}

fn merged(parts: impl Iterator<Item = Value>) -> Value {
    let objects = parts.filter_map(|part| part.as_object().cloned());
    Value::Object(objects.flatten().collect())
}

fn object(document: &Document, schema: &Value, depth: usize) -> Value {
    let required = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let with_value = |name: &str| {
        (
            name.to_owned(),
            at_depth(document, &schema["properties"][name], depth + 1),
        )
    };
    Value::Object(required.map(with_value).collect::<Map<_, _>>())
}

fn array(document: &Document, schema: &Value, depth: usize) -> Value {
    let least = schema["minItems"].as_u64().unwrap_or(0);
    (0..least)
        .map(|_| at_depth(document, &schema["items"], depth + 1))
        .collect()
}

fn string(schema: &Value) -> String {
    match schema["format"].as_str() {
        Some("uuid") => NOBODYS_ID.into(),
        Some("date-time") => "2026-03-02T09:00:00Z".into(),
        Some("date") => "2026-03-02".into(),
        Some("email") => "ada@example.com".into(),
        Some("uri" | "url") => "https://example.com/".into(),
        _ => {
            let least = schema["minLength"].as_u64().unwrap_or(1).max(1);
            "x".repeat(usize::try_from(least).unwrap_or(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Document {
        Document(
            json!({ "components": { "schemas": { "Id": { "type": "string", "format": "uuid" } } } }),
        )
    }

    #[test]
    fn a_sample_has_what_is_required_and_takes_the_documents_examples() {
        let schema = json!({
            "type": "object",
            "required": ["id", "title", "kind", "tags", "note", "size"],
            "properties": {
                "id": { "$ref": "#/components/schemas/Id" },
                "title": { "type": "string", "minLength": 3 },
                "kind": { "type": "string", "enum": ["a", "b"] },
                "tags": { "type": "array", "minItems": 2, "items": { "type": "boolean" } },
                "note": { "oneOf": [{ "type": "null" }, { "type": "string", "examples": ["hello"] }] },
                "size": { "type": ["integer", "null"], "minimum": 5 },
                "left_out": { "type": "string" },
            }
        });
        let expected = json!({
            "id": NOBODYS_ID, "title": "xxx", "kind": "a", "tags": [true, true], "note": "hello", "size": 5
        });
        assert_eq!(sample(&document(), &schema), expected);
    }

    #[test]
    fn parts_are_merged_and_endless_schemas_end() {
        let part = |name: &str| json!({ "type": "object", "required": [name], "properties": { name: { "type": "null" } } });
        assert_eq!(
            sample(&document(), &json!({ "allOf": [part("a"), part("b")] })),
            json!({ "a": null, "b": null })
        );
        let endless = Document(
            json!({ "endless": { "type": "array", "minItems": 1, "items": { "$ref": "#/endless" } } }),
        );
        assert!(sample(&endless, &json!({ "$ref": "#/endless" })).is_array());
    }
}
