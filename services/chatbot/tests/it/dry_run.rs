//! Dry runs: what would be done is said, and nothing is done or stored.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::World;

async fn dry(world: &World, mut body: Value) -> Value {
    body["dry_run"] = json!(true);
    world
        .chat
        .acme
        .owner
        .post("/api/chat", body)
        .await
        .assert_status(200)
        .json()
}

#[tokio::test]
async fn a_dry_run_changes_nothing_stores_nothing_and_says_what_it_would_do() {
    let world = World::start().await;
    world.todos(&["buy milk"]).await;
    let add = dry(&world, json!({ "message": "remind me to call Ada" })).await;
    assert_eq!(add["reply"], "I would do this: Add the to-do \"call Ada\".");
    assert_eq!(
        (&add["dry_run"], &add["would"]),
        (&json!(true), &json!("act"))
    );
    assert_eq!(
        (&add["conversation_id"], &add["message_id"]),
        (&Value::Null, &Value::Null)
    );
    let delete = dry(&world, json!({ "message": "delete buy milk" })).await;
    assert_eq!(delete["would"], "confirm");
    assert_eq!(delete["understood"]["slots"]["target"], "buy milk");
    assert_eq!(delete["confirmation"], Value::Null);
    assert_eq!(world.titles().await, ["buy milk"]);
    let conversations = world.chat.acme.owner.get("/api/conversations").await;
    assert_eq!(conversations.json()["items"], json!([]));
}

#[tokio::test]
async fn a_reference_time_and_a_zone_resolve_the_dates() {
    let world = World::start().await;
    let body = json!({
        "message": "remind me to call Ada tomorrow at 3pm", "time_zone": "America/New_York",
        "reference_time": "2013-02-12T04:30:00-02:00",
    });
    let answer = dry(&world, body).await;
    assert_eq!(answer["understood"]["intent"], "todo.create");
    assert_eq!(
        answer["understood"]["slots"],
        json!({ "title": "call Ada", "due_at": "2013-02-13T20:00:00Z" })
    );
    assert_eq!(answer["understood"]["language"], "en");
}

#[tokio::test]
async fn a_context_stands_in_for_what_is_stored() {
    let world = World::start().await;
    world.todos(&["sales report"]).await;
    let context = json!({ "todos": [
        { "title": "Call Ada" }, { "title": "Sales report" }, { "title": "Tax report" },
        { "title": "Pay rent", "completed": true, "due_at": "2026-03-01T09:00:00Z" },
    ] });
    for (message, intent, would, target) in [
        (
            "mark call ada as done",
            "todo.complete",
            "act",
            json!("Call Ada"),
        ),
        ("complete the report", "todo.complete", "ask", Value::Null),
        (
            "delete the tax report",
            "todo.delete",
            "confirm",
            json!("Tax report"),
        ),
        ("delete the dentist", "todo.delete", "ask", Value::Null),
        (
            "delete all my to-dos",
            "todo.bulk_delete",
            "confirm",
            Value::Null,
        ),
        (
            "move call ada to friday",
            "todo.update",
            "act",
            json!("Call Ada"),
        ),
        ("what's on my list?", "todo.list", "answer", Value::Null),
        ("play some jazz", "none", "nothing", Value::Null),
    ] {
        let answer = dry(&world, json!({ "message": message, "context": context })).await;
        assert_eq!(answer["understood"]["intent"], intent, "{message}");
        assert_eq!(answer["would"], would, "{message}");
        assert_eq!(answer["understood"]["slots"]["target"], target, "{message}");
    }
}

#[tokio::test]
async fn a_question_in_the_turns_makes_answers_of_short_words() {
    let world = World::start().await;
    let question = json!({ "turns": [
        { "role": "user", "text": "delete call Ada" },
        { "role": "assistant", "text": "Delete the to-do \"call Ada\"? Say \"yes\" or \"no\"." },
    ] });
    for (message, intent, would) in [
        ("yes", "confirm.yes", "act"),
        ("no", "confirm.no", "nothing"),
        ("maybe", "confirm.unsure", "ask"),
    ] {
        let answer = dry(&world, json!({ "message": message, "context": question })).await;
        assert_eq!(
            (&answer["understood"]["intent"], &answer["would"]),
            (&json!(intent), &json!(would)),
            "{message}"
        );
    }
    // Nothing waits: a yes does nothing.
    let answer = dry(&world, json!({ "message": "yes" })).await;
    assert_eq!(answer["would"], "nothing");
    let which = json!({ "turns": [{ "role": "assistant", "text": "Which one do you mean?" }] });
    let answer = dry(&world, json!({ "message": "yes", "context": which })).await;
    assert_eq!(answer["would"], "nothing");
}

#[tokio::test]
async fn a_waiting_question_waits_on_after_a_dry_yes() {
    let world = World::start().await;
    world.todos(&["buy milk"]).await;
    let mut talk = world.talk();
    talk.ask("delete buy milk").await;
    let body = json!({ "message": "yes", "conversation_id": talk.conversation });
    let answer = dry(&world, body).await;
    assert_eq!(answer["would"], "act");
    assert_eq!(world.titles().await, ["buy milk"]);
    talk.ask("yes").await;
    assert!(world.titles().await.is_empty());
}

#[tokio::test]
async fn a_dry_run_in_a_foreign_conversation_is_not_found() {
    let world = World::start().await;
    let mut talk = world.talk();
    talk.ask("hello").await;
    for (client, conversation) in [
        (&world.chat.globex.owner, talk.conversation.clone()),
        (&world.chat.acme.owner, Some(Uuid::nil().to_string())),
    ] {
        let body = json!({ "message": "hello", "dry_run": true, "conversation_id": conversation });
        client
            .post("/api/chat", body)
            .await
            .assert_problem(404, "conversation_not_found");
    }
    world
        .chat
        .acme
        .viewer
        .post("/api/chat", json!({ "message": "hello", "dry_run": true }))
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn context_and_reference_time_need_a_dry_run() {
    let world = World::start().await;
    let many: Vec<Value> = (0..501).map(|_| json!({ "title": "x" })).collect();
    for (body, pointer) in [
        (
            json!({ "message": "hello", "reference_time": "2026-03-02T09:00:00Z" }),
            "/reference_time",
        ),
        (json!({ "message": "hello", "context": {} }), "/context"),
        (
            json!({ "message": "hello", "dry_run": true, "context": { "todos": many } }),
            "/context/todos",
        ),
    ] {
        let answer = world
            .chat
            .acme
            .owner
            .post("/api/chat", body)
            .await
            .assert_problem(422, "validation_failed")
            .json();
        assert_eq!(answer["errors"][0]["pointer"], pointer);
    }
}
