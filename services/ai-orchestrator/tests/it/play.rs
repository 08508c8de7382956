//! A model that plays a script, and runs that are waited for.

use std::time::Duration;

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{Client, TestApp, wait_until};
use serde_json::{Value, json};

use crate::{
    ledger::Ledger,
    provider::{Act, Provider, Seen},
};

/// Longer than anything takes here, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// What the model does in a turn.
#[derive(Clone)]
pub(crate) enum Turn {
    /// It answers.
    Say(String),
    /// It calls a tool.
    Call(&'static str, Value),
}

pub(crate) fn say(text: &str) -> Turn {
    Turn::Say(text.to_owned())
}

pub(crate) fn call(tool: &'static str, arguments: Value) -> Turn {
    Turn::Call(tool, arguments)
}

impl Turn {
    /// The turn as a provider answers it.
    pub(crate) fn answer(&self, turn: usize) -> Value {
        let (message, reason) = match self {
            Self::Say(text) => (json!({ "role": "assistant", "content": text }), "stop"),
            Self::Call(tool, arguments) => {
                let function =
                    json!({ "name": tool.replace('.', "_"), "arguments": arguments.to_string() });
                let call =
                    json!({ "id": format!("c{turn}"), "type": "function", "function": function });
                let message = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
                (message, "tool_calls")
            }
        };
        json!({
            "model": "smollm2-135m",
            "choices": [{ "index": 0, "message": message, "finish_reason": reason }],
            "usage": { "prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30 },
        })
    }

    pub(crate) fn act(&self, turn: usize) -> Act {
        Act::json(200, &self.answer(turn))
    }
}

/// How often the model has answered in the conversation that it is sent.
pub(crate) fn turn_of(seen: &Seen) -> usize {
    let messages = seen.body["messages"].as_array();
    let messages = messages.into_iter().flatten();
    messages
        .filter(|message| message["role"] == "assistant")
        .count()
}

/// All that the model is sent, as one text.
pub(crate) fn text_of(seen: &Seen) -> String {
    seen.body["messages"].to_string()
}

/// A model that plays these turns in every conversation; the last one for ever. It remembers nothing, so it plays on where a
/// conversation was interrupted.
pub(crate) async fn model(turns: Vec<Turn>) -> Provider {
    Provider::start(move |seen| {
        let turn = turn_of(seen);
        turns[turn.min(turns.len() - 1)].act(turn)
    })
    .await
}

/// The orchestrator at work with a model, beside a CRM.
pub(crate) struct World {
    pub(crate) app: TestApp<AiOrchestrator>,
    pub(crate) crm: Ledger,
}

impl World {
    /// With its workers at work.
    pub(crate) async fn with(provider: &Provider) -> Self {
        let mut world = Self::still(provider).await;
        world.app.start_jobs();
        world
    }

    /// Without.
    pub(crate) async fn still(provider: &Provider) -> Self {
        let crm = Ledger::start().await;
        let app = crm.of(provider.app()).start().await;
        Self { app, crm }
    }

    /// The titles of the to-dos, sorted.
    pub(crate) fn todos(&self) -> Vec<String> {
        self.crm.all()
    }
}

/// Starts a run of the assistant who keeps to-dos.
pub(crate) async fn start(client: &Client) -> String {
    start_with(
        client,
        json!({ "agent": "personal-assistant", "task": "see to my to-dos" }),
    )
    .await
}

/// Starts a run.
pub(crate) async fn start_with(client: &Client, body: Value) -> String {
    let run = client.post("/api/runs", body).await.assert_status(202);
    run.json()["id"].as_str().unwrap().to_owned()
}

/// The run as it is.
pub(crate) async fn run(client: &Client, id: &str) -> Value {
    let run = client.get(&format!("/api/runs/{id}")).await;
    run.assert_status(200).json()
}

/// Waits until a run is there; fails when it ends elsewhere.
pub(crate) async fn until(client: &Client, id: &str, status: &str) -> Value {
    let mut last = json!(null);
    let there = async || {
        last = run(client, id).await;
        let over = last["finished_at"].is_string();
        assert!(!over || last["status"] == status, "{last:#}");
        last["status"] == status
    };
    wait_until(there, PATIENCE).await;
    last
}

/// The steps of a run as `path status`.
pub(crate) async fn steps(client: &Client, id: &str) -> Vec<String> {
    let steps = client.get(&format!("/api/runs/{id}/steps?limit=100")).await;
    let steps = steps.assert_status(200).json();
    let steps = steps["items"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    steps
        .map(|step| format!("{} {}", text(&step["path"]), text(&step["status"])))
        .collect()
}

/// The kinds of the events of a run that is over, in order.
pub(crate) async fn events(client: &Client, id: &str) -> Vec<String> {
    let stream = client.get(&format!("/api/runs/{id}/events")).await;
    let stream = stream.assert_status(200);
    let kinds = stream
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("event: "));
    kinds.map(str::to_owned).collect()
}

/// The first thing that a run asks.
pub(crate) async fn asked(client: &Client, id: &str) -> Value {
    let asked = client.get(&format!("/api/runs/{id}/approvals")).await;
    asked.assert_status(200).json()["items"][0].clone()
}

/// Decides the first thing that a run asks.
pub(crate) async fn decide(client: &Client, id: &str, decision: Value) {
    let asked = asked(client, id).await;
    let approval = asked["id"].as_str().unwrap();
    let path = format!("/api/runs/{id}/approvals/{approval}");
    client.post(&path, decision).await.assert_status(200);
}
