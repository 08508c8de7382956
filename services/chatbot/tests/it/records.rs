//! Leads, contacts and deals: made, changed, moved, found, summed.

use serde_json::{Value, json};

use crate::support::World;

async fn deals(world: &World) {
    for (name, amount) in [("Forty Engines", "12000.50"), ("Spare parts", "700")] {
        let amount = json!({ "amount": amount, "currency": "EUR" });
        world
            .make("deals", json!({ "name": name, "amount": amount }))
            .await;
    }
}

async fn stage_of(world: &World, deal: &str) -> (Value, Value) {
    let owner = &world.crm.acme.owner;
    let deals = owner.get("/api/deals?limit=100").await.json();
    let deal = deals["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == deal)
        .unwrap()
        .clone();
    let pipelines = owner.get("/api/pipelines").await.json();
    let stages = pipelines["items"][0]["stages"].as_array().unwrap().clone();
    let stage = stages
        .iter()
        .find(|stage| stage["id"] == deal["stage_id"])
        .unwrap();
    (stage["name"].clone(), deal["status"].clone())
}

#[tokio::test]
async fn a_lead_is_added_once_and_can_be_taken_back() {
    let world = World::start().await;
    let added = world
        .talk()
        .ask("add a lead Jane Doe from Acme, jane@acme.com, +49 30 1234567")
        .await;
    assert_eq!(added["reply"], "Added the lead \"Jane Doe\".");
    let owner = &world.crm.acme.owner;
    let lead = owner.get("/api/leads").await.json()["items"][0].clone();
    assert_eq!(
        (
            &lead["first_name"],
            &lead["last_name"],
            &lead["email"],
            &lead["company_name"],
            &lead["source"]
        ),
        (
            &json!("Jane"),
            &json!("Doe"),
            &json!("jane@acme.com"),
            &json!("Acme"),
            &json!("chat")
        )
    );
    assert_eq!(added["links"][0]["id"], lead["id"]);
    world
        .decide(&added["actions"][0]["id"], "undo")
        .await
        .assert_status(200);
    assert_eq!(owner.get("/api/leads").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_leads_status_is_changed_and_changed_back() {
    let world = World::start().await;
    world
        .make("leads", json!({ "first_name": "Jane", "last_name": "Doe" }))
        .await;
    let mut talk = world.talk();
    let moved = talk.ask("move lead Jane Doe to qualified").await;
    assert_eq!(
        moved["reply"],
        "Changed the lead \"Jane Doe\": status qualified."
    );
    assert_eq!(moved["understood"]["slots"]["target"], "Jane Doe");
    let status =
        async || world.crm.acme.owner.get("/api/leads").await.json()["items"][0]["status"].clone();
    assert_eq!(status().await, "qualified");
    talk.ask("undo").await;
    assert_eq!(status().await, "new");
    let never = talk.ask("move lead Jane Doe to nirvana").await;
    assert_eq!(never["would"], "ask", "{never}");
    let nobody = talk.ask("move lead John Roe to qualified").await;
    assert_eq!(nobody["reply"], "I found no lead like \"John Roe\".");
}

#[tokio::test]
async fn leads_and_contacts_are_found_and_linked() {
    let world = World::start().await;
    let jane = world
        .make(
            "leads",
            json!({ "first_name": "Jane", "last_name": "Doe", "company_name": "Acme" }),
        )
        .await;
    world
        .make(
            "leads",
            json!({ "last_name": "Other", "company_name": "Globex" }),
        )
        .await;
    let ada = world
        .make(
            "contacts",
            json!({ "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com" }),
        )
        .await;
    let mut talk = world.talk();
    let found = talk.ask("show me leads from Acme").await;
    assert_eq!(found["links"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["links"][0]["id"], jane["id"]);
    let found = talk.ask("find contact Ada Lovelace").await;
    assert_eq!(
        found["reply"],
        "1 contact:\n1. Ada Lovelace, ada@example.com"
    );
    assert_eq!(
        found["links"][0]["href"],
        format!("/api/contacts/{}", ada["id"].as_str().unwrap())
    );
    assert_eq!(
        talk.say("find contact Nobody Here").await,
        "I found no contacts like that."
    );
}

#[tokio::test]
async fn a_deal_is_moved_to_a_stage_by_name_and_back() {
    let world = World::start().await;
    deals(&world).await;
    let mut talk = world.talk();
    let before = stage_of(&world, "Forty Engines").await;
    let moved = talk.ask("mark the deal Forty Engines as won").await;
    assert_eq!(moved["actions"][0]["action"], "deal.move", "{moved}");
    assert_eq!(stage_of(&world, "Forty Engines").await.1, "won");
    world
        .decide(&moved["actions"][0]["id"], "undo")
        .await
        .assert_status(200);
    assert_eq!(stage_of(&world, "Forty Engines").await, before);
    let unknown = talk.ask("move the Forty Engines deal to paradise").await;
    assert!(
        unknown["reply"]
            .as_str()
            .unwrap()
            .starts_with("I know no stage \"paradise\"."),
        "{unknown}"
    );
    assert_eq!(unknown["would"], "ask");
}

#[tokio::test]
async fn deals_are_summed_exactly_by_stage_and_found_by_amount() {
    let world = World::start().await;
    deals(&world).await;
    let mut talk = world.talk();
    let sum = talk.ask("how much is in the pipeline?").await;
    assert_eq!(
        sum["reply"],
        "2 open deals are worth 12,700.50 EUR together:\n1. New: 2 deals, 12,700.50 EUR"
    );
    talk.ask("mark the deal Forty Engines as won").await;
    let sum = talk.ask("what is the total value of open deals?").await;
    assert!(
        sum["reply"]
            .as_str()
            .unwrap()
            .starts_with("1 open deal is worth 700.00 EUR together:"),
        "{sum}"
    );
    let found = talk.ask("show me deals over 10k").await;
    assert_eq!(found["links"].as_array().unwrap().len(), 1, "{found}");
    assert!(
        found["reply"]
            .as_str()
            .unwrap()
            .contains("Forty Engines, 12,000.50 EUR, "),
        "{found}"
    );
}

#[tokio::test]
async fn to_dos_get_a_priority_a_recurrence_and_are_opened_again() {
    let world = World::start().await;
    let mut talk = world.talk();
    talk.zone = "Europe/Sofia";
    talk.ask("remind me to water the plants every monday at 9")
        .await;
    talk.ask("add a high priority task to call Ada tomorrow")
        .await;
    let plants = world.todo("water the plants").await;
    assert_eq!(plants["recurrence"], "FREQ=WEEKLY;BYDAY=MO");
    assert_eq!(plants["time_zone"], "Europe/Sofia");
    let call = world.todo("call Ada").await;
    assert_eq!(
        (&call["priority"], &call["source"]),
        (&json!("high"), &json!("chat"))
    );
    let high = talk.ask("show my high priority tasks").await;
    assert_eq!(high["links"].as_array().unwrap().len(), 1, "{high}");
    talk.ask("mark call Ada as done").await;
    let opened = talk.ask("reopen call Ada").await;
    assert_eq!(opened["reply"], "Opened the to-do \"call Ada\" again.");
    assert_eq!(world.todo("call Ada").await["completed"], false);
    let changed = talk.ask("set the priority of call Ada to low").await;
    assert_eq!(changed["reply"], "Changed \"call Ada\": low priority.");
    talk.ask("undo").await;
    assert_eq!(world.todo("call Ada").await["priority"], "high");
}

#[tokio::test]
async fn only_what_the_condition_says_is_deleted_in_bulk() {
    let world = World::start().await;
    world.todos(&["call Ada", "buy milk", "pay rent"]).await;
    let mut talk = world.talk();
    talk.ask("mark buy milk as done").await;
    let asked = talk.ask("delete all completed tasks").await;
    assert_eq!(
        asked["confirmation"]["summary"],
        "Delete the to-do \"buy milk\""
    );
    talk.ask("yes").await;
    assert_eq!(world.titles().await, ["call Ada", "pay rent"]);
    let none = talk.ask("delete all my overdue to-dos").await;
    assert_eq!(none["reply"], "You have no overdue to-dos.");
}

#[tokio::test]
async fn without_analytics_or_agents_the_answer_says_so_and_the_rest_works() {
    let world = World::start().await;
    let mut talk = world.talk();
    let numbers = talk.ask("how many visitors did we have last week?").await;
    assert_eq!(numbers["degraded"], json!(["analytics"]), "{numbers}");
    let agent = talk.ask("run the lead qualifier agent").await;
    assert_eq!(agent["degraded"], json!(["agents"]), "{agent}");
    assert_eq!(agent["actions"], json!([]));
    assert_eq!(
        talk.say("add a todo: call Ada").await,
        "Added \"call Ada\"."
    );
}
