//! What is destructive is asked for, what is uncertain too, and results where the task says so.

use serde_json::{Value, json};

use crate::play::{
    World, asked, call, decide, events, model, run, say, start, start_with, steps, until,
};

/// A run that wants to delete a to-do, and waits.
async fn wants_to_delete(world: &World) -> String {
    let owner = &world.app.acme.owner;
    let id = start(owner).await;
    until(owner, &id, "waiting_approval").await;
    id
}

async fn world() -> World {
    let provider = model(vec![
        call(
            "crm.todos.delete",
            json!({ "id": "0199e3a4-0000-7000-8000-000000000000" }),
        ),
        say("seen to"),
    ])
    .await;
    let world = World::with(&provider).await;
    // The provider plays on when it is dropped no more.
    std::mem::forget(provider);
    world
}

#[tokio::test]
async fn a_destructive_call_waits_for_a_person_and_is_made_with_the_arguments_they_approve() {
    let world = world().await;
    let owner = &world.app.acme.owner;
    let (doomed, kept) = (world.crm.add("doomed"), world.crm.add("kept"));
    let id = wants_to_delete(&world).await;
    assert_eq!(steps(owner, &id).await[1], "task.call0.0 waiting");
    let asked = asked(owner, &id).await;
    assert_eq!(
        (&asked["reason"], &asked["subject"]),
        (&json!("destructive"), &json!("crm.todos.delete"))
    );
    decide(
        owner,
        &id,
        json!({ "decision": "approve", "arguments": { "id": doomed } }),
    )
    .await;
    until(owner, &id, "succeeded").await;
    assert_eq!(world.todos(), ["kept"]);
    let told = events(owner, &id).await;
    for kind in [
        "approval.requested",
        "approval.resolved",
        "run.resumed",
        "tool.result",
    ] {
        assert!(told.contains(&kind.to_owned()), "{kind}");
    }
    assert_eq!(
        told.iter().filter(|kind| *kind == "task.started").count(),
        1
    );
    assert!(!kept.is_empty());
}

#[tokio::test]
async fn a_rejected_call_is_not_made_and_the_model_is_told_why() {
    let world = world().await;
    let owner = &world.app.acme.owner;
    let id = wants_to_delete(&world).await;
    decide(
        owner,
        &id,
        json!({ "decision": "reject", "comment": "we need it" }),
    )
    .await;
    until(owner, &id, "succeeded").await;
    assert_eq!(steps(owner, &id).await[1], "task.call0.0 rejected");
    let list = owner
        .get(&format!("/api/runs/{id}/steps"))
        .await
        .assert_status(200)
        .json();
    assert!(
        list["items"][1]["response"]
            .to_string()
            .contains("we need it")
    );
}

#[tokio::test]
async fn a_decision_is_made_once_by_somebody_who_may_and_with_arguments_that_fit() {
    let world = world().await;
    let (owner, app) = (&world.app.acme.owner, &world.app);
    let id = wants_to_delete(&world).await;
    let approval = asked(owner, &id).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/runs/{id}/approvals/{approval}");
    let yes = json!({ "decision": "approve" });
    app.globex
        .owner
        .post(&path, &yes)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .member
        .post(&path, &yes)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .viewer
        .post(&path, &yes)
        .await
        .assert_problem(403, "forbidden");
    let nobodys = format!("/api/runs/{id}/approvals/0199e3a4-0000-7000-8000-000000000000");
    owner
        .post(&nobodys, &yes)
        .await
        .assert_problem(404, "not_found");
    for bad in [
        json!({ "decision": "perhaps" }),
        json!({ "decision": "approve", "arguments": { "id": 7 } }),
        json!({ "decision": "approve", "arguments": [] }),
        json!({ "decision": "reject", "arguments": { "id": "x" } }),
    ] {
        owner
            .post(&path, &bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    let resume = owner
        .post(&format!("/api/runs/{id}/resume"), json!({}))
        .await;
    resume.assert_problem(409, "run_not_resumable");
    app.acme.admin.post(&path, &yes).await.assert_status(200);
    owner
        .post(&path, &yes)
        .await
        .assert_problem(409, "approval_not_pending");
    until(owner, &id, "succeeded").await;
}

#[tokio::test]
async fn a_run_that_waits_for_a_person_can_be_ended() {
    let world = world().await;
    let owner = &world.app.acme.owner;
    let id = wants_to_delete(&world).await;
    owner
        .post(&format!("/api/runs/{id}/cancel"), json!({}))
        .await
        .assert_status(200);
    assert_eq!(run(owner, &id).await["status"], "cancelled");
    let approval = asked(owner, &id).await["id"].as_str().unwrap().to_owned();
    let late = owner
        .post(
            &format!("/api/runs/{id}/approvals/{approval}"),
            json!({ "decision": "approve" }),
        )
        .await;
    late.assert_problem(409, "approval_not_pending");
}

fn reviewed() -> Value {
    json!({
        "name": "reviewed", "title": "Reviewed", "process": "sequential",
        "tasks": [
            { "name": "draft", "description": "draft it", "agent": "social-writer", "approval": true },
            { "name": "final", "description": "finish it", "agent": "social-writer" },
        ],
    })
}

#[tokio::test]
async fn a_result_that_a_person_looks_at_goes_on_as_they_want_it() {
    let provider = model(vec![say("draft by the model")]).await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    owner
        .post("/api/crews", reviewed())
        .await
        .assert_status(201);
    let id = start_with(owner, json!({ "crew": "reviewed" })).await;
    until(owner, &id, "waiting_approval").await;
    assert_eq!(
        asked(owner, &id).await["arguments"]["text"],
        "draft by the model"
    );
    decide(
        owner,
        &id,
        json!({ "decision": "approve", "arguments": { "text": "draft by Ada" } }),
    )
    .await;
    let run = until(owner, &id, "succeeded").await;
    assert_eq!(run["output"]["tasks"][0]["text"], "draft by Ada");
    assert!(
        provider.last().body["messages"]
            .to_string()
            .contains("draft by Ada")
    );

    let id = start_with(owner, json!({ "crew": "reviewed" })).await;
    until(owner, &id, "waiting_approval").await;
    decide(
        owner,
        &id,
        json!({ "decision": "reject", "comment": "too long" }),
    )
    .await;
    let run = until(owner, &id, "failed").await;
    assert_eq!(run["error"]["code"], "result_rejected");
}
