use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::World;

async fn path(world: &World) -> String {
    let answer = world.talk().ask("hello").await;
    format!(
        "/api/messages/{}/feedback",
        answer["message_id"].as_str().unwrap()
    )
}

#[tokio::test]
async fn an_answer_is_judged_and_judged_anew() {
    let world = World::start().await;
    let path = path(&world).await;
    let owner = &world.chat.acme.owner;
    let bad = json!({ "rating": "down", "comment": "  too long " });
    let kept = owner.post(&path, bad).await.assert_status(200).json();
    assert_eq!(
        (&kept["rating"], &kept["comment"]),
        (&json!("down"), &json!("too long"))
    );
    let kept = owner.post(&path, json!({ "rating": "up" })).await;
    let kept = kept.assert_status(200).json();
    assert_eq!(
        (&kept["rating"], &kept["comment"]),
        (&json!("up"), &Value::Null)
    );
    let mut admin = world.chat.database.admin().await;
    let rows: Vec<(String,)> = sqlx::query_as("SELECT rating FROM chat.feedback")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    assert_eq!(rows, [("up".to_owned(),)]);
    let told: Vec<(String,)> =
        sqlx::query_as("SELECT kind FROM chat.events WHERE kind = 'chat.feedback_given'")
            .fetch_all(&mut admin)
            .await
            .unwrap();
    assert_eq!(told.len(), 2);
}

#[tokio::test]
async fn only_ones_own_answers_are_judged() {
    let world = World::start().await;
    let path = path(&world).await;
    let up = || json!({ "rating": "up" });
    let nothing = format!("/api/messages/{}/feedback", Uuid::nil());
    let chat = &world.chat;
    for (client, path) in [
        (&chat.acme.owner, &nothing),
        (&chat.acme.admin, &path),
        (&chat.globex.owner, &path),
    ] {
        client
            .post(path, up())
            .await
            .assert_problem(404, "not_found");
    }
    chat.acme
        .viewer
        .post(&path, up())
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn what_the_user_said_is_not_judged() {
    let world = World::start().await;
    let mut talk = world.talk();
    talk.ask("hello").await;
    let list = format!(
        "/api/conversations/{}/messages",
        talk.conversation.as_deref().unwrap()
    );
    let said = world.chat.acme.owner.get(&list).await.json()["items"][0]["id"].clone();
    let path = format!("/api/messages/{}/feedback", said.as_str().unwrap());
    let answer = world
        .chat
        .acme
        .owner
        .post(&path, json!({ "rating": "up" }))
        .await;
    answer.assert_problem(409, "not_an_answer");
}

#[tokio::test]
async fn bad_feedback_is_refused() {
    let world = World::start().await;
    let path = path(&world).await;
    for body in [
        json!({}),
        json!({ "rating": "great" }),
        json!({ "rating": "up", "comment": " " }),
        json!({ "rating": "up", "comment": "x".repeat(2001) }),
        json!({ "rating": "up", "stars": 5 }),
    ] {
        let answer = world.chat.acme.owner.post(&path, body).await;
        answer.assert_problem(422, "validation_failed");
    }
}
