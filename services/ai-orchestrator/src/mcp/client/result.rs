//! What a tool or a resource answered, as data for the journal and the model.

use serde_json::{Value, json};

use super::exchange::{plain, refused};
use crate::tools::ToolError;

/// The most of an error that is told, in characters.
const MOST_WORDS: usize = 4_000;

/// The result of a call: the structured one if there is one, otherwise the content. What is neither text nor data is named, not
/// handed on.
///
/// # Errors
/// A result that is an error, with its words.
pub(super) fn of_call(result: &Value) -> Result<Value, ToolError> {
    if !result.is_object() {
        return Err(refused("malformed", "the result cannot be read"));
    }
    let kind = result["resultType"].as_str().unwrap_or("complete");
    if kind != "complete" {
        let message = "the tool wants to ask its user something, which is not supported";
        return Err(refused("unsupported", message));
    }
    let blocks = result["content"].as_array();
    let blocks: Vec<Value> = blocks.into_iter().flatten().map(block).collect();
    if result["isError"] == true {
        let texts: Vec<&str> = blocks.iter().filter_map(Value::as_str).collect();
        let words = plain(&texts.join("\n"), MOST_WORDS);
        return Err(refused("tool_failed", words));
    }
    match result.get("structuredContent") {
        Some(data) if !data.is_null() => Ok(data.clone()),
        _ => Ok(joined(blocks)),
    }
}

/// What a resource has.
pub(super) fn of_resource(result: &Value) -> Value {
    let contents = result["contents"].as_array();
    joined(contents.into_iter().flatten().map(resource).collect())
}

/// One page of resources.
pub(super) fn of_list(result: &Value) -> Value {
    json!({ "resources": result["resources"], "next_cursor": result["nextCursor"] })
}

/// Texts as one text; with anything else between them, a list.
fn joined(blocks: Vec<Value>) -> Value {
    let texts: Option<Vec<&str>> = blocks.iter().map(Value::as_str).collect();
    match texts {
        Some(texts) => Value::String(texts.join("\n")),
        None => Value::Array(blocks),
    }
}

fn block(block: &Value) -> Value {
    match block["type"].as_str() {
        Some("text") => block["text"].clone(),
        Some("resource") => resource(&block["resource"]),
        Some("resource_link") => json!({
            "type": "resource_link", "uri": block["uri"], "name": block["name"], "description": block["description"],
        }),
        kind => json!({ "type": kind, "mime_type": block["mimeType"], "left_out": true }),
    }
}

fn resource(resource: &Value) -> Value {
    match &resource["text"] {
        Value::String(text) => Value::String(text.clone()),
        _ => {
            json!({ "uri": resource["uri"], "mime_type": resource["mimeType"], "left_out": true })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_data_texts_are_joined_pictures_are_named_and_errors_are_errors() {
        let text = |text: &str| json!({ "type": "text", "text": text });
        let of = |result: Value| of_call(&result);
        assert_eq!(
            of(json!({ "content": [text("a"), text("b")] })),
            Ok(json!("a\nb"))
        );
        let both = json!({ "content": [text("7")], "structuredContent": { "n": 7 } });
        assert_eq!(of(both), Ok(json!({ "n": 7 })));
        let picture = json!({ "type": "image", "data": "AAAA", "mimeType": "image/png" });
        let named = json!({ "type": "image", "mime_type": "image/png", "left_out": true });
        assert_eq!(
            of(json!({ "content": [text("a"), picture] })),
            Ok(json!(["a", named]))
        );
        let wrong = json!({ "content": [text("no\u{0} such file")], "isError": true });
        assert_eq!(of(wrong), Err(refused("tool_failed", "no such file")));
        assert!(of(json!("text")).is_err());
        assert!(of(json!({ "resultType": "input_required", "content": [] })).is_err());
    }
}
