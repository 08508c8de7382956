//! Taking back.

use serde_json::{Value, json};

use crate::support::{Talk, World};

/// Says something that is done at once, and takes it back by id.
async fn there_and_back(world: &World, talk: &mut Talk<'_>, message: &str) -> Value {
    let done = talk.ask(message).await;
    let action = &done["actions"][0];
    assert_eq!(action["can_undo"], true, "{message}: {done}");
    let back = world.decide(&action["id"], "undo").await;
    back.assert_status(200).json()
}

#[tokio::test]
async fn what_was_added_goes_into_the_trash() {
    let world = World::start().await;
    let back = there_and_back(&world, &mut world.talk(), "add a todo: call Ada").await;
    assert_eq!(
        back["reply"],
        "Taken back: \"call Ada\" is as it was before."
    );
    assert!(world.titles().await.is_empty());
    let trash = world.crm.acme.owner.get("/api/todos?deleted=only").await;
    assert_eq!(trash.json()["items"][0]["title"], "call Ada");
}

#[tokio::test]
async fn what_was_changed_gets_its_old_values() {
    let world = World::start().await;
    let due = json!({ "title": "call Ada", "due_at": "2026-03-05T10:00:00Z" });
    world.make("todos", due).await;
    let before = world.list().await[0].clone();
    let mut talk = world.talk();
    for message in [
        "mark call Ada as done",
        "rename call Ada to call Grace",
        "move call Ada to friday",
    ] {
        there_and_back(&world, &mut talk, message).await;
        let now = &world.list().await[0];
        for field in ["title", "status", "completed", "due_at", "due_date"] {
            assert_eq!(now[field], before[field], "{message}: {field}");
        }
    }
}

#[tokio::test]
async fn what_was_deleted_comes_back() {
    let world = World::start().await;
    world.todos(&["call Ada", "buy milk"]).await;
    let mut talk = world.talk();
    talk.ask("delete all my to-dos").await;
    let done = talk.ask("yes").await;
    assert_eq!(done["actions"][0]["action"], "todo.bulk_delete");
    assert!(world.titles().await.is_empty());
    assert_eq!(
        talk.say("undo").await,
        "Taken back: \"buy milk\", \"call Ada\" is as it was before."
    );
    assert_eq!(world.titles().await, ["buy milk", "call Ada"]);
    assert_eq!(
        talk.say("undo").await,
        "There is nothing that I could take back."
    );
}

#[tokio::test]
async fn it_is_taken_back_once() {
    let world = World::start().await;
    let done = world.talk().ask("add a todo: call Ada").await;
    let id = &done["actions"][0]["id"];
    world.decide(id, "undo").await.assert_status(200);
    world
        .decide(id, "undo")
        .await
        .assert_problem(409, "action_already_used");
}

#[tokio::test]
async fn somebody_elses_later_change_is_not_overwritten() {
    let world = World::start().await;
    world.todos(&["call Ada"]).await;
    let done = world.talk().ask("rename call Ada to call Grace").await;
    let id = &done["actions"][0]["id"];
    let path = format!(
        "/api/todos/{}",
        world.list().await[0]["id"].as_str().unwrap()
    );
    let change = json!({ "title": "call Grace Hopper" });
    let owner = &world.crm.acme.owner;
    owner.patch(&path, change).await.assert_status(200);
    world
        .decide(id, "undo")
        .await
        .assert_problem(409, "target_changed");
    assert_eq!(world.titles().await, ["call Grace Hopper"]);
}
