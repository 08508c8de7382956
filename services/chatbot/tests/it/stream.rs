//! Answers as server-sent events.

use bz_testkit::TestResponse;
use serde_json::{Value, json};

use crate::support::World;

/// Names and data of the events.
fn events(response: &TestResponse) -> Vec<(String, Value)> {
    let mut events = Vec::new();
    for block in response.text().split("\n\n") {
        let field = |name: &str| {
            let line = block.lines().find(|line| line.starts_with(name))?;
            Some(line[name.len()..].trim().to_owned())
        };
        if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
            events.push((name, serde_json::from_str(&data).unwrap()));
        }
    }
    events
}

async fn streamed(world: &World, body: Value) -> Vec<(String, Value)> {
    let answer = world.chat.acme.owner.post("/api/chat", body).await;
    let answer = answer.assert_status(200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    events(&answer)
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn an_action_is_told_step_by_step() {
    let world = World::start().await;
    let body = json!({ "message": "add a todo: call Ada", "stream": true });
    let heard = streamed(&world, body).await;
    assert_eq!(
        names(&heard),
        [
            "message.started",
            "understood",
            "action.preview",
            "action.executed",
            "delta",
            "message.completed"
        ]
    );
    assert_eq!(heard[1].1["intent"], "todo.create");
    assert_eq!(heard[2].1["asks"], false);
    let completed = &heard[5].1;
    assert_eq!(completed["reply"], "Added \"call Ada\".");
    assert_eq!(completed["actions"][0], heard[3].1);
    assert_eq!(heard[0].1["conversation_id"], completed["conversation_id"]);
    assert_eq!(world.titles().await, ["call Ada"]);
}

#[tokio::test]
async fn a_question_is_told_with_its_id_and_the_text_comes_in_pieces() {
    let world = World::start().await;
    world.todos(&["call Ada", "buy milk"]).await;
    let body = json!({ "message": "delete call Ada", "stream": true });
    let heard = streamed(&world, body).await;
    assert_eq!(
        names(&heard),
        [
            "message.started",
            "understood",
            "action.preview",
            "confirmation.required",
            "delta",
            "message.completed"
        ]
    );
    assert_eq!(heard[3].1, heard[5].1["confirmation"]);
    let list = json!({ "message": "what's on my list?", "stream": true });
    let heard = streamed(&world, list).await;
    let text: String = heard
        .iter()
        .filter(|(name, _)| name == "delta")
        .map(|(_, data)| data["text"].as_str().unwrap())
        .collect();
    assert_eq!(text, heard.last().unwrap().1["reply"].as_str().unwrap());
    assert!(names(&heard).contains(&"citation"), "{heard:?}");
}

#[tokio::test]
async fn a_client_asks_for_events_with_accept_too_and_a_repeat_gets_the_same_answer() {
    let world = World::start().await;
    let say = async || {
        let call = world
            .chat
            .acme
            .owner
            .post("/api/chat", json!({ "message": "add a todo: call Ada" }));
        let call = call.header("accept", "text/event-stream");
        events(
            &call
                .header("idempotency-key", "one")
                .await
                .assert_status(200),
        )
    };
    let first = say().await;
    let again = say().await;
    assert_eq!(names(&again), ["delta", "message.completed"]);
    assert_eq!(first.last(), again.last());
    assert_eq!(world.titles().await, ["call Ada"]);
}

#[tokio::test]
async fn without_the_crm_the_stream_says_what_failed() {
    let world = World::start().await;
    world.between.set(bz_testkit::Fault::Refuse).await;
    let body = json!({ "message": "add a todo: call Ada", "stream": true });
    let heard = streamed(&world, body).await;
    assert_eq!(
        names(&heard),
        [
            "message.started",
            "understood",
            "action.preview",
            "action.failed",
            "degraded",
            "delta",
            "message.completed"
        ]
    );
    assert_eq!(heard[4].1, json!({ "part": "crm" }));
}

#[tokio::test]
async fn what_can_be_refused_is_a_problem_and_no_stream() {
    let world = World::start().await;
    let body = json!({ "message": "hello", "stream": true, "conversation_id": uuid::Uuid::nil() });
    let answer = world.chat.acme.owner.post("/api/chat", body).await;
    answer.assert_problem(404, "conversation_not_found");
}
