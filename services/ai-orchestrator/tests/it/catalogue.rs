//! The ready agents: each plays its example, and the document says what they are.

use std::{fs, path::Path};

use ai_orchestrator::catalogue::{catalogue, document};
use bz_kernel::platform;
use serde_json::{Value, json};

use crate::{
    ledger::Ledger,
    play::{Turn, start_with, steps, turn_of, until},
    provider::{Act, Provider, Seen},
};

/// `$last.id` is the id in the result of the call before.
fn filled(arguments: &Value, seen: &Seen) -> Value {
    let text = arguments.to_string();
    if !text.contains("$last.id") {
        return arguments.clone();
    }
    let last = seen.body["messages"].as_array().unwrap().last().unwrap();
    let result: Value = serde_json::from_str(last["content"].as_str().unwrap()).unwrap();
    serde_json::from_str(&text.replace("$last.id", result["id"].as_str().unwrap())).unwrap()
}

/// A model that plays the examples: it knows which by the agent's goal.
async fn player() -> Provider {
    let agents = catalogue().unwrap();
    Provider::start(move |seen| {
        let system = seen.body["messages"][0]["content"].as_str().unwrap();
        let ready = agents.iter().find(|ready| system.contains(ready.goal())).unwrap();
        let turn = turn_of(seen);
        match ready.example.calls.get(turn) {
            Some(call) => {
                let name = call.tool.replace('.', "_");
                let function = json!({ "name": name, "arguments": filled(&call.arguments, seen).to_string() });
                let call = json!({ "id": format!("c{turn}"), "type": "function", "function": function });
                let message = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
                Act::json(200, &json!({ "choices": [{ "index": 0, "message": message, "finish_reason": "tool_calls" }] }))
            }
            None => Turn::Say(ready.example.answer.clone()).act(turn),
        }
    })
    .await
}

#[tokio::test]
async fn every_ready_agent_plays_its_example() {
    let provider = player().await;
    let siblings = Ledger::start().await;
    let url = format!("http://{}", siblings.address()).parse().unwrap();
    let app = siblings
        .of(provider.app())
        .sibling(&platform::ANALYTICS, &url);
    let mut app = app.sibling(&platform::IDENTITY, &url).start().await;
    app.start_jobs();
    let owner = &app.acme.owner;
    let mut runs = Vec::new();
    for ready in catalogue().unwrap() {
        let example = &ready.example;
        let body = json!({ "agent": ready.name, "task": example.task, "inputs": example.inputs });
        runs.push((start_with(owner, body).await, ready));
    }
    for (id, ready) in runs {
        let run = until(owner, &id, "succeeded").await;
        assert_eq!(
            run["output"]["text"],
            ready.example.answer.as_str(),
            "{}",
            ready.name
        );
        let made = steps(owner, &id).await;
        let calls: Vec<&String> = made.iter().filter(|step| step.contains(".call")).collect();
        assert_eq!(calls.len(), ready.example.calls.len(), "{}", ready.name);
        assert!(
            calls.iter().all(|call| call.ends_with("succeeded")),
            "{}: {made:?}",
            ready.name
        );
    }
}

#[test]
fn the_document_of_the_agents_is_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/agents.md");
    let wanted = document().unwrap();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    assert_eq!(
        fs::read_to_string(path).unwrap_or_default(),
        wanted,
        "run the tests with BLESS=1"
    );
}
