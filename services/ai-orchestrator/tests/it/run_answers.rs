//! What models answer and call is held against schemas and rules.

use serde_json::json;

use crate::play::{World, call, events, model, say, start, start_with, steps, until};

#[tokio::test]
async fn structured_output_is_repaired_once_and_then_given_up() {
    let schema = json!({ "type": "object", "required": ["score"], "properties": { "score": { "type": "integer" } } });
    let body = json!({ "agent": "social-writer", "output_schema": schema });
    let repaired = model(vec![
        say("the score is 7"),
        say("```json\n{\"score\": 7}\n```"),
    ])
    .await;
    let world = World::with(&repaired).await;
    let owner = &world.app.acme.owner;
    let id = start_with(owner, body.clone()).await;
    let run = until(owner, &id, "succeeded").await;
    assert_eq!(run["output"]["data"], json!({ "score": 7 }));
    assert!(
        events(owner, &id)
            .await
            .contains(&"guardrail.failed".to_owned())
    );
    let asked = repaired.last().body;
    assert_eq!(asked["response_format"]["json_schema"]["schema"], schema);

    let hopeless = model(vec![say("the score is 7")]).await;
    let world = World::with(&hopeless).await;
    let owner = &world.app.acme.owner;
    let id = start_with(owner, body).await;
    let run = until(owner, &id, "failed").await;
    assert_eq!(run["error"]["code"], "schema_invalid");
    assert_eq!(run["output"]["unfinished"]["task"], "the score is 7");
}

#[tokio::test]
async fn guardrails_hold_for_what_goes_in_what_comes_out_and_what_tools_are_called_with() {
    let provider = model(vec![
        call("crm.todos.create", json!({ "title": "wire the money" })),
        say("it is Guaranteed"),
        say("done"),
    ])
    .await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let agent = json!({
        "name": "careful", "title": "Careful", "role": "a clerk", "goal": "be careful", "tools": ["crm.todos.create"],
        "guardrails": [
            { "rule": "forbid", "on": "arguments", "phrases": ["money"] },
            { "rule": "forbid", "on": "output", "phrases": ["guaranteed"] },
            { "rule": "forbid", "on": "input", "phrases": ["secret"] },
        ],
    });
    owner.post("/api/agents", agent).await.assert_status(201);
    let id = start_with(owner, json!({ "agent": "careful", "task": "x" })).await;
    assert_eq!(
        until(owner, &id, "succeeded").await["output"]["text"],
        "done"
    );
    assert!(world.todos().is_empty());
    let told = events(owner, &id).await;
    assert_eq!(
        told.iter()
            .filter(|kind| *kind == "guardrail.failed")
            .count(),
        2
    );
    let id = start_with(
        owner,
        json!({ "agent": "careful", "task": "tell the SECRET" }),
    )
    .await;
    let run = until(owner, &id, "failed").await;
    assert_eq!(run["error"]["code"], "guardrail_failed");
    assert_eq!(run["usage"]["steps"], 0);
}

#[tokio::test]
async fn a_model_that_calls_what_is_not_there_or_calls_it_wrongly_is_told_so() {
    let provider = model(vec![
        call("crm.leads.delete", json!({})),
        call("crm.todos.create", json!({ "title": 7 })),
        call(
            "crm.todos.update",
            json!({ "id": "0199e3a4-0000-7000-8000-000000000000", "title": "x" }),
        ),
        say("sorry"),
    ])
    .await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    until(owner, &id, "succeeded").await;
    let told: Vec<String> = steps(owner, &id)
        .await
        .into_iter()
        .filter(|step| step.contains("call"))
        .collect();
    assert_eq!(
        told,
        [
            "task.call0.0 failed",
            "task.call1.0 failed",
            "task.call2.0 failed"
        ]
    );
    let read = provider.last().body["messages"].to_string();
    for words in ["unknown_tool", "schema_invalid", "not_found"] {
        assert!(read.contains(words), "{words}: {read}");
    }
}
