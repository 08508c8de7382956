//! What an agent is.

use bz_http::{Errors, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::guardrails::Guardrail;
use crate::runs::Limits;

/// The most tools of an agent: more than a model can tell apart.
const MOST_TOOLS: usize = 20;

/// What an agent is, as a person or the catalogue describes it. The three texts are CrewAI's. Open to further fields, because
/// what has it in it is this and more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AgentDefinition {
    /// Name for people, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub title: String,
    /// What it is, 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    pub role: String,
    /// What it works for, 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub goal: String,
    /// Where it comes from and how it works, up to 4,000 characters.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub backstory: String,
    /// Models (or providers) to be tried, in order; the installation's order when empty.
    #[serde(default)]
    #[schema(max_items = 8)]
    pub models: Vec<String>,
    /// Names of the tools that it may use, at most 20.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub tools: Vec<String>,
    /// Rules for what it is given, what it answers and what it calls tools with, at most 50.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub guardrails: Vec<Guardrail>,
    /// What it may use.
    #[serde(default, deserialize_with = "bz_http::object")]
    pub limits: Limits,
}

/// Adds the fault of a text that is too short or too long.
pub(crate) fn check_text(
    errors: &mut Errors,
    pointer: &str,
    text: &str,
    least: usize,
    most: usize,
) {
    let length = text.trim().chars().count();
    if !(least..=most).contains(&length) || text.contains('\0') {
        errors.add(
            pointer.to_owned(),
            "invalid_length",
            format!("must be {least} to {most} characters"),
        );
    }
}

/// Whether something can be the name of an agent, a crew or a tool of a tenant: small letters, digits and hyphens.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=60).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-')
}

/// Adds the fault of a name.
pub(crate) fn check_name(errors: &mut Errors, name: &str) {
    if !is_name(name) {
        errors.add(
            "/name",
            "invalid_name",
            "must be 1 to 60 small letters, digits and hyphens, beginning with a letter or digit",
        );
    }
}

impl AgentDefinition {
    /// Adds what is wrong, at this place of the body.
    pub(crate) fn check(&self, errors: &mut Errors, at: &str) {
        check_text(errors, &format!("{at}/title"), &self.title, 1, 100);
        check_text(errors, &format!("{at}/role"), &self.role, 1, 500);
        check_text(errors, &format!("{at}/goal"), &self.goal, 1, 2000);
        check_text(errors, &format!("{at}/backstory"), &self.backstory, 0, 4000);
        if self.models.len() > 8 {
            errors.add(format!("{at}/models"), "too_many", "must be at most 8");
        }
        for (n, model) in self.models.iter().enumerate() {
            check_text(errors, &format!("{at}/models/{n}"), model, 1, 200);
        }
        if self.tools.len() > MOST_TOOLS {
            errors.add(format!("{at}/tools"), "too_many", "must be at most 20");
        }
        for (n, tool) in self.tools.iter().enumerate() {
            if self.tools[..n].contains(tool) {
                errors.add(format!("{at}/tools/{n}"), "repeated", "must be named once");
            }
        }
        if self.guardrails.len() > 50 {
            errors.add(format!("{at}/guardrails"), "too_many", "must be at most 50");
        }
        for (n, rule) in self.guardrails.iter().enumerate() {
            rule.check(errors, &format!("{at}/guardrails/{n}"));
        }
        self.limits.check(errors, &format!("{at}/limits"));
    }
}

/// Fields that nothing knows; each is a fault.
pub(crate) type Unknown = serde_json::Map<String, serde_json::Value>;

/// Adds the fault of every field that nothing knows.
pub(crate) fn check_unknown(errors: &mut Errors, unknown: &Unknown) {
    for name in unknown.keys() {
        let name = name.replace('~', "~0").replace('/', "~1");
        errors.add(
            format!("/{name}"),
            "unknown_field",
            "there is no such field",
        );
    }
}

/// An agent to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CreateAgent {
    /// Name for programs: 1 to 60 small letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub definition: AgentDefinition,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

impl Validate for CreateAgent {
    fn validate(&self, errors: &mut Errors) {
        check_unknown(errors, &self.unknown);
        check_name(errors, &self.name);
        self.definition.check(errors, "");
    }
}

/// What an agent is from now on.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub(crate) struct PutAgent {
    /// What it is.
    #[serde(flatten)]
    pub definition: AgentDefinition,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

impl Validate for PutAgent {
    fn validate(&self, errors: &mut Errors) {
        check_unknown(errors, &self.unknown);
        self.definition.check(errors, "");
    }
}
