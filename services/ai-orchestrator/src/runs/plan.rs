//! What a run does: its agents and tasks, as they were when it was made.

use std::collections::{BTreeMap, HashMap};

use bz_http::Problem;
use bz_tenant::{DbError, TenantTx};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Limits, RunLimits};
use crate::{
    agents::AgentDefinition,
    app::AppState,
    crews::{CrewDefinition, Process},
    definitions,
    tools::{self, Usable},
};

/// Name of the one task of a run of an agent.
pub(crate) const ONE_TASK: &str = "task";

/// An agent of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PinnedAgent {
    /// Its name.
    pub name: String,
    /// Which version of it.
    pub version: i64,
    /// What it was then.
    pub definition: AgentDefinition,
}

/// A task of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PinnedTask {
    /// Its name.
    pub name: String,
    /// What is to be done.
    pub description: String,
    /// What the result looks like.
    pub expected_output: String,
    /// What it follows.
    pub output_schema: Option<Value>,
    /// Which of the agents does it.
    pub agent: usize,
    /// The tasks whose results it needs.
    pub depends_on: Vec<usize>,
    /// Whether a person looks at the result.
    pub approval: bool,
}

/// What a run does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// How the tasks are done.
    pub process: Process,
    /// Which agent hands out the tasks, of a hierarchical crew.
    pub manager: Option<usize>,
    /// Who is there.
    pub agents: Vec<PinnedAgent>,
    /// What is to be done.
    pub tasks: Vec<PinnedTask>,
    /// What it may use.
    pub limits: RunLimits,
}

/// What keeps a plan from running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// For programs: `circle`, `unknown_agent`, `unknown_tool`.
    pub code: &'static str,
    /// JSON pointer into the crew.
    pub pointer: String,
    /// For people.
    pub message: String,
}

/// What a run is likely to use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Estimate {
    /// Questions to a model and calls of tools.
    pub steps: u32,
    /// Calls of tools.
    pub tool_calls: u32,
    /// Tokens, of questions and answers together.
    pub tokens: u64,
}

/// A plan, and what keeps it from running.
pub(crate) struct Planned {
    /// The plan; with faults it lacks what is not there.
    pub plan: Plan,
    /// What is in the way.
    pub faults: Vec<Fault>,
    /// The tools that are there, by name.
    pub tools: HashMap<String, Usable>,
}

impl Planned {
    /// The plan, if nothing is in the way.
    ///
    /// # Errors
    /// 422 `validation_failed` with every fault, below this place of the body.
    pub(crate) fn sound(self, at: &str) -> Result<(Plan, HashMap<String, Usable>), Problem> {
        let mut errors = bz_http::Errors::default();
        for fault in self.faults {
            errors.add(
                at.to_owned(),
                fault.code,
                format!("{}: {}", fault.pointer, fault.message),
            );
        }
        if errors.is_empty() {
            Ok((self.plan, self.tools))
        } else {
            Err(Problem::validation(errors))
        }
    }
}

/// The agent of an id or a name, ready or the tenant's own.
pub(crate) async fn agent(
    app: &AppState,
    tx: &mut TenantTx,
    named: &str,
) -> Result<Option<(PinnedAgent, Option<uuid::Uuid>)>, DbError> {
    if let Some(ready) = app.ready_agent(named) {
        let pinned = PinnedAgent {
            name: ready.name.clone(),
            version: ready.version,
            definition: ready.agent.clone(),
        };
        return Ok(Some((pinned, None)));
    }
    let row = definitions::find::<AgentDefinition>(tx, named).await?;
    Ok(row.map(|row| {
        let pinned = PinnedAgent {
            name: row.name,
            version: row.version,
            definition: row.definition.0,
        };
        (pinned, Some(row.id))
    }))
}

/// The plan of one agent with one task.
pub(crate) async fn of_agent(
    tx: &mut TenantTx,
    agent: PinnedAgent,
    task: Option<&str>,
    output_schema: Option<Value>,
) -> Result<Planned, DbError> {
    let task = PinnedTask {
        name: ONE_TASK.to_owned(),
        description: task.unwrap_or(&agent.definition.goal).to_owned(),
        expected_output: String::new(),
        output_schema,
        agent: 0,
        depends_on: Vec::new(),
        approval: false,
    };
    let plan = Plan {
        process: Process::Sequential,
        manager: None,
        limits: agent.definition.limits.or_default(),
        agents: vec![agent],
        tasks: vec![task],
    };
    checked(tx, plan, Vec::new(), &BTreeMap::new()).await
}

/// The plan of a crew.
pub(crate) async fn of_crew(
    app: &AppState,
    tx: &mut TenantTx,
    crew: &CrewDefinition,
) -> Result<Planned, DbError> {
    let mut faults = Vec::new();
    let circle = crew.circle();
    if !circle.is_empty() {
        faults.push(Fault {
            code: "circle",
            pointer: "/tasks".to_owned(),
            message: format!("these wait for each other: {}", circle.join(", ")),
        });
    }
    let (mut agents, mut places) = (Vec::new(), BTreeMap::new());
    let named = crew.tasks.iter().enumerate();
    let named = named.map(|(n, task)| (format!("/tasks/{n}/agent"), &task.agent));
    let manager = crew
        .manager
        .iter()
        .map(|name| ("/manager".to_owned(), name));
    for (pointer, name) in named.chain(manager) {
        if places.contains_key(name) {
            continue;
        }
        match agent(app, tx, name).await? {
            Some((pinned, _)) => {
                places.insert(name.clone(), agents.len());
                agents.push(pinned);
            }
            None => faults.push(Fault {
                code: "unknown_agent",
                pointer,
                message: format!("there is no agent {name:.64}"),
            }),
        }
    }
    let plan = Plan {
        process: crew.process,
        manager: crew
            .manager
            .as_ref()
            .and_then(|name| places.get(name))
            .copied(),
        tasks: tasks(crew, &places),
        agents,
        limits: crew.limits.or_default(),
    };
    checked(tx, plan, faults, &places).await
}

fn tasks(crew: &CrewDefinition, places: &BTreeMap<String, usize>) -> Vec<PinnedTask> {
    let at = |name: &String| crew.tasks.iter().position(|task| task.name == *name);
    let mut tasks = Vec::with_capacity(crew.tasks.len());
    for (n, task) in crew.tasks.iter().enumerate() {
        let mut depends_on: Vec<usize> = task.depends_on.iter().filter_map(at).collect();
        if crew.process == Process::Sequential && n > 0 && !depends_on.contains(&(n - 1)) {
            depends_on.push(n - 1);
        }
        tasks.push(PinnedTask {
            name: task.name.clone(),
            description: task.description.clone(),
            expected_output: task.expected_output.clone(),
            output_schema: task.output_schema.clone(),
            agent: places.get(&task.agent).copied().unwrap_or_default(),
            depends_on,
            approval: task.approval,
        });
    }
    tasks
}

/// Adds the tools that are not there.
async fn checked(
    tx: &mut TenantTx,
    plan: Plan,
    mut faults: Vec<Fault>,
    places: &BTreeMap<String, usize>,
) -> Result<Planned, DbError> {
    let names = plan.agents.iter().flat_map(|agent| &agent.definition.tools);
    let tools = tools::named(tx, names).await?;
    for (n, agent) in plan.agents.iter().enumerate() {
        let task = plan.tasks.iter().position(|task| task.agent == n);
        let pointer = match task {
            Some(task) if !places.is_empty() => format!("/tasks/{task}/agent"),
            _ => String::new(),
        };
        for name in &agent.definition.tools {
            if !tools.contains_key(name) {
                faults.push(Fault {
                    code: "unknown_tool",
                    pointer: pointer.clone(),
                    message: format!(
                        "{} wants the tool {name:.64}, which is not there",
                        agent.name
                    ),
                });
            }
        }
    }
    Ok(Planned {
        plan,
        faults,
        tools,
    })
}

impl Plan {
    /// The same under tighter limits.
    pub(crate) fn limited(mut self, by: Limits) -> Self {
        let own = Limits {
            max_steps: Some(self.limits.max_steps),
            max_tool_calls: Some(self.limits.max_tool_calls),
            max_tokens: Some(self.limits.max_tokens),
            max_cost_micros: self.limits.max_cost_micros,
            deadline_seconds: Some(self.limits.deadline_seconds),
            max_identical_calls: Some(self.limits.max_identical_calls),
            max_parallel: Some(self.limits.max_parallel),
        };
        self.limits = own.and(by).or_default();
        self
    }

    /// What it is likely to use, if every agent uses each of its tools once a task: four characters a token, 300 tokens for
    /// a tool's description and for its result, 300 for an answer.
    pub(crate) fn estimate(&self) -> Estimate {
        let mut sum = Estimate::default();
        for task in &self.tasks {
            let Some(agent) = self.agents.get(task.agent) else {
                continue;
            };
            let definition = &agent.definition;
            let tools = u32::try_from(definition.tools.len()).unwrap_or(0);
            let texts = [
                &definition.role,
                &definition.goal,
                &definition.backstory,
                &task.description,
                &task.expected_output,
            ];
            let prompt: usize = texts.iter().map(|text| text.chars().count() / 4).sum();
            let context = 300 * task.depends_on.len();
            let prompt = (prompt + context) as u64 + 300 * u64::from(tools);
            let turns = u64::from(tools) + 1;
            sum.steps += 2 * tools + 1;
            sum.tool_calls += tools;
            // Each turn asks everything that came before once more.
            sum.tokens += turns * (prompt + 300) + 300 * turns * (turns - 1) / 2;
        }
        sum
    }
}
