//! Questions about leads, contacts and deals.

use serde_json::{Value, json};

use crate::support::World;

#[tokio::test]
async fn leads_are_counted_by_status() {
    let world = World::start().await;
    for (name, status) in [
        ("Lovelace", "new"),
        ("Hopper", "new"),
        ("Turing", "qualified"),
    ] {
        world
            .make("leads", json!({ "last_name": name, "status": status }))
            .await;
    }
    let answer = world.talk().ask("how many leads do I have?").await;
    assert_eq!(
        answer["reply"],
        "You have 3 leads. By status: 2 new, 1 qualified."
    );
    assert_eq!(
        answer["citations"],
        json!([{ "source": "crm", "path": "/api/leads/query" }])
    );
    assert_eq!(answer["would"], "answer");
}

#[tokio::test]
async fn whom_to_call_is_told_with_the_reason_and_a_link() {
    let world = World::start().await;
    let ada = world
        .make(
            "leads",
            json!({ "first_name": "Ada", "last_name": "Lovelace", "phone": "+44 20 7946 0000" }),
        )
        .await;
    world
        .make(
            "leads",
            json!({ "last_name": "Lost", "status": "unqualified" }),
        )
        .await;
    let about = json!([{ "type": "lead", "id": ada["id"] }]);
    world
        .make(
            "todos",
            json!({ "title": "send the offer", "due_date": "2026-03-01", "links": about }),
        )
        .await;
    let answer = world.talk().ask("Who should I call today?").await;
    let reply = answer["reply"].as_str().unwrap();
    assert!(
        reply.starts_with("I would call:\n1. Ada Lovelace"),
        "{reply}"
    );
    assert!(reply.ends_with("\"send the offer\" is overdue"), "{reply}");
    assert_eq!(answer["links"][0]["id"], ada["id"]);
    assert_eq!(answer["understood"]["intent"], "lead.find");
    assert_eq!(answer["actions"], json!([]));
}

#[tokio::test]
async fn with_no_lead_to_call_it_says_so() {
    let world = World::start().await;
    let answer = world.talk().ask("who should I call?").await;
    assert!(
        answer["reply"].as_str().unwrap().starts_with("Nobody:"),
        "{answer}"
    );
    assert_eq!(answer["links"], json!([]));
}

#[tokio::test]
async fn another_tenants_leads_are_neither_counted_nor_named() {
    let world = World::start().await;
    let strange = &world.crm.globex.owner;
    strange
        .post("/api/leads", json!({ "last_name": "Globex" }))
        .await
        .assert_status(201);
    let mut talk = world.talk();
    assert_eq!(
        talk.say("how many leads do I have?").await,
        "You have 0 leads."
    );
    let answer: Value = talk.ask("who should I call today?").await;
    assert!(!answer.to_string().contains("Globex"));
}
