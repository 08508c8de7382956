//! Calls of tools. Each is written before it is sent, with a key by which the other side tells a repeat.

use serde_json::{Value, json};

use super::{Engine, Halt, agent::Job};
use crate::{
    llm::ToolCall,
    runs::{
        approvals::Approval,
        journal::{Ask, Entry, Event, Step, StepStatus},
    },
    tools::{self, Effect, Invocation, ToolError, Usable},
};

/// The most of a result that a model reads, in characters.
const READ: usize = 12_000;
/// The most of a result that is kept, in bytes.
const KEPT: usize = 64 * 1024;

impl Engine {
    /// Makes a call, unless the journal has its result. Answers what the model is told.
    pub(super) async fn call(
        &self,
        job: &Job<'_>,
        path: String,
        call: &ToolCall,
    ) -> Result<String, Halt> {
        let known = self.journal.step(&path);
        if let Some(step) = known.as_ref().filter(|step| step.status.is_finished()) {
            self.meter.seen(&step.name, &call.arguments);
            if let Some(response) = &step.response {
                self.read(step, &response["result"]);
            }
            return Ok(for_model(step.response.as_ref()));
        }
        self.may_go_on()?;
        let names = &job.agent.definition.tools;
        let found = names.iter().filter_map(|name| self.tools.get(name));
        let usable = found
            .into_iter()
            .find(|usable| usable.spec.wire_name() == call.name);
        let name = usable.map_or(call.name.as_str(), |usable| usable.spec.name.as_str());
        let begins = if known.is_some() {
            self.meter.seen(name, &call.arguments);
            (0, 0)
        } else {
            self.meter.before_call(name, &call.arguments)?;
            (1, 1)
        };
        let step = known.unwrap_or_else(|| Step {
            path,
            kind: "tool",
            name: name.to_owned(),
            task: job.task.name.clone(),
            status: StepStatus::Waiting,
            request: json!({ "arguments": call.arguments }),
            response: None,
            spent: (0, 0, 0),
            started_at: self.journal.now(),
        });
        let Some(usable) = usable else {
            let message = format!("there is no tool {:.64}", call.name);
            return self.refuse(step, begins, "unknown_tool", message).await;
        };
        if let Some((code, message)) = self.unfit(job, usable, &call.arguments) {
            return self.refuse(step, begins, code, message).await;
        }
        self.decide(&job.agent.name, step, begins, usable).await
    }

    /// What is wrong with arguments.
    fn unfit(
        &self,
        job: &Job<'_>,
        usable: &Usable,
        arguments: &Value,
    ) -> Option<(&'static str, String)> {
        let faults = usable.spec.faults(arguments);
        if !faults.is_empty() {
            let faults = faults.iter().map(|(at, fault)| format!("{at} {fault}"));
            return Some(("schema_invalid", faults.collect::<Vec<_>>().join("; ")));
        }
        let mut rules = job.agent.definition.guardrails.iter();
        let broken = rules.find_map(|rule| rule.broken_by_call(&usable.spec.name, arguments));
        broken.map(|broken| ("guardrail_failed", broken))
    }

    /// Sends a call that needs nobody's word, or has it.
    async fn decide(
        &self,
        agent: &str,
        step: Step,
        begins: (i32, i32),
        usable: &Usable,
    ) -> Result<String, Halt> {
        let destructive = usable.spec.effect == Effect::Destructive;
        match step.status {
            StepStatus::Sent if usable.spec.idempotent => {
                self.send(agent, step, begins, usable).await
            }
            StepStatus::Sent => self.ask_person(step, begins, "uncertain").await,
            StepStatus::Uncertain => match self.journal.decision(&step.path, "uncertain") {
                None => Err(Halt::Blocked),
                Some(decided) if decided.status == "approved" => {
                    self.send(agent, edited(step.clone(), decided), begins, usable)
                        .await
                }
                Some(decided) => {
                    let known = "it is not known whether the call arrived, and it is not repeated";
                    self.rejected(step, begins, known, decided.comment.as_deref())
                        .await
                }
            },
            _ if destructive => match self.journal.decision(&step.path, "destructive") {
                None => self.ask_person(step, begins, "destructive").await,
                Some(decided) if decided.status == "approved" => {
                    self.send(agent, edited(step.clone(), decided), begins, usable)
                        .await
                }
                Some(decided) => {
                    let known = "a person did not allow the call";
                    self.rejected(step, begins, known, decided.comment.as_deref())
                        .await
                }
            },
            _ => self.send(agent, step, begins, usable).await,
        }
    }

    /// Asks a person, and waits.
    async fn ask_person(
        &self,
        mut step: Step,
        begins: (i32, i32),
        reason: &'static str,
    ) -> Result<String, Halt> {
        if self.journal.was_asked(&step.path, reason) {
            return Err(Halt::Blocked);
        }
        step.status = match reason {
            "uncertain" => StepStatus::Uncertain,
            _ => StepStatus::Waiting,
        };
        let ask = Ask {
            path: step.path.clone(),
            reason,
            subject: step.name.clone(),
            arguments: step.request["arguments"].clone(),
        };
        let data =
            json!({ "task": step.task, "path": step.path, "tool": step.name, "reason": reason });
        self.put(step, begins, Some(ask), vec![("approval.requested", data)])
            .await?;
        Err(Halt::Blocked)
    }

    async fn send(
        &self,
        agent: &str,
        mut step: Step,
        begins: (i32, i32),
        usable: &Usable,
    ) -> Result<String, Halt> {
        step.status = StepStatus::Sent;
        let arguments = step.request["arguments"].clone();
        let data = json!({ "task": step.task, "path": step.path, "tool": step.name, "arguments": arguments });
        let mut events: Vec<Event> = vec![("tool.call", data)];
        events.extend(self.meter.warnings());
        self.put(step.clone(), begins, None, events).await?;
        let key = self.journal.key(&step.path, &step.name);
        let invocation = Invocation {
            tool: &usable.spec,
            arguments: &arguments,
            token: self.token.as_ref(),
            caller: None,
            agent: Some(agent),
            key: &key,
            headers: usable.headers(&self.app.tool_secrets),
        };
        let result = tools::invoke(&self.app, invocation).await;
        self.settle(step, usable, result).await
    }

    /// Writes what became of a call.
    async fn settle(
        &self,
        mut step: Step,
        usable: &Usable,
        result: Result<Value, ToolError>,
    ) -> Result<String, Halt> {
        match result {
            Ok(value) => {
                step.status = StepStatus::Succeeded;
                let data = json!({ "task": step.task, "path": step.path, "tool": step.name });
                let mut events: Vec<Event> = vec![("tool.result", data)];
                events.extend(self.read(&step, &value));
                step.response = Some(json!({ "result": kept(value) }));
                let told = for_model(step.response.as_ref());
                self.put(step, (0, 0), None, events).await?;
                Ok(told)
            }
            Err(ToolError::Refused { code, message }) => {
                self.refuse(step, (0, 0), &code, message).await
            }
            Err(ToolError::Unauthorized) => {
                self.unsent(step).await?;
                Err(Halt::Unauthorized)
            }
            Err(ToolError::Unavailable { sent, message }) => {
                if sent && !usable.spec.idempotent {
                    return self.ask_person(step, (0, 0), "uncertain").await;
                }
                if !sent {
                    self.unsent(step).await?;
                }
                Err(Halt::Retry {
                    code: "tool_unavailable".to_owned(),
                    message: format!("{}: {message}", usable.spec.name),
                })
            }
        }
    }

    /// Writes that a call was not sent, so that it is not taken for one whose answer was lost.
    async fn unsent(&self, mut step: Step) -> Result<(), Halt> {
        step.status = StepStatus::Waiting;
        self.put(step, (0, 0), None, Vec::new()).await
    }

    async fn refuse(
        &self,
        mut step: Step,
        begins: (i32, i32),
        code: &str,
        message: String,
    ) -> Result<String, Halt> {
        step.status = StepStatus::Failed;
        step.response = Some(json!({ "error": { "code": code, "message": message } }));
        let data = json!({ "task": step.task, "path": step.path, "tool": step.name, "code": code, "message": message });
        let kind = if code == "guardrail_failed" {
            "guardrail.failed"
        } else {
            "tool.failed"
        };
        let told = for_model(step.response.as_ref());
        self.put(step, begins, None, vec![(kind, data)]).await?;
        Ok(told)
    }

    async fn rejected(
        &self,
        mut step: Step,
        begins: (i32, i32),
        known: &str,
        comment: Option<&str>,
    ) -> Result<String, Halt> {
        step.status = StepStatus::Rejected;
        let message = match comment {
            Some(comment) => format!("{known}: {comment}"),
            None => known.to_owned(),
        };
        step.response = Some(json!({ "error": { "code": "rejected", "message": message } }));
        let data =
            json!({ "task": step.task, "path": step.path, "tool": step.name, "code": "rejected" });
        let told = for_model(step.response.as_ref());
        self.put(step, begins, None, vec![("tool.failed", data)])
            .await?;
        Ok(told)
    }

    async fn put(
        &self,
        step: Step,
        begins: (i32, i32),
        ask: Option<Ask>,
        events: Vec<Event>,
    ) -> Result<(), Halt> {
        let entry = Entry {
            step: Some(step),
            ask,
            events,
            begins,
            worked_ms: self.meter.worked_ms(),
        };
        self.journal.write(entry).await
    }
}

/// The step with the arguments that a person gave.
fn edited(mut step: Step, decided: &Approval) -> Step {
    if let Some(arguments) = &decided.decided_arguments {
        step.request = json!({ "arguments": arguments, "asked": step.request["arguments"] });
    }
    step
}

/// What of a result is kept.
fn kept(value: Value) -> Value {
    let text = value.to_string();
    if text.len() <= KEPT && !text.contains("\\u0000") {
        return value;
    }
    let text: String = text.replace("\\u0000", "").chars().take(KEPT / 4).collect();
    json!({ "cut": true, "text": text })
}

/// What the model reads of a result.
fn for_model(response: Option<&Value>) -> String {
    let text = match response {
        Some(response) if response["result"].is_null() => response.to_string(),
        Some(response) => response["result"].to_string(),
        None => String::new(),
    };
    if text.chars().count() <= READ {
        return text;
    }
    let cut: String = text.chars().take(READ).collect();
    format!("{cut} ... (cut)")
}
