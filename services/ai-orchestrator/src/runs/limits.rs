//! What a run may use. Every limit is enforced outside of the model, before each call.

use bz_http::Errors;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Limits as an agent, a crew or a run names them; what is missing is the platform's default. Of several, the lowest counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Questions to a model and calls of tools, 1 to 1,000; 50 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub max_steps: Option<u32>,
    /// Calls of tools, 0 to 1,000; 50 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1000)]
    pub max_tool_calls: Option<u32>,
    /// Tokens, of questions and answers together, 1 to 10,000,000; 200,000 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10_000_000)]
    pub max_tokens: Option<u64>,
    /// Cost in millionths of the currency of the configured prices; none when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub max_cost_micros: Option<i64>,
    /// Seconds of work, 1 to 86,400; 600 when not given. Waiting for a person, a free worker or a provider does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 86_400)]
    pub deadline_seconds: Option<u32>,
    /// Calls of one tool with the same arguments, 1 to 100; 3 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub max_identical_calls: Option<u32>,
    /// Tasks at the same time, 1 to 16; 4 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 16)]
    pub max_parallel: Option<u32>,
}

/// The limits that a run is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RunLimits {
    /// Questions to a model and calls of tools.
    pub max_steps: u32,
    /// Calls of tools.
    pub max_tool_calls: u32,
    /// Tokens, of questions and answers together.
    pub max_tokens: u64,
    /// Cost in millionths of the currency of the configured prices.
    pub max_cost_micros: Option<i64>,
    /// Seconds of work.
    pub deadline_seconds: u32,
    /// Calls of one tool with the same arguments.
    pub max_identical_calls: u32,
    /// Tasks at the same time.
    pub max_parallel: u32,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            max_steps: 50,
            max_tool_calls: 50,
            max_tokens: 200_000,
            max_cost_micros: None,
            deadline_seconds: 600,
            max_identical_calls: 3,
            max_parallel: 4,
        }
    }
}

impl Limits {
    /// Adds what is out of range.
    pub(crate) fn check(&self, errors: &mut Errors, pointer: &str) {
        let ranges = [
            ("max_steps", self.max_steps.map(u64::from), 1, 1000),
            (
                "max_tool_calls",
                self.max_tool_calls.map(u64::from),
                0,
                1000,
            ),
            ("max_tokens", self.max_tokens, 1, 10_000_000),
            (
                "deadline_seconds",
                self.deadline_seconds.map(u64::from),
                1,
                86_400,
            ),
            (
                "max_identical_calls",
                self.max_identical_calls.map(u64::from),
                1,
                100,
            ),
            ("max_parallel", self.max_parallel.map(u64::from), 1, 16),
        ];
        for (name, value, least, most) in ranges {
            if value.is_some_and(|value| !(least..=most).contains(&value)) {
                errors.add(
                    format!("{pointer}/{name}"),
                    "out_of_range",
                    format!("must be {least} to {most}"),
                );
            }
        }
        if self.max_cost_micros.is_some_and(|cost| cost < 0) {
            errors.add(
                format!("{pointer}/max_cost_micros"),
                "out_of_range",
                "must not be negative",
            );
        }
    }

    /// These where they are given, and the defaults elsewhere.
    pub(crate) fn or_default(self) -> RunLimits {
        let default = RunLimits::default();
        RunLimits {
            max_steps: self.max_steps.unwrap_or(default.max_steps),
            max_tool_calls: self.max_tool_calls.unwrap_or(default.max_tool_calls),
            max_tokens: self.max_tokens.unwrap_or(default.max_tokens),
            max_cost_micros: self.max_cost_micros,
            deadline_seconds: self.deadline_seconds.unwrap_or(default.deadline_seconds),
            max_identical_calls: self
                .max_identical_calls
                .unwrap_or(default.max_identical_calls),
            max_parallel: self.max_parallel.unwrap_or(default.max_parallel),
        }
    }

    /// The lower of both, each by itself.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            max_steps: lower(self.max_steps, other.max_steps),
            max_tool_calls: lower(self.max_tool_calls, other.max_tool_calls),
            max_tokens: lower(self.max_tokens, other.max_tokens),
            max_cost_micros: lower(self.max_cost_micros, other.max_cost_micros),
            deadline_seconds: lower(self.deadline_seconds, other.deadline_seconds),
            max_identical_calls: lower(self.max_identical_calls, other.max_identical_calls),
            max_parallel: lower(self.max_parallel, other.max_parallel),
        }
    }
}

impl RunLimits {
    /// The same with what a person allows anew, higher or lower.
    pub(crate) fn replaced(self, by: Limits) -> Self {
        Self {
            max_steps: by.max_steps.unwrap_or(self.max_steps),
            max_tool_calls: by.max_tool_calls.unwrap_or(self.max_tool_calls),
            max_tokens: by.max_tokens.unwrap_or(self.max_tokens),
            max_cost_micros: by.max_cost_micros.or(self.max_cost_micros),
            deadline_seconds: by.deadline_seconds.unwrap_or(self.deadline_seconds),
            max_identical_calls: by.max_identical_calls.unwrap_or(self.max_identical_calls),
            max_parallel: by.max_parallel.unwrap_or(self.max_parallel),
        }
    }
}

fn lower<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_limits_the_lower_counts_and_a_missing_one_is_the_default() {
        let agent = Limits {
            max_steps: Some(10),
            max_tokens: Some(500),
            ..Limits::default()
        };
        let run = Limits {
            max_steps: Some(20),
            max_tool_calls: Some(3),
            ..Limits::default()
        };
        let both = agent.and(run).or_default();
        assert_eq!((both.max_steps, both.max_tool_calls), (10, 3));
        assert_eq!((both.max_tokens, both.max_identical_calls), (500, 3));
        assert_eq!(Limits::default().or_default(), RunLimits::default());
    }
}
