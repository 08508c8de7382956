use std::time::Duration;

use bz_testkit::{Fault, wait_until};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::World;

#[tokio::test]
async fn without_the_crm_it_answers_kindly_and_says_that_nothing_was_changed() {
    let world = World::start().await;
    world.between.set(Fault::Refuse).await;
    let mut talk = world.talk();
    for message in [
        "add a todo: call Ada",
        "what's on my list?",
        "delete call Ada",
    ] {
        let answer = talk.ask(message).await;
        assert_eq!(answer["degraded"], json!(["crm"]), "{message}");
        assert_eq!(answer["confirmation"], Value::Null);
        assert!(
            answer["reply"]
                .as_str()
                .unwrap()
                .contains("nothing was changed"),
            "{answer}"
        );
    }
    assert!(talk.say("help").await.starts_with("I can add a to-do"));
    world.between.set(Fault::Pass).await;
    // The circuit to the CRM closes again after its pause.
    world.chat.clock.advance(TimeDelta::seconds(11));
    assert_eq!(
        talk.say("add a todo: call Ada").await,
        "Added \"call Ada\"."
    );
    assert_eq!(world.titles().await, ["call Ada"]);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_not_called_nothing() {
    let world = World::start().await;
    world.between.set(Fault::ResetAfter(0)).await;
    let answer = world.talk().ask("add a todo: call Ada").await;
    assert_eq!(answer["degraded"], json!(["crm"]));
    let reply = answer["reply"].as_str().unwrap();
    assert!(
        reply.contains("I do not know whether it was changed"),
        "{reply}"
    );
    // The retries had the message's idempotency key: it was added once.
    assert_eq!(world.titles().await, ["call Ada"]);
}

#[tokio::test]
async fn a_yes_that_did_not_reach_the_crm_can_be_said_again() {
    let world = World::start().await;
    world.todos(&["call Ada"]).await;
    let mut talk = world.talk();
    let asked = talk.ask("delete call Ada").await;
    world.between.set(Fault::Refuse).await;
    let lost = talk.ask("yes").await;
    assert_eq!(lost["degraded"], json!(["crm"]));
    assert_eq!(lost["confirmation"], asked["confirmation"]);
    assert_eq!(world.titles().await, ["call Ada"]);
    world.between.set(Fault::Pass).await;
    world.chat.clock.advance(TimeDelta::seconds(11));
    assert_eq!(talk.say("yes").await, "Deleted the to-do \"call Ada\".");
    assert!(world.titles().await.is_empty());
}

#[tokio::test]
async fn health_shows_whether_the_crm_answers() {
    let world = World::start().await;
    let health = world
        .chat
        .anonymous
        .get("/health")
        .await
        .assert_status(200)
        .json();
    assert_eq!(health["dependencies"]["crm"], "connected");
    world.between.set(Fault::Refuse).await;
    world.chat.clock.advance(TimeDelta::seconds(60));
    world.chat.refresh_health().await;
    let health = world
        .chat
        .anonymous
        .get("/health")
        .await
        .assert_status(200)
        .json();
    assert_eq!(health["status"], "degraded");
}

#[tokio::test]
async fn what_was_begun_is_finished_also_for_a_client_that_goes_away() {
    let world = World::start().await;
    world.todos(&["call Ada"]).await;
    let mut talk = world.talk();
    let asked = talk.ask("delete call Ada").await;
    let latency = Duration::from_millis(300);
    world
        .between
        .set(Fault::Delay {
            latency,
            jitter: Duration::ZERO,
        })
        .await;
    let patience = Duration::from_millis(450);
    let yes = timeout(patience, talk.send(json!({ "message": "yes" }))).await;
    assert!(yes.is_err(), "it was answered before the client went away");
    wait_until(
        async || world.titles().await.is_empty(),
        Duration::from_secs(10),
    )
    .await;
    // The conversation has the answer, and what was done can be taken back.
    let path = format!(
        "/api/conversations/{}/messages",
        asked["conversation_id"].as_str().unwrap()
    );
    let told = async || {
        let messages = world
            .chat
            .acme
            .owner
            .get(&path)
            .await
            .assert_status(200)
            .json();
        messages.to_string().contains("Deleted the to-do")
    };
    wait_until(told, Duration::from_secs(10)).await;
    world.between.set(Fault::Pass).await;
    talk.ask("undo").await;
    assert_eq!(world.titles().await, ["call Ada"]);
}
