use bz_testkit::Tenant;
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::Executor;

use crate::support::World;

#[tokio::test]
async fn no_keeps_it_and_ends_the_question() {
    let world = World::start().await;
    world.todos(&["call Ada"]).await;
    let mut talk = world.talk();
    talk.ask("delete call Ada").await;
    assert_eq!(talk.say("no").await, "All right, I changed nothing.");
    assert_eq!(
        talk.say("yes").await,
        "There is nothing waiting for your answer."
    );
    assert_eq!(world.titles().await, ["call Ada"]);
}

#[tokio::test]
async fn a_yes_counts_once() {
    let world = World::start().await;
    world.todos(&["call Ada", "call Ada again"]).await;
    let mut talk = world.talk();
    talk.ask("delete call Ada").await;
    assert_eq!(talk.say("yes").await, "Deleted the to-do \"call Ada\".");
    assert_eq!(
        talk.say("yes").await,
        "There is nothing waiting for your answer."
    );
    assert_eq!(world.titles().await, ["call Ada again"]);
}

#[tokio::test]
async fn a_yes_after_ten_minutes_changes_nothing() {
    let world = World::start().await;
    world.todos(&["call Ada"]).await;
    let mut talk = world.talk();
    talk.ask("delete call Ada").await;
    world.chat.clock.advance(TimeDelta::minutes(10));
    assert_eq!(
        talk.say("yes").await,
        "That question has expired, so nothing was changed. Please ask again."
    );
    assert_eq!(world.titles().await, ["call Ada"]);
}

#[tokio::test]
async fn an_unclear_answer_leaves_the_question_open_and_another_command_ends_it() {
    let world = World::start().await;
    world.todos(&["call Ada"]).await;
    let mut talk = world.talk();
    let asked = talk.ask("delete call Ada").await;
    let unclear = talk.ask("maybe").await;
    assert_eq!(
        unclear["confirmation"]["action_id"],
        asked["confirmation"]["action_id"]
    );
    assert_eq!(unclear["reply"], asked["reply"]);
    talk.ask("what's on my list?").await;
    assert_eq!(
        talk.say("yes").await,
        "There is nothing waiting for your answer."
    );
    assert_eq!(world.titles().await, ["call Ada"]);
}

#[tokio::test]
async fn what_changed_after_the_question_is_left_alone_and_asked_about_again() {
    let world = World::start().await;
    world.todos(&["call Ada"]).await;
    let mut talk = world.talk();
    talk.ask("delete call Ada").await;
    let todos = world.crm.acme.owner.get("/api/todos").await.json();
    let path = format!("/api/todos/{}", todos["items"][0]["id"].as_str().unwrap());
    world
        .crm
        .acme
        .owner
        .patch(&path, json!({ "title": "call Ada about the contract" }))
        .await
        .assert_status(200);
    let again = talk.ask("yes").await;
    assert_eq!(
        again["reply"],
        "It has been changed in the meantime, so I did nothing yet. \
         Delete the to-do \"call Ada about the contract\"? Say \"yes\" or \"no\"."
    );
    assert_eq!(world.titles().await, ["call Ada about the contract"]);
    talk.ask("yes").await;
    assert!(world.titles().await.is_empty());
}

#[tokio::test]
async fn arguments_that_were_tampered_with_are_not_used() {
    let world = World::start().await;
    world.todos(&["call Ada", "buy milk"]).await;
    let mut talk = world.talk();
    talk.ask("delete call Ada").await;
    let milk = world.crm.acme.owner.get("/api/todos").await.json()["items"][0]["id"].clone();
    let tampered = format!(
        "UPDATE chat.confirmations SET action = jsonb_set(action, '{{todos,0,id}}', '{milk}')"
    );
    let mut admin = world.chat.database.admin().await;
    let done = admin.execute(tampered.as_str()).await.unwrap();
    assert_eq!(done.rows_affected(), 1);
    assert_eq!(
        talk.say("yes").await,
        "There is nothing waiting for your answer."
    );
    assert_eq!(world.titles().await, ["buy milk", "call Ada"]);
}

#[tokio::test]
async fn everything_is_deleted_only_after_a_yes() {
    let world = World::start().await;
    world.todos(&["call Ada", "buy milk", "pay rent"]).await;
    let mut talk = world.talk();
    let asked = talk.ask("delete all my to-dos").await;
    assert!(
        asked["reply"]
            .as_str()
            .unwrap()
            .starts_with("Delete 3 to-dos ("),
        "{asked}"
    );
    assert_eq!(world.titles().await.len(), 3);
    assert!(talk.say("yes please").await.starts_with("Deleted 3 to-dos"));
    assert!(world.titles().await.is_empty());
}

#[tokio::test]
async fn two_at_once_get_one_yes() {
    let world = World::start().await;
    world.todos(&["call Ada"]).await;
    let mut talk = world.talk();
    talk.ask("delete call Ada").await;
    let yes = || talk.send(json!({ "message": "yes" }));
    let (one, other) = tokio::join!(yes(), yes());
    let replies = [one, other].map(|answer| answer.assert_status(200).json()["reply"].clone());
    let done = replies
        .iter()
        .filter(|reply| **reply == "Deleted the to-do \"call Ada\".")
        .count();
    assert_eq!(done, 1, "{replies:?}");
}

#[tokio::test]
async fn a_question_is_kept_for_its_user_and_tenant_only() {
    let world = World::start().await;
    world.todos(&["call Ada"]).await;
    let mut talk = world.talk();
    let asked = talk.ask("delete call Ada").await;
    assert_ne!(asked["confirmation"], Value::Null);
    let mut elsewhere = world.talk();
    assert_eq!(
        elsewhere.say("yes").await,
        "There is nothing waiting for your answer."
    );
    let mut tx = world
        .chat
        .db()
        .tenant(&Tenant::Globex.scope())
        .await
        .unwrap();
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM chat.confirmations")
        .fetch_one(tx.conn())
        .await
        .unwrap();
    assert_eq!(seen, 0);
}

#[tokio::test]
async fn what_only_sounds_like_a_yes_is_asked_again() {
    let world = World::start().await;
    world.todos(&["buy milk"]).await;
    let mut talk = world.talk();
    talk.ask("delete buy milk").await;
    for message in ["this is a true statement", "maybe", "I believe so"] {
        let again = talk.ask(message).await;
        assert_eq!(again["would"], "ask", "{message}");
        assert_eq!(again["confirmation"]["action"], "todo.delete", "{message}");
    }
    assert_eq!(world.titles().await, ["buy milk"]);
    talk.ask("yes").await;
    assert!(world.titles().await.is_empty());
}
