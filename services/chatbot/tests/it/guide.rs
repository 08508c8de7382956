use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::World;

async fn suggested(world: &World, conversation: Option<&str>) -> Vec<Value> {
    let query = conversation
        .map(|id| format!("?conversation_id={id}"))
        .unwrap_or_default();
    let answer = world
        .chat
        .acme
        .owner
        .get(&format!("/api/chat/suggestions{query}"))
        .await;
    answer.assert_status(200).json()["items"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn suggestions_fit_what_waits_in_the_conversation() {
    let world = World::start().await;
    let begin = suggested(&world, None).await;
    assert_eq!(begin[0], "What's on my list?");
    let mut talk = world.talk();
    talk.ask("add a todo: call Ada").await;
    let id = talk.conversation.clone().unwrap();
    assert_eq!(suggested(&world, Some(&id)).await[0], "Undo");
    talk.ask("delete call Ada").await;
    assert_eq!(
        suggested(&world, Some(&id)).await[..2],
        [json!("Yes"), json!("No")]
    );
}

#[tokio::test]
async fn every_suggestion_is_understood() {
    let world = World::start().await;
    for message in suggested(&world, None).await {
        let answer = world.talk().ask(message.as_str().unwrap()).await;
        assert!(
            matches!(answer["would"].as_str(), Some("answer" | "act")),
            "{message}: {answer}"
        );
    }
}

#[tokio::test]
async fn suggestions_of_a_conversation_are_its_users_and_need_a_permission() {
    let world = World::start().await;
    let mut talk = world.talk();
    talk.ask("hello").await;
    let id = talk.conversation.clone().unwrap();
    let path = |id: &str| format!("/api/chat/suggestions?conversation_id={id}");
    let chat = &world.chat;
    for client in [&chat.acme.admin, &chat.globex.owner] {
        client
            .get(&path(&id))
            .await
            .assert_problem(404, "not_found");
    }
    let nothing = path(&Uuid::nil().to_string());
    chat.acme
        .owner
        .get(&nothing)
        .await
        .assert_problem(404, "not_found");
    chat.acme
        .viewer
        .get("/api/chat/suggestions")
        .await
        .assert_status(200);
    let bad = path("nonsense");
    chat.acme
        .owner
        .get(&bad)
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn capabilities_list_what_is_understood_and_what_may_be_asked_for() {
    let world = World::start().await;
    let answer = world.chat.acme.viewer.get("/api/chat/capabilities").await;
    let can = answer.assert_status(200).json();
    let intents = can["intents"].as_array().unwrap();
    let delete = intents
        .iter()
        .find(|one| one["intent"] == "todo.delete")
        .unwrap();
    assert_eq!(delete["asks_first"], true);
    assert_eq!(can["max_message"], 2000);
    let deals = can["questions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["type"] == "deal");
    assert!(
        deals.unwrap()["fields"]
            .as_array()
            .unwrap()
            .contains(&json!("amount"))
    );
    for one in intents {
        let example = one["example"].as_str().unwrap();
        let body = json!({ "message": example, "dry_run": true });
        let understood = world.chat.acme.owner.post("/api/chat", body).await.json();
        assert_eq!(
            understood["understood"]["intent"], one["intent"],
            "{example}"
        );
    }
}
