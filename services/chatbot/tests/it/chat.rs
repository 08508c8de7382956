use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::World;

#[tokio::test]
async fn the_journey_adds_lists_and_deletes_after_asking() {
    let world = World::start().await;
    let mut talk = world.talk();

    let added = talk.ask("add a todo: call Ada tomorrow at 3pm").await;
    assert_eq!(
        added["reply"],
        "Added \"call Ada\", due tomorrow, Tue 3 Mar 2026, 15:00."
    );
    assert_eq!(added["understood"]["intent"], "todo.create");
    assert_eq!(added["understood"]["engine"], "rules");
    assert_eq!(
        added["understood"]["slots"],
        json!({ "title": "call Ada", "due_at": "2026-03-03T15:00:00Z" })
    );
    assert_eq!(
        (&added["confirmation"], &added["degraded"]),
        (&Value::Null, &json!([]))
    );
    let todos = world
        .crm
        .acme
        .owner
        .get("/api/todos/")
        .await
        .assert_status(200)
        .json();
    assert_eq!(todos["items"][0]["title"], "call Ada");
    assert_eq!(todos["items"][0]["due_at"], "2026-03-03T15:00:00Z");

    let listed = talk.say("what's on my list?").await;
    assert_eq!(
        listed,
        "You have 1 open to-do:\n1. call Ada (due tomorrow, Tue 3 Mar 2026, 15:00)"
    );

    let asked = talk.ask("delete the call with Ada").await;
    assert_eq!(
        asked["reply"],
        "Delete the to-do \"call Ada\"? Say \"yes\" or \"no\"."
    );
    assert_eq!(asked["confirmation"]["action"], "todo.delete");
    assert_eq!(
        asked["confirmation"]["summary"],
        "Delete the to-do \"call Ada\""
    );
    assert_eq!(asked["confirmation"]["expires_at"], "2026-03-02T09:10:00Z");
    assert_eq!(world.titles().await, ["call Ada"]);

    assert_eq!(talk.say("yes").await, "Deleted the to-do \"call Ada\".");
    assert!(world.titles().await.is_empty());
}

#[tokio::test]
async fn dates_are_meant_where_the_user_lives() {
    let world = World::start().await;
    let mut talk = world.talk();
    talk.zone = "America/New_York";
    talk.ask("remind me to call Ada at 3pm").await;
    talk.ask("remind me to pay rent on friday").await;
    let call = world.todo("call Ada").await;
    assert_eq!(call["due_at"], "2026-03-02T20:00:00Z");
    assert_eq!(world.todo("pay rent").await["due_date"], "2026-03-06");
    let tomorrow = talk.say("what do I have tomorrow?").await;
    assert_eq!(
        tomorrow,
        "You have no open to-dos for tomorrow, Tue 3 Mar 2026."
    );
}

#[tokio::test]
async fn completing_renaming_and_moving_happen_at_once() {
    let world = World::start().await;
    world.todos(&["call Ada", "buy milk"]).await;
    let mut talk = world.talk();
    assert_eq!(
        talk.say("mark buy milk as done").await,
        "Marked the to-do \"buy milk\" as done."
    );
    assert_eq!(
        talk.say("rename call Ada to call Grace").await,
        "Renamed \"call Ada\" to \"call Grace\"."
    );
    assert_eq!(
        talk.say("move the call with Grace to friday").await,
        "Moved \"call Grace\" to Fri 6 Mar 2026."
    );
    assert_eq!(
        talk.say("show all my todos").await,
        "You have 2 to-dos:\n1. call Grace (due Fri 6 Mar 2026)\n2. buy milk (done)"
    );
    assert_eq!(
        talk.say("show completed tasks").await,
        "You have 1 completed to-do:\n1. buy milk (done)"
    );
}

#[tokio::test]
async fn two_that_are_close_are_asked_about_and_none_is_said_so() {
    let world = World::start().await;
    world.todos(&["sales report", "tax report"]).await;
    let mut talk = world.talk();
    let asked = talk.say("delete the report").await;
    assert!(asked.starts_with("Which one do you mean?\n- "), "{asked}");
    let missing = talk.say("delete the dentist").await;
    assert_eq!(
        missing,
        "I found no open to-do like \"dentist\". Say \"what's on my list?\" to see them all."
    );
    assert_eq!(world.titles().await.len(), 2);
}

#[tokio::test]
async fn overdue_ones_and_leads_are_counted() {
    let world = World::start().await;
    let owner = &world.crm.acme.owner;
    owner
        .post(
            "/api/todos",
            json!({ "title": "late", "due_date": "2026-03-01" }),
        )
        .await
        .assert_status(201);
    owner
        .post(
            "/api/todos",
            json!({ "title": "today", "due_date": "2026-03-02" }),
        )
        .await
        .assert_status(201);
    owner
        .post("/api/leads", json!({ "email": "ada@example.com" }))
        .await
        .assert_status(201);
    let mut talk = world.talk();
    assert_eq!(
        talk.say("what is overdue?").await,
        "You have 1 overdue to-do:\n1. late (due yesterday, Sun 1 Mar 2026)"
    );
    assert_eq!(
        talk.say("how many leads do I have?").await,
        "You have 1 lead. By status: 1 new."
    );
}

#[tokio::test]
async fn the_same_message_sent_again_is_answered_again_and_done_once() {
    let world = World::start().await;
    let body = json!({ "message": "add a todo: call Ada" });
    let send = || {
        world
            .chat
            .acme
            .owner
            .post("/api/chat", &body)
            .header("idempotency-key", "k1")
    };
    let first = send().await.assert_status(200).json();
    let second = send().await.assert_status(200).json();
    assert_eq!(first, second);
    assert_eq!(world.titles().await, ["call Ada"]);
    let other = json!({ "message": "add a todo: call Bob" });
    let reused = world
        .chat
        .acme
        .owner
        .post("/api/chat", &other)
        .header("idempotency-key", "k1")
        .await;
    reused.assert_problem(422, "idempotency_key_reused");
    // The key is the user's own: somebody else's request with it is another request.
    let member = world
        .chat
        .acme
        .member
        .post("/api/chat", &body)
        .header("idempotency-key", "k1")
        .await;
    assert_ne!(
        member.assert_status(200).json()["conversation_id"],
        first["conversation_id"]
    );
}

#[tokio::test]
async fn a_conversation_that_is_not_the_callers_is_not_found() {
    let world = World::start().await;
    let mut talk = world.talk();
    talk.ask("add a todo: call Ada").await;
    let body = json!({ "message": "what's on my list?", "conversation_id": talk.conversation });
    for stranger in [&world.chat.globex.owner, &world.chat.acme.member] {
        stranger
            .post("/api/chat", &body)
            .await
            .assert_problem(404, "conversation_not_found");
    }
    let nobodys = json!({ "message": "hello", "conversation_id": Uuid::nil() });
    world
        .chat
        .acme
        .owner
        .post("/api/chat", nobodys)
        .await
        .assert_problem(404, "conversation_not_found");
}

#[tokio::test]
async fn another_tenants_to_dos_cannot_be_reached_by_talking() {
    let world = World::start().await;
    world.todos(&["call Ada"]).await;
    let mut talk = world.talk();
    talk.client = &world.chat.globex.owner;
    assert_eq!(
        talk.say("what's on my list?").await,
        "You have no open to-dos."
    );
    assert!(
        talk.say("delete call Ada")
            .await
            .starts_with("I found no open to-do")
    );
    assert_eq!(world.titles().await, ["call Ada"]);
}

#[tokio::test]
async fn a_viewer_may_not_talk() {
    let world = World::start().await;
    world
        .chat
        .acme
        .viewer
        .post("/api/chat", json!({ "message": "hello" }))
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn bad_input_is_refused_with_its_place() {
    let world = World::start().await;
    let owner = &world.chat.acme.owner;
    for (body, pointer) in [
        (json!({ "message": "  " }), "/message"),
        (json!({ "message": "x".repeat(2001) }), "/message"),
        (
            json!({ "message": "hello", "time_zone": "Mars/Olympus" }),
            "/time_zone",
        ),
        (
            json!({ "message": "hello", "tenant_id": "x" }),
            "/tenant_id",
        ),
    ] {
        let answer = owner
            .post("/api/chat", body)
            .await
            .assert_problem(422, "validation_failed")
            .json();
        assert_eq!(answer["errors"][0]["pointer"], pointer);
    }
}

#[tokio::test]
async fn what_is_not_for_it_is_declined() {
    let world = World::start().await;
    let mut talk = world.talk();
    for message in ["play some jazz", "what is the weather like", "\u{1f600}"] {
        assert_eq!(
            talk.say(message).await,
            "I did not understand that. Say \"help\" to see what I can do."
        );
    }
    assert!(talk.say("help").await.starts_with("I can add a to-do"));
    assert!(talk.say("hello").await.starts_with("Hello!"));
    assert!(world.titles().await.is_empty());
}
