//! Questions to models.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Engine, Halt};
use crate::{
    llm::{ChatAnswer, ChatRequest, FinishReason, Message, ToolCall},
    runs::{
        journal::{Entry, Event, Step, StepStatus},
        worker::Answering,
    },
};

/// What a model said, as the journal keeps it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    /// Its text.
    pub text: Option<String>,
    /// Its calls.
    pub calls: Vec<ToolCall>,
}

impl Said {
    /// What the journal has.
    fn from_journal(response: &Value) -> Self {
        let calls = response["tool_calls"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            text: response["content"].as_str().map(str::to_owned),
            calls: calls
                .map(|call| ToolCall {
                    id: text(&call["id"]),
                    name: text(&call["name"]),
                    arguments: call["arguments"].clone(),
                })
                .collect(),
        }
    }

    /// The same for the next question.
    pub(super) fn message(&self) -> Message {
        Message::Assistant {
            content: self.text.clone(),
            tool_calls: self.calls.clone(),
        }
    }
}

/// A question.
pub(super) struct Question<'a> {
    /// The task it belongs to.
    pub task: &'a str,
    /// Its place in the run.
    pub path: String,
    /// What is asked.
    pub request: ChatRequest,
    /// What is new in it since the last one, for people.
    pub added: Value,
    /// What is told with it.
    pub events: Vec<Event>,
}

impl Engine {
    /// Asks, unless the journal has the answer.
    pub(super) async fn ask(&self, question: Question<'_>) -> Result<Said, Halt> {
        let known = self.journal.step(&question.path);
        if let Some(step) = known.filter(|step| step.status.is_finished()) {
            return Ok(Said::from_journal(&step.response.unwrap_or_default()));
        }
        self.may_go_on()?;
        let Question {
            task,
            path,
            mut request,
            added,
            mut events,
        } = question;
        let estimate = tokens(&request);
        let most = self.meter.before_question(estimate)?;
        request.max_tokens = Some(u32::try_from(most).unwrap_or(u32::MAX));
        let started_at = self.journal.now();
        let (run, attempt) = (self.journal.run, self.journal.attempt);
        let started = json!({ "task": task, "path": path, "attempt": attempt });
        events.push(("llm.started", started));
        // Before it is told, so that whoever reads that it began finds it; until it is told that it ended.
        let watched = self.app.runs.hub().answering(run, &path, attempt);
        self.tell(events).await?;

        let answer = self.answer(request, watched.as_ref()).await?;
        let (tokens, cost) = (answer.usage.total(), answer.cost);
        self.meter.after_question(estimate + most, tokens, cost);
        let step = Step {
            kind: "llm",
            name: answer.model.clone(),
            task: task.to_owned(),
            status: StepStatus::Succeeded,
            request: json!({ "added": added, "max_tokens": most }),
            response: Some(for_journal(&answer)),
            spent: (
                answer.usage.prompt_tokens.into(),
                answer.usage.completion_tokens.into(),
                cost,
            ),
            started_at,
            path,
        };
        let said = Said {
            text: answer.content.clone(),
            calls: answer.tool_calls.clone(),
        };
        let mut events = told(&step, &answer);
        events.extend(self.meter.warnings());
        let entry = Entry {
            step: Some(step),
            events,
            begins: (1, 0),
            worked_ms: self.meter.worked_ms(),
            ask: None,
        };
        self.journal.write(entry).await?;
        Ok(said)
    }

    /// The answer, told piece by piece to those who watch.
    async fn answer(
        &self,
        request: ChatRequest,
        watched: Option<&Answering>,
    ) -> Result<ChatAnswer, Halt> {
        // Dropped with this future, when the run is ended: whoever works at the answer is told.
        let cancel = CancellationToken::new();
        let _ends_with_us = cancel.clone().drop_guard();
        let (who, gateway) = (self.charge(), &self.app.gateway);
        let answer = match watched {
            Some(watched) => {
                let said = |piece: &str| watched.say(piece);
                gateway.chat_streamed(&who, request, cancel, &said).await
            }
            None => gateway.chat(&who, request, cancel).await,
        };
        answer.map_err(|error| self.not_answered(error))
    }

    fn not_answered(&self, error: crate::llm::LlmError) -> Halt {
        let halt = Halt::from(error);
        let run = self.journal.run;
        tracing::info!(run.id = %run, ?halt, "a model gave no answer");
        halt
    }
}

/// What of an answer the journal keeps.
fn for_journal(answer: &ChatAnswer) -> Value {
    let calls = answer.tool_calls.iter();
    let calls =
        calls.map(|call| json!({ "id": call.id, "name": call.name, "arguments": call.arguments }));
    json!({
        "content": answer.content,
        "tool_calls": calls.collect::<Vec<_>>(),
        "provider": answer.provider,
        "cut": answer.finish_reason == FinishReason::Length,
    })
}

fn told(step: &Step, answer: &ChatAnswer) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for (provider, code) in &answer.fallbacks {
        let data =
            json!({ "task": step.task, "path": step.path, "provider": provider, "code": code });
        events.push(("provider.fallback", data));
    }
    let usage = json!({
        "prompt_tokens": answer.usage.prompt_tokens,
        "completion_tokens": answer.usage.completion_tokens,
        "estimated": answer.usage.estimated,
    });
    events.push((
        "llm.completed",
        json!({
            "task": step.task, "path": step.path, "provider": answer.provider, "model": answer.model,
            "usage": usage, "cost_micros": answer.cost,
        }),
    ));
    events
}

/// About how many tokens a request has: four characters a token.
fn tokens(request: &ChatRequest) -> u64 {
    let text = serde_json::to_string(&request.to_wire()).unwrap_or_default();
    (text.len() / 4) as u64
}
