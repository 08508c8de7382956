//! The ready agents: data files, the same for every tenant.

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::AgentDefinition;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/agents/catalogue");

/// A ready agent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadyAgent {
    /// Name for programs; also the file's name.
    pub name: String,
    /// Grows when the file changes, so that a run tells what it was started with.
    pub version: i64,
    /// What it belongs to, for the list in docs/agents.md.
    pub group: String,
    /// What it is.
    pub(crate) agent: AgentDefinition,
    /// A run of it, played by the tests.
    pub example: Example,
}

/// A run of a ready agent: what it is asked, what the model then does, and how the answer begins.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it is asked.
    pub task: String,
    /// With what.
    #[serde(default)]
    pub inputs: Map<String, Value>,
    /// The calls that the model makes, one after the other.
    #[serde(default)]
    pub calls: Vec<ExampleCall>,
    /// What the model answers in the end.
    pub answer: String,
}

/// A call of an example.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleCall {
    /// The tool.
    pub tool: String,
    /// With what.
    pub arguments: Value,
}

/// Reads the catalogue that is compiled in, by name.
///
/// # Errors
/// When a file is not what [`ReadyAgent`] says, with its name; a test reads them.
pub fn catalogue() -> anyhow::Result<Vec<ReadyAgent>> {
    let mut agents = Vec::new();
    for file in FILES.files() {
        let name = file.path().display();
        let agent: ReadyAgent = serde_json::from_slice(file.contents())
            .map_err(|error| anyhow::anyhow!("the ready agent {name}: {error}"))?;
        agents.push(agent);
    }
    agents.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(agents)
}

impl ReadyAgent {
    /// Name for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.agent.title
    }

    /// What it works for.
    #[must_use]
    pub fn goal(&self) -> &str {
        &self.agent.goal
    }

    /// The tools that it may use.
    #[must_use]
    pub fn tools(&self) -> &[String] {
        &self.agent.tools
    }
}

/// `docs/agents.md`: the catalogue for people.
///
/// # Errors
/// As [`catalogue`].
pub fn document() -> anyhow::Result<String> {
    use std::fmt::Write as _;
    let agents = catalogue()?;
    let mut text = format!(
        "# Ready agents\n\nThe {} agents that every tenant has. Generated from \
         `services/ai-orchestrator/src/agents/catalogue/`: a test fails when they differ\n(`BLESS=1` writes it anew). \
         `POST /api/runs` with `{{\"agent\": \"<name>\", \"task\": \"...\"}}` starts one.\n",
        agents.len()
    );
    let mut groups: Vec<&str> = agents.iter().map(|agent| agent.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        write!(
            text,
            "\n## {group}\n\n| name | works for | tools | example |\n| --- | --- | --- | --- |\n"
        )?;
        for ready in agents.iter().filter(|ready| ready.group == group) {
            let tools: Vec<String> = ready
                .tools()
                .iter()
                .map(|tool| format!("`{tool}`"))
                .collect();
            let tools = if tools.is_empty() {
                "none".to_owned()
            } else {
                tools.join(", ")
            };
            let (name, goal, task) = (&ready.name, ready.goal(), &ready.example.task);
            writeln!(text, "| `{name}` | {goal} | {tools} | {task} |")?;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use bz_http::Errors;

    use super::*;
    use crate::tools::builtin;

    #[test]
    fn every_file_reads_has_its_name_is_valid_and_uses_tools_that_exist() {
        let agents = catalogue().unwrap();
        assert!(agents.len() >= 24, "{}", agents.len());
        let known: Vec<&str> = builtin().iter().map(|tool| tool.name.as_str()).collect();
        for ready in &agents {
            let file = format!("{}.json", ready.name);
            assert!(FILES.get_file(&file).is_some(), "{file}");
            let mut errors = Errors::default();
            ready.agent.check(&mut errors, "");
            assert!(errors.is_empty(), "{}: {errors:?}", ready.name);
            assert!(!ready.agent.guardrails.is_empty(), "{}", ready.name);
            for tool in ready.tools() {
                assert!(known.contains(&tool.as_str()), "{}: {tool}", ready.name);
            }
            for call in &ready.example.calls {
                assert!(
                    ready.tools().contains(&call.tool),
                    "{}: {}",
                    ready.name,
                    call.tool
                );
            }
        }
    }
}
