//! An agent at a task: question, calls, question, until the answer is what was wanted.

use std::{future::Future, pin::Pin};

use serde_json::{Value, json};

use super::{
    Engine, Halt,
    ask::{Question, Said},
    output::{self, Wrong},
    prompt,
};
use crate::{
    agents::guardrails::{self, Side},
    llm::{ChatRequest, Message, ResponseFormat, Tool, ToolChoice},
    runs::{
        TaskResult,
        plan::{PinnedAgent, PinnedTask},
    },
};

/// The name of the tool by which a manager hands out work.
pub(super) const DELEGATE: &str = "delegate";

/// A task and who does it.
pub(super) struct Job<'a> {
    /// Who.
    pub agent: &'a PinnedAgent,
    /// What.
    pub task: &'a PinnedTask,
    /// Its place in the run.
    pub base: String,
    /// What was found before.
    pub context: String,
    /// Whom it may hand work to; nobody but a manager hands any.
    pub coworkers: &'a [usize],
}

/// A conversation in the making.
struct Talk {
    messages: Vec<Message>,
    /// How many of the messages were asked before.
    asked: usize,
    turn: usize,
    repaired: bool,
    events: Vec<(&'static str, Value)>,
}

impl Engine {
    /// Does a task. Boxed, because a manager's work contains its agents'.
    pub(super) fn work<'a>(
        &'a self,
        job: Job<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<TaskResult, Halt>> + Send + 'a>> {
        Box::pin(async move {
            let mut talk = self.begin(&job)?;
            loop {
                let said = self.next(&job, &mut talk).await?;
                if let Some(text) = &said.text {
                    self.said(&job.task.name, text);
                }
                talk.messages.push(said.message());
                if !said.calls.is_empty() {
                    self.calls(&job, &mut talk, &said).await?;
                    continue;
                }
                let text = said.text.unwrap_or_default();
                let rules = &job.agent.definition.guardrails;
                match output::checked(&text, job.task, rules) {
                    Ok((text, data)) => {
                        return Ok(TaskResult {
                            task: job.task.name.clone(),
                            agent: job.agent.name.clone(),
                            text,
                            data,
                        });
                    }
                    Err(wrong) => repair(&job, &mut talk, wrong)?,
                }
            }
        })
    }

    fn begin(&self, job: &Job<'_>) -> Result<Talk, Halt> {
        let text = prompt::task(job.task, &self.inputs, &job.context);
        let rules = &job.agent.definition.guardrails;
        if let Some(broken) = guardrails::broken(rules, Side::Input, &text) {
            let message = format!("what {} was given: {broken}", job.agent.name);
            return Err(Halt::failed("guardrail_failed", message));
        }
        let system = prompt::system(&job.agent.definition);
        Ok(Talk {
            messages: vec![Message::System(system), Message::User(text)],
            asked: 0,
            turn: 0,
            repaired: false,
            events: Vec::new(),
        })
    }

    /// The next answer.
    async fn next(&self, job: &Job<'_>, talk: &mut Talk) -> Result<Said, Halt> {
        let tools = self.offered(job);
        // A repair is about the answer: no further calls.
        let (tool_choice, response_format) = match &job.task.output_schema {
            Some(schema) if tools.is_empty() || talk.repaired => {
                let format = ResponseFormat::Schema {
                    name: "result".to_owned(),
                    schema: schema.clone(),
                };
                (ToolChoice::None, Some(format))
            }
            _ => (ToolChoice::Auto, None),
        };
        let request = ChatRequest {
            messages: talk.messages.clone(),
            tools: if response_format.is_some() {
                Vec::new()
            } else {
                tools
            },
            tool_choice,
            response_format,
            models: job.agent.definition.models.clone(),
            ..ChatRequest::default()
        };
        let wire = request.to_wire();
        let wire = wire["messages"].as_array().cloned().unwrap_or_default();
        let question = Question {
            task: &job.task.name,
            path: format!("{}.llm{}", job.base, talk.turn),
            added: Value::from(wire.into_iter().skip(talk.asked).collect::<Vec<_>>()),
            request,
            events: std::mem::take(&mut talk.events),
        };
        talk.asked = talk.messages.len() + 1;
        talk.turn += 1;
        self.ask(question).await
    }

    /// Makes the calls of an answer, one after the other.
    async fn calls(&self, job: &Job<'_>, talk: &mut Talk, said: &Said) -> Result<(), Halt> {
        let turn = talk.turn - 1;
        for (n, call) in said.calls.iter().enumerate() {
            let path = format!("{}.call{turn}.{n}", job.base);
            let content = if call.name == DELEGATE && !job.coworkers.is_empty() {
                self.delegate(job, path, &call.arguments).await?
            } else {
                self.call(job, path, call).await?
            };
            talk.messages.push(Message::Tool {
                call: call.id.clone(),
                content,
            });
        }
        Ok(())
    }

    /// What the model may call.
    fn offered(&self, job: &Job<'_>) -> Vec<Tool> {
        let names = job.agent.definition.tools.iter();
        let usable = names.filter_map(|name| self.tools.get(name));
        let tools = usable.map(|usable| Tool {
            name: usable.spec.wire_name(),
            description: usable.spec.description.clone(),
            parameters: usable.spec.parameters.clone(),
        });
        let mut tools: Vec<Tool> = tools.collect();
        if !job.coworkers.is_empty() {
            tools.push(self.delegation(job.coworkers));
        }
        tools
    }

    /// The schema by which a manager hands out work: only to agents that are there, always with all that is needed.
    fn delegation(&self, coworkers: &[usize]) -> Tool {
        let agents: Vec<&PinnedAgent> = coworkers.iter().map(|n| &self.plan.agents[*n]).collect();
        let names: Vec<&str> = agents.iter().map(|agent| agent.name.as_str()).collect();
        let who: Vec<String> = agents
            .iter()
            .map(|agent| format!("{}: {}", agent.name, agent.definition.role))
            .collect();
        Tool {
            name: DELEGATE.to_owned(),
            description: format!(
                "Hands a piece of work to an agent and answers its result. {}",
                who.join("; ")
            ),
            parameters: json!({
                "type": "object",
                "properties": {
                    "agent": { "type": "string", "enum": names },
                    "task": { "type": "string", "description": "what is to be done, with everything the agent must know" },
                    "expected_output": { "type": "string", "description": "what the result looks like" },
                },
                "required": ["agent", "task", "expected_output"],
                "additionalProperties": false,
            }),
        }
    }

    /// Hands work to an agent.
    async fn delegate(
        &self,
        job: &Job<'_>,
        path: String,
        arguments: &Value,
    ) -> Result<String, Halt> {
        let first = format!("{path}.llm0");
        if self.journal.step(&first).is_some() {
            self.meter.seen(DELEGATE, arguments);
        } else {
            self.meter.before_call(DELEGATE, arguments)?;
        }
        let text = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
        let mut agents = job.coworkers.iter().map(|n| (*n, &self.plan.agents[*n]));
        let Some((at, agent)) = agents.find(|(_, agent)| agent.name == text("agent")) else {
            return Ok(json!({ "error": "there is no such agent" }).to_string());
        };
        let task = PinnedTask {
            name: job.task.name.clone(),
            description: text("task"),
            expected_output: text("expected_output"),
            output_schema: None,
            agent: at,
            depends_on: Vec::new(),
            approval: false,
        };
        let work = Job {
            agent,
            task: &task,
            base: path,
            context: String::new(),
            coworkers: &[],
        };
        Ok(self.work(work).await?.text)
    }
}

/// Says once what is wrong with an answer.
fn repair(job: &Job<'_>, talk: &mut Talk, wrong: Wrong) -> Result<(), Halt> {
    let Wrong { code, message } = wrong;
    if talk.repaired {
        let message = format!("the answer of {}: {message}", job.agent.name);
        return Err(Halt::failed(code, message));
    }
    talk.repaired = true;
    let told = json!({ "task": job.task.name, "code": code, "message": message });
    talk.events.push(("guardrail.failed", told));
    let text =
        format!("Your answer cannot be taken: {message}. Answer once more, with the result alone.");
    talk.messages.push(Message::User(text));
    Ok(())
}
