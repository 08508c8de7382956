//! Guardrails: simple rules that a person can read, checked outside of the model.

use bz_http::Errors;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Longest phrase of a rule.
const MOST_CHARS: usize = 200;

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// What the agent is given: the task and the inputs.
    Input,
    /// What it answers.
    Output,
    /// What it calls a tool with.
    Arguments,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Guardrail {
    /// None of these phrases, in whatever case.
    Forbid {
        /// Where.
        on: Side,
        /// 1 to 50 phrases.
        phrases: Vec<String>,
    },
    /// At least one of these phrases, in whatever case.
    RequireOneOf {
        /// Where.
        on: Side,
        /// 1 to 50 phrases.
        phrases: Vec<String>,
    },
    /// No longer than this.
    MaxChars {
        /// Where.
        on: Side,
        /// Characters, 1 to 100,000.
        chars: usize,
    },
    /// An argument of a tool is one of these, if it is given at all.
    ArgumentIn {
        /// The tool.
        tool: String,
        /// JSON pointer to the argument.
        pointer: String,
        /// 1 to 50 values.
        values: Vec<Value>,
    },
    /// An argument of a tool is a number of at most this, if it is given at all.
    ArgumentMax {
        /// The tool.
        tool: String,
        /// JSON pointer to the argument.
        pointer: String,
        /// The most.
        most: f64,
    },
}

impl Guardrail {
    /// Adds what is wrong with the rule.
    pub(crate) fn check(&self, errors: &mut Errors, pointer: &str) {
        let mut bad = |name: &str, message: &'static str| {
            errors.add(format!("{pointer}/{name}"), "invalid_value", message);
        };
        match self {
            Self::Forbid { phrases, .. } | Self::RequireOneOf { phrases, .. } => {
                let fits =
                    |phrase: &String| (1..=MOST_CHARS).contains(&phrase.trim().chars().count());
                if !(1..=50).contains(&phrases.len()) || !phrases.iter().all(fits) {
                    bad("phrases", "must be 1 to 50 phrases of 1 to 200 characters");
                }
            }
            Self::MaxChars { chars, .. } => {
                if !(1..=100_000).contains(chars) {
                    bad("chars", "must be 1 to 100000");
                }
            }
            Self::ArgumentIn {
                pointer: at,
                values,
                ..
            } => {
                if !at.starts_with('/') {
                    bad("pointer", "must be a JSON pointer such as /amount");
                }
                if !(1..=50).contains(&values.len()) {
                    bad("values", "must be 1 to 50 values");
                }
            }
            Self::ArgumentMax { pointer: at, .. } => {
                if !at.starts_with('/') {
                    bad("pointer", "must be a JSON pointer such as /amount");
                }
            }
        }
    }

    /// What a text on this side does wrong.
    pub(crate) fn broken_by(&self, side: Side, text: &str) -> Option<String> {
        let lower = || text.to_lowercase();
        match self {
            Self::Forbid { on, phrases } if *on == side => {
                let text = lower();
                let found = phrases
                    .iter()
                    .find(|phrase| text.contains(&phrase.to_lowercase()));
                found.map(|phrase| format!("it must not say {phrase:?}"))
            }
            Self::RequireOneOf { on, phrases } if *on == side => {
                let text = lower();
                let found = phrases
                    .iter()
                    .any(|phrase| text.contains(&phrase.to_lowercase()));
                (!found).then(|| format!("it must say one of {}", phrases.join(", ")))
            }
            Self::MaxChars { on, chars } if *on == side => {
                let length = text.chars().count();
                (length > *chars)
                    .then(|| format!("it has {length} characters; {chars} are allowed"))
            }
            _ => None,
        }
    }

    /// What a call does wrong.
    pub(crate) fn broken_by_call(&self, name: &str, arguments: &Value) -> Option<String> {
        match self {
            Self::ArgumentIn {
                tool,
                pointer,
                values,
            } if tool == name => {
                let given = arguments.pointer(pointer)?;
                (!values.contains(given))
                    .then(|| format!("{pointer} must be one of {}", Value::from(values.clone())))
            }
            Self::ArgumentMax {
                tool,
                pointer,
                most,
            } if tool == name => {
                let given = arguments.pointer(pointer)?;
                let number = given.as_f64().or_else(|| given.as_str()?.parse().ok());
                (!number.is_some_and(|number| number <= *most))
                    .then(|| format!("{pointer} must be at most {most}"))
            }
            Self::ArgumentIn { .. } | Self::ArgumentMax { .. } => None,
            _ => self.broken_by(Side::Arguments, &arguments.to_string()),
        }
    }
}

/// The first rule that a text breaks.
pub(crate) fn broken(rules: &[Guardrail], side: Side, text: &str) -> Option<String> {
    rules.iter().find_map(|rule| rule.broken_by(side, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_find_what_they_are_for_on_their_side_only() {
        let rules: Vec<Guardrail> = serde_json::from_value(json!([
            { "rule": "forbid", "on": "output", "phrases": ["Guaranteed"] },
            { "rule": "max_chars", "on": "input", "chars": 5 },
            { "rule": "require_one_of", "on": "output", "phrases": ["regards", "cheers"] },
        ]))
        .unwrap();
        let found = |side, text| broken(&rules, side, text).is_some();
        assert!(found(Side::Output, "it is GUARANTEED, cheers"));
        assert!(found(Side::Output, "no greeting"));
        assert!(!found(Side::Output, "Kind Regards, longer than five"));
        assert!(found(Side::Input, "longer"));
        assert!(!found(Side::Input, "short"));
    }

    #[test]
    fn arguments_are_checked_for_their_tool_and_numbers_as_text_too() {
        let most: Guardrail = serde_json::from_value(json!(
            { "rule": "argument_max", "tool": "crm.deals.create", "pointer": "/amount", "most": 100 }
        ))
        .unwrap();
        let call =
            |amount: Value| most.broken_by_call("crm.deals.create", &json!({ "amount": amount }));
        assert!(call(json!(101)).is_some() && call(json!("100.01")).is_some());
        assert!(call(json!("much")).is_some());
        assert!(call(json!(100)).is_none() && call(json!("99")).is_none());
        assert!(
            most.broken_by_call("other", &json!({ "amount": 1000 }))
                .is_none()
        );
        assert!(
            most.broken_by_call("crm.deals.create", &json!({}))
                .is_none()
        );
    }
}
