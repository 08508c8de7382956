//! Models may say a zero character, which neither a text nor a document in the database can have.

use serde_json::{Map, Value};

use super::chat::Choice;

impl Choice {
    /// The same without them: a step that could not be written would be asked for again and again.
    pub(super) fn without_zeros(mut self) -> Self {
        if let Some(content) = &mut self.content {
            clean(content);
        }
        for call in &mut self.tool_calls {
            clean(&mut call.id);
            clean(&mut call.name);
            clean_value(&mut call.arguments);
        }
        self
    }
}

fn clean(text: &mut String) {
    text.retain(|c| c != '\0');
}

fn clean_value(value: &mut Value) {
    match value {
        Value::String(text) => clean(text),
        Value::Array(items) => items.iter_mut().for_each(clean_value),
        Value::Object(members) => {
            members.values_mut().for_each(clean_value);
            if members.keys().any(|name| name.contains('\0')) {
                let renamed = std::mem::take(members).into_iter();
                let renamed = renamed.map(|(name, value)| (name.replace('\0', ""), value));
                *members = renamed.collect::<Map<_, _>>();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
