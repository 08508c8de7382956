//! Whether what a model answered is what was wanted.

use serde_json::Value;

use crate::{
    agents::guardrails::{self, Guardrail, Side},
    runs::plan::PinnedTask,
    schemas,
};

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// `schema_invalid`, `guardrail_failed` or `empty_answer`.
    pub code: &'static str,
    /// For the model and for people.
    pub message: String,
}

/// The answer's text, and its JSON where the task has a schema.
///
/// # Errors
/// What is wrong with it.
pub(super) fn checked(
    text: &str,
    task: &PinnedTask,
    rules: &[Guardrail],
) -> Result<(String, Option<Value>), Wrong> {
    let text = text.trim();
    if text.is_empty() {
        return Err(wrong("empty_answer", "it is empty"));
    }
    let data = match &task.output_schema {
        None => None,
        Some(schema) => Some(follows(text, schema)?),
    };
    match guardrails::broken(rules, Side::Output, text) {
        Some(broken) => Err(wrong("guardrail_failed", broken)),
        None => Ok((text.to_owned(), data)),
    }
}

fn follows(text: &str, schema: &Value) -> Result<Value, Wrong> {
    let plain = unfenced(text);
    let data: Value = serde_json::from_str(plain)
        .map_err(|error| wrong("schema_invalid", format!("it is not JSON: {error}")))?;
    let unreadable = || wrong("schema_invalid", "the schema cannot be read");
    let validator = schemas::validator(schema).ok_or_else(unreadable)?;
    let faults: Vec<String> = validator
        .iter_errors(&data)
        .take(5)
        .map(|error| format!("{} {error}", error.instance_path()))
        .collect();
    if faults.is_empty() {
        Ok(data)
    } else {
        Err(wrong("schema_invalid", faults.join("; ")))
    }
}

/// The text within a fence of Markdown, in which models like to put JSON.
fn unfenced(text: &str) -> &str {
    let inner = text
        .strip_prefix("```json")
        .or_else(|| text.strip_prefix("```"));
    let inner = inner.and_then(|inner| inner.trim_end().strip_suffix("```"));
    inner.map_or(text, str::trim)
}

fn wrong(code: &'static str, message: impl Into<String>) -> Wrong {
    Wrong {
        code,
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn task(schema: Option<Value>) -> PinnedTask {
        PinnedTask {
            name: "t".to_owned(),
            description: String::new(),
            expected_output: String::new(),
            output_schema: schema,
            agent: 0,
            depends_on: Vec::new(),
            approval: false,
        }
    }

    #[test]
    fn json_is_found_in_a_fence_and_held_against_the_schema() {
        let task = task(Some(json!({ "type": "object", "required": ["score"] })));
        let code = |text: &str| checked(text, &task, &[]).map_err(|wrong| wrong.code);
        let (_, data) = code("```json\n{\"score\": 7}\n```").unwrap();
        assert_eq!(data, Some(json!({ "score": 7 })));
        assert_eq!(code("{\"points\": 7}"), Err("schema_invalid"));
        assert_eq!(code("the score is 7"), Err("schema_invalid"));
        assert_eq!(code("  "), Err("empty_answer"));
    }
}
