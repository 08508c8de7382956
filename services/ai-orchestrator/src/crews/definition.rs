//! What a crew is: tasks that hang together, each done by an agent.

use std::collections::HashSet;

use bz_http::{Errors, Validate};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    agents::{Unknown, check_name, check_text, check_unknown, is_name},
    runs::Limits,
    schemas,
};

/// The most tasks of a crew.
const MOST_TASKS: usize = 50;

/// How the tasks of a crew are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Process {
    /// One after the other; each gets the result of the one before.
    Sequential,
    /// Each as soon as those it depends on are done.
    Parallel,
    /// A manager hands them to the agents, in the order and as often as it likes.
    Hierarchical,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Task {
    /// Name for programs, unique in the crew: small letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// What is to be done, 1 to 8,000 characters; `{topic}` stands for the input of that name.
    #[schema(min_length = 1, max_length = 8000)]
    pub description: String,
    /// What the result looks like, up to 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub expected_output: String,
    /// JSON schema that the result follows; text when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub output_schema: Option<Value>,
    /// Id or name of the agent that does it.
    #[schema(min_length = 1, max_length = 60)]
    pub agent: String,
    /// Names of the tasks whose results it needs.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub depends_on: Vec<String>,
    /// Whether a person looks at the result before it counts.
    #[serde(default)]
    pub approval: bool,
}

/// What a crew is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CrewDefinition {
    /// Name for people, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub title: String,
    /// What it is for, up to 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub description: String,
    /// How the tasks are done.
    pub process: Process,
    /// Id or name of the agent that hands out the tasks, of a hierarchical crew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60)]
    pub manager: Option<String>,
    /// 1 to 50 tasks.
    #[schema(min_items = 1, max_items = 50)]
    pub tasks: Vec<Task>,
    /// What a run of it may use.
    #[serde(default, deserialize_with = "bz_http::object")]
    pub limits: Limits,
}

impl CrewDefinition {
    /// Adds what is wrong.
    pub(crate) fn check(&self, errors: &mut Errors) {
        check_text(errors, "/title", &self.title, 1, 100);
        check_text(errors, "/description", &self.description, 0, 2000);
        if !(1..=MOST_TASKS).contains(&self.tasks.len()) {
            errors.add("/tasks", "invalid_length", "must be 1 to 50 tasks");
        }
        if (self.process == Process::Hierarchical) != self.manager.is_some() {
            let message = "must be given for a hierarchical crew, and for no other";
            errors.add("/manager", "invalid_value", message);
        }
        for (n, task) in self.tasks.iter().enumerate() {
            self.check_task(errors, n, task);
        }
        self.limits.check(errors, "/limits");
    }

    fn check_task(&self, errors: &mut Errors, n: usize, task: &Task) {
        let at = format!("/tasks/{n}");
        if !is_name(&task.name) {
            let message = "must be 1 to 60 small letters, digits and hyphens";
            errors.add(format!("{at}/name"), "invalid_name", message);
        }
        if self.tasks[..n].iter().any(|other| other.name == task.name) {
            errors.add(
                format!("{at}/name"),
                "repeated",
                "must be the name of one task only",
            );
        }
        check_text(
            errors,
            &format!("{at}/description"),
            &task.description,
            1,
            8000,
        );
        check_text(
            errors,
            &format!("{at}/expected_output"),
            &task.expected_output,
            0,
            2000,
        );
        check_schema(
            errors,
            &format!("{at}/output_schema"),
            task.output_schema.as_ref(),
        );
        if task.depends_on.len() > MOST_TASKS {
            errors.add(format!("{at}/depends_on"), "too_many", "must be at most 50");
        }
        for (k, needed) in task.depends_on.iter().enumerate() {
            if !self.tasks.iter().any(|other| other.name == *needed) {
                let message = "must be the name of a task of this crew";
                errors.add(format!("{at}/depends_on/{k}"), "unknown_task", message);
            }
        }
    }

    /// The tasks that wait for each other in a circle, by name; none when there is no circle.
    pub(crate) fn circle(&self) -> Vec<&str> {
        let mut done: HashSet<&str> = HashSet::new();
        loop {
            let ready = |task: &&Task| {
                let known = |name: &String| self.tasks.iter().any(|other| other.name == *name);
                let mut needs = task.depends_on.iter().filter(|name| known(name));
                !done.contains(task.name.as_str()) && needs.all(|name| done.contains(name.as_str()))
            };
            let found: Vec<&str> = self
                .tasks
                .iter()
                .filter(ready)
                .map(|task| task.name.as_str())
                .collect();
            if found.is_empty() {
                break;
            }
            done.extend(found);
        }
        let left = self.tasks.iter().map(|task| task.name.as_str());
        left.filter(|name| !done.contains(name)).collect()
    }
}

/// Adds the fault of a schema that is none, or is too large.
pub(crate) fn check_schema(errors: &mut Errors, at: &str, schema: Option<&Value>) {
    let Some(schema) = schema else { return };
    if schema.to_string().len() > 20_000 {
        errors.add(at.to_owned(), "too_long", "must have at most 20000 bytes");
    } else if !schema.is_object() || schemas::validator(schema).is_none() {
        let message = "must be a JSON schema that refers to nothing outside of itself, and comes back to a part of itself by one way only";
        errors.add(at.to_owned(), "invalid_schema", message);
    }
}

/// A crew to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CreateCrew {
    /// Name for programs: 1 to 60 small letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub definition: CrewDefinition,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

impl Validate for CreateCrew {
    fn validate(&self, errors: &mut Errors) {
        check_unknown(errors, &self.unknown);
        check_name(errors, &self.name);
        self.definition.check(errors);
    }
}

/// What a crew is from now on.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub(crate) struct PutCrew {
    /// What it is.
    #[serde(flatten)]
    pub definition: CrewDefinition,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

impl Validate for PutCrew {
    fn validate(&self, errors: &mut Errors) {
        check_unknown(errors, &self.unknown);
        self.definition.check(errors);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn crew(needs: [&[&str]; 3]) -> CrewDefinition {
        let tasks: Vec<Value> = ["a", "b", "c"]
            .iter()
            .zip(needs)
            .map(|(name, needs)| json!({ "name": name, "description": "x", "agent": "x", "depends_on": needs }))
            .collect();
        serde_json::from_value(json!({ "title": "x", "process": "parallel", "tasks": tasks }))
            .unwrap()
    }

    #[test]
    fn circles_are_found_and_chains_and_diamonds_are_none() {
        assert!(crew([&[], &["a"], &["a", "b"]]).circle().is_empty());
        assert!(crew([&["c"], &["c"], &[]]).circle().is_empty());
        assert_eq!(crew([&["b"], &["a"], &[]]).circle(), ["a", "b"]);
        assert_eq!(crew([&["a"], &[], &[]]).circle(), ["a"]);
        assert_eq!(crew([&["c"], &["a"], &["b"]]).circle(), ["a", "b", "c"]);
    }
}
