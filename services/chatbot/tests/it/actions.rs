//! Yes and no by id.

use bz_testkit::Fault;
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::World;

async fn asked(world: &World) -> Value {
    world.todos(&["call Ada"]).await;
    let asked = world.talk().ask("delete call Ada").await;
    assert_eq!(asked["confirmation"]["action"], "todo.delete");
    assert_eq!(asked["would"], "confirm");
    asked
}

#[tokio::test]
async fn a_yes_by_id_does_it_once_and_stands_in_the_history() {
    let world = World::start().await;
    let asked = asked(&world).await;
    let id = &asked["confirmation"]["action_id"];
    let done = world.decide(id, "confirm").await.assert_status(200).json();
    assert_eq!(done["reply"], "Deleted the to-do \"call Ada\".");
    assert_eq!(done["actions"][0]["id"], *id);
    assert_eq!(done["actions"][0]["action"], "todo.delete");
    assert!(world.titles().await.is_empty());
    world
        .decide(id, "confirm")
        .await
        .assert_problem(409, "action_already_used");
    world
        .decide(id, "reject")
        .await
        .assert_problem(409, "action_already_used");
    let path = format!(
        "/api/conversations/{}/messages",
        asked["conversation_id"].as_str().unwrap()
    );
    let said = world.chat.acme.owner.get(&path).await.json();
    let said: Vec<&Value> = said["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["text"])
        .collect();
    assert_eq!(said[2..], [&json!("Yes"), &done["reply"]]);
}

#[tokio::test]
async fn a_no_by_id_ends_the_question_and_changes_nothing() {
    let world = World::start().await;
    let asked = asked(&world).await;
    let id = &asked["confirmation"]["action_id"];
    let kept = world.decide(id, "reject").await.assert_status(200).json();
    assert_eq!(kept["reply"], "All right, I changed nothing.");
    world
        .decide(id, "confirm")
        .await
        .assert_problem(409, "action_already_used");
    assert_eq!(world.titles().await, ["call Ada"]);
}

#[tokio::test]
async fn a_yes_by_id_lapses_after_ten_minutes() {
    let world = World::start().await;
    let asked = asked(&world).await;
    world.chat.clock.advance(TimeDelta::minutes(10));
    let id = &asked["confirmation"]["action_id"];
    for verb in ["confirm", "reject"] {
        world
            .decide(id, verb)
            .await
            .assert_problem(409, "action_expired");
    }
    assert_eq!(world.titles().await, ["call Ada"]);
}

#[tokio::test]
async fn a_target_that_changed_is_asked_about_again() {
    let world = World::start().await;
    let asked = asked(&world).await;
    let todo = &world.list().await[0];
    let path = format!("/api/todos/{}", todo["id"].as_str().unwrap());
    let renamed = json!({ "title": "call Ada about the contract" });
    world
        .crm
        .acme
        .owner
        .patch(&path, renamed)
        .await
        .assert_status(200);
    let id = &asked["confirmation"]["action_id"];
    let problem = world
        .decide(id, "confirm")
        .await
        .assert_problem(409, "target_changed")
        .json();
    assert_eq!(world.titles().await, ["call Ada about the contract"]);
    let again = &problem["confirmation"];
    assert_eq!(
        again["summary"],
        "Delete the to-do \"call Ada about the contract\""
    );
    assert_ne!(again["action_id"], *id);
    world
        .decide(&again["action_id"], "confirm")
        .await
        .assert_status(200);
    assert!(world.titles().await.is_empty());
}

#[tokio::test]
async fn without_the_crm_the_question_waits_on() {
    let world = World::start().await;
    let asked = asked(&world).await;
    let id = &asked["confirmation"]["action_id"];
    world.between.set(Fault::Refuse).await;
    let problem = world
        .decide(id, "confirm")
        .await
        .assert_problem(503, "crm_unavailable");
    assert!(problem.header("retry-after").is_some());
    assert_eq!(problem.json()["changed"], "nothing");
    world.between.set(Fault::Pass).await;
    world.chat.clock.advance(TimeDelta::seconds(11));
    world.decide(id, "confirm").await.assert_status(200);
    assert!(world.titles().await.is_empty());
}

#[tokio::test]
async fn a_question_that_is_not_there_or_not_ones_own_is_not_found() {
    let world = World::start().await;
    let asked = asked(&world).await;
    let id = asked["confirmation"]["action_id"].as_str().unwrap();
    for (client, id) in [
        (&world.chat.acme.owner, Uuid::nil().to_string().as_str()),
        (&world.chat.acme.admin, id),
        (&world.chat.globex.owner, id),
    ] {
        for verb in ["confirm", "reject", "undo"] {
            let path = format!("/api/chat/actions/{id}/{verb}");
            client
                .post(&path, json!({}))
                .await
                .assert_problem(404, "not_found");
        }
    }
    let path = format!("/api/chat/actions/{id}/confirm");
    world
        .chat
        .acme
        .viewer
        .post(&path, json!({}))
        .await
        .assert_problem(403, "forbidden");
    world
        .chat
        .acme
        .owner
        .post("/api/chat/actions/nonsense/confirm", json!({}))
        .await
        .assert_status(404);
}

#[tokio::test]
async fn two_who_confirm_at_once_delete_once() {
    let world = World::start().await;
    let asked = asked(&world).await;
    let id = &asked["confirmation"]["action_id"];
    let (one, other) = tokio::join!(world.decide(id, "confirm"), world.decide(id, "confirm"));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn what_was_done_names_its_record_and_how_to_take_it_back() {
    let world = World::start().await;
    world.todos(&["call Ada"]).await;
    let mut talk = world.talk();
    let asked = talk.ask("mark call Ada as done").await;
    assert_eq!(asked["would"], "act");
    assert_eq!(asked["actions"][0]["can_undo"], true);
    assert_eq!(asked["links"][0]["title"], "call Ada");
    assert_eq!(asked["understood"]["slots"]["target"], "call Ada");
}
