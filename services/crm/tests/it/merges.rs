//! Several records become one.

use bz_testkit::{Client, TestApp};
use crm::Crm;
use serde_json::{Value, json};
use sqlx::query_scalar;
use uuid::Uuid;

use crate::events;

pub(crate) async fn made(client: &Client, path: &str, body: Value) -> String {
    let path = format!("{path}?on_duplicate=create");
    let made = client.post(&path, body).await.assert_status(201).json();
    made["id"].as_str().unwrap().to_owned()
}

/// Two leads, the second with what the first has not.
pub(crate) async fn two(client: &Client) -> (String, String) {
    let first = json!({ "first_name": "Ada", "email": "ada@engines.example", "tags": ["a"] });
    let second = json!({
        "first_name": "Ada", "last_name": "Lovelace", "email": "ada@home.example", "phone": "123456789", "tags": ["a", "b"],
        "external_id": "x-2"
    });
    (
        made(client, "/api/leads", first).await,
        made(client, "/api/leads", second).await,
    )
}

/// An activity that is linked to these records.
pub(crate) async fn linked(app: &TestApp<Crm>, links: Value) -> Uuid {
    let mut admin = app.database.admin().await;
    let id: Uuid = query_scalar(
        "WITH made AS (INSERT INTO crm.activities (tenant_id, id, type, occurred_at, created_by, created_at, updated_at, links) \
         VALUES ($1, gen_random_uuid(), 'note', now(), $1, now(), now(), $2) RETURNING id, links), \
         linked AS (INSERT INTO crm.record_links (tenant_id, to_type, to_id, from_type, from_id) \
         SELECT $1, e ->> 'type', (e ->> 'id')::uuid, 'activity', made.id FROM made, jsonb_array_elements(made.links) AS e) \
         SELECT id FROM made",
    )
    .bind(app.acme.id().as_uuid())
    .bind(&links)
    .fetch_one(&mut admin)
    .await
    .unwrap();
    id
}

pub(crate) async fn links_of(app: &TestApp<Crm>, activity: Uuid) -> (Value, Vec<String>) {
    let mut admin = app.database.admin().await;
    let links = query_scalar("SELECT links FROM crm.activities WHERE id = $1")
        .bind(activity)
        .fetch_one(&mut admin)
        .await
        .unwrap();
    let rows = query_scalar(
        "SELECT to_id::text FROM crm.record_links WHERE from_id = $1 ORDER BY to_type, to_id",
    )
    .bind(activity)
    .fetch_all(&mut admin)
    .await
    .unwrap();
    (links, rows)
}

#[tokio::test]
async fn the_primary_record_keeps_its_values_and_takes_what_it_lacks() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let (first, second) = two(member).await;
    let note = linked(
        &app,
        json!([{ "type": "lead", "id": second }, { "type": "lead", "id": first }]),
    )
    .await;
    let wanted = json!({ "primary_id": first, "other_ids": [second] });
    let merged = member
        .post("/api/leads/merge", &wanted)
        .await
        .assert_status(200)
        .json();
    let lead = &merged["record"];
    assert_eq!(
        (&lead["email"], &lead["last_name"]),
        (&json!("ada@engines.example"), &json!("Lovelace"))
    );
    assert_eq!(
        (&lead["tags"], &lead["external_id"]),
        (&json!(["a", "b"]), &json!("x-2"))
    );
    assert_eq!(merged["changes"]["last_name"], json!([null, "Lovelace"]));
    assert_eq!(
        (&merged["moved"], &merged["repeated"]),
        (&json!({ "activities.links": 1 }), &json!(false))
    );
    assert_eq!(
        links_of(&app, note).await,
        (
            json!([{ "type": "lead", "id": first }]),
            vec![first.clone()]
        )
    );
    let gone = member
        .get(&format!("/api/leads/{second}"))
        .await
        .assert_problem(410, "merged");
    assert_eq!(gone.json()["merged_into"], json!(first));
    assert_eq!(
        events(&app).await[2..],
        ["lead.deleted", "lead.updated", "lead.merged"]
    );
    // Once more: the same merge.
    let again = member
        .post("/api/leads/merge", &wanted)
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&again["merge_id"], &again["repeated"]),
        (&merged["merge_id"], &json!(true))
    );
    assert_eq!(events(&app).await.len(), 5);
}

#[tokio::test]
async fn the_client_chooses_whose_value_stays_and_a_dry_run_changes_nothing() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let (first, second) = two(member).await;
    let mut wanted = json!({
        "primary_id": first, "other_ids": [second], "fields": { "email": second, "phone": first }, "dry_run": true
    });
    let dry = member
        .post("/api/leads/merge", &wanted)
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&dry["merge_id"], &dry["record"]["email"]),
        (&Value::Null, &json!("ada@home.example"))
    );
    assert_eq!(events(&app).await.len(), 2);
    member
        .get(&format!("/api/leads/{second}"))
        .await
        .assert_status(200);
    wanted["dry_run"] = json!(false);
    let merged = member
        .post("/api/leads/merge", &wanted)
        .await
        .assert_status(200)
        .json();
    let lead = &merged["record"];
    assert_eq!(
        (&lead["email"], &lead["phone"]),
        (&json!("ada@home.example"), &Value::Null)
    );
}

#[tokio::test]
async fn people_and_deals_of_a_merged_company_and_contact_follow() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let stays = made(member, "/api/companies", json!({ "name": "Engines" })).await;
    let goes = made(member, "/api/companies", json!({ "name": "Engines Ltd" })).await;
    let child = made(
        member,
        "/api/companies",
        json!({ "name": "Part", "parent_id": goes }),
    )
    .await;
    let ada = made(
        member,
        "/api/contacts",
        json!({ "first_name": "Ada", "company_id": goes }),
    )
    .await;
    let twin = made(
        member,
        "/api/contacts",
        json!({ "first_name": "Ada B.", "company_id": stays }),
    )
    .await;
    let deal = crate::merges_undo::deal(&app, &goes, &[&ada, &twin]).await;
    let merged = member
        .post(
            "/api/companies/merge",
            json!({ "primary_id": stays, "other_ids": [goes] }),
        )
        .await;
    let merged = merged.assert_status(200).json();
    assert_eq!(
        merged["moved"],
        json!({ "companies.parent_id": 1, "contacts.company_id": 1, "deals.company_id": 1 })
    );
    let company_of =
        async |path: String, field: &str| member.get(&path).await.json()[field].clone();
    assert_eq!(
        company_of(format!("/api/contacts/{ada}"), "company_id").await,
        json!(stays)
    );
    assert_eq!(
        company_of(format!("/api/companies/{child}"), "parent_id").await,
        json!(stays)
    );
    let merged = member
        .post(
            "/api/contacts/merge",
            json!({ "primary_id": ada, "other_ids": [twin] }),
        )
        .await;
    assert_eq!(
        merged.assert_status(200).json()["moved"],
        json!({ "deals.contact_ids": 1 })
    );
    assert_eq!(
        crate::merges_undo::people(&app, deal).await,
        (vec![ada.clone()], vec![ada])
    );
}

#[tokio::test]
async fn a_company_that_is_merged_into_its_part_is_not_its_own_parent() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let parent = made(member, "/api/companies", json!({ "name": "Engines" })).await;
    let part = made(
        member,
        "/api/companies",
        json!({ "name": "Part", "parent_id": parent }),
    )
    .await;
    let merged = member
        .post(
            "/api/companies/merge",
            json!({ "primary_id": part, "other_ids": [parent] }),
        )
        .await;
    assert_eq!(
        merged.assert_status(200).json()["record"]["parent_id"],
        Value::Null
    );
}

#[tokio::test]
async fn a_merge_honours_the_version_and_says_what_is_wrong() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let (first, second) = two(member).await;
    let wanted = json!({ "primary_id": first, "other_ids": [second] });
    let stale = member
        .post("/api/leads/merge", &wanted)
        .header("if-match", "\"7\"");
    stale.await.assert_problem(412, "precondition_failed");
    let nobody = "0199fa3e-0000-7000-8000-000000000000";
    for bad in [
        json!({ "primary_id": first, "other_ids": [] }),
        json!({ "primary_id": first, "other_ids": [first] }),
        json!({ "primary_id": first, "other_ids": [second, second] }),
        json!({ "primary_id": first, "other_ids": [second], "fields": { "email": nobody } }),
        json!({ "primary_id": first, "other_ids": [second], "fields": { "score": second } }),
    ] {
        member
            .post("/api/leads/merge", bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    let missing = json!({ "primary_id": first, "other_ids": [nobody] });
    member
        .post("/api/leads/merge", missing)
        .await
        .assert_problem(404, "not_found");
    app.globex
        .member
        .post("/api/leads/merge", &wanted)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .viewer
        .post("/api/leads/merge", &wanted)
        .await
        .assert_problem(403, "forbidden");
    let good = member
        .post("/api/leads/merge", &wanted)
        .header("if-match", "\"1\"");
    good.await.assert_status(200);
    // What is merged already is merged no more.
    let third = made(member, "/api/leads", json!({ "first_name": "Eve" })).await;
    let wanted = json!({ "primary_id": third, "other_ids": [second] });
    member
        .post("/api/leads/merge", wanted)
        .await
        .assert_problem(410, "merged");
}
