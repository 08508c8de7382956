use std::time::Duration;

use bz_testkit::{Fault, wait_until};
use serde_json::json;
use uuid::Uuid;

use crate::support::World;

async fn path(world: &World) -> String {
    let answer = world.talk().ask("hello").await;
    format!(
        "/api/conversations/{}/handoff",
        answer["conversation_id"].as_str().unwrap()
    )
}

#[tokio::test]
async fn a_handoff_makes_one_to_do_and_one_event() {
    let world = World::start().await;
    let path = path(&world).await;
    let owner = &world.chat.acme.owner;
    let reason = json!({ "reason": "The customer is angry." });
    let made = owner
        .post(&path, reason.clone())
        .await
        .assert_status(201)
        .json();
    assert_eq!(made["reason"], "The customer is angry.");
    let todo = &world.list().await[0];
    assert_eq!(todo["title"], "Take over the conversation \"hello\"");
    assert_eq!(todo["priority"], "high");
    assert_eq!(
        (&made["todo"]["id"], &made["todo"]["type"]),
        (&todo["id"], &json!("todo"))
    );
    assert!(
        todo["description"]
            .as_str()
            .unwrap()
            .starts_with("The customer is angry.")
    );
    let again = owner.post(&path, reason).await.assert_status(200).json();
    assert_eq!(again, made);
    assert_eq!(world.list().await.len(), 1);
    let tokens = &world.chat.tokens;
    let token = tokens.service("crm", "events:read");
    let service = world.chat.anonymous.with_token(token);
    let mut told = json!([]);
    // An event shows once nothing that began before it is open, which includes the transactions of other tests.
    let shown = async || {
        let feed = service.get("/internal/events").await.assert_status(200);
        told = feed.json()["items"].clone();
        told[0].is_object()
    };
    wait_until(shown, Duration::from_secs(30)).await;
    assert_eq!(told.as_array().unwrap().len(), 1);
    assert_eq!(told[0]["kind"], "chat.handed_off");
    assert_eq!(told[0]["data"]["todo_id"], todo["id"]);
}

#[tokio::test]
async fn only_ones_own_conversation_is_handed_over() {
    let world = World::start().await;
    let path = path(&world).await;
    let nothing = format!("/api/conversations/{}/handoff", Uuid::nil());
    let chat = &world.chat;
    for (client, path) in [
        (&chat.acme.owner, &nothing),
        (&chat.acme.admin, &path),
        (&chat.globex.owner, &path),
    ] {
        client
            .post(path, json!({}))
            .await
            .assert_problem(404, "not_found");
    }
    chat.acme
        .viewer
        .post(&path, json!({}))
        .await
        .assert_problem(403, "forbidden");
    assert!(world.list().await.is_empty());
}

#[tokio::test]
async fn a_bad_reason_is_refused_and_without_the_crm_nothing_is_handed_over() {
    let world = World::start().await;
    let path = path(&world).await;
    let owner = &world.chat.acme.owner;
    for body in [
        json!({ "reason": "" }),
        json!({ "reason": "x".repeat(2001) }),
        json!({ "why": "x" }),
    ] {
        owner
            .post(&path, body)
            .await
            .assert_problem(422, "validation_failed");
    }
    world.between.set(Fault::Refuse).await;
    let answer = owner.post(&path, json!({})).await;
    assert_eq!(answer.status, 503, "{}", answer.describe());
    world.between.set(Fault::Pass).await;
    world.chat.clock.advance(chrono::TimeDelta::seconds(11));
    owner.post(&path, json!({})).await.assert_status(201);
}
