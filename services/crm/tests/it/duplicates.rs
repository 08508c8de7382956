//! What is probably the same: as a list, and when something is created.

use bz_testkit::{Client, TestApp};
use crm::Crm;
use serde_json::{Value, json};

use crate::events;

fn ada() -> Value {
    json!({ "first_name": "Ada", "last_name": "Lovelace", "email": "ada@engines.example", "company_name": "Engines Ltd" })
}

async fn made(client: &Client, path: &str, body: Value) -> String {
    let made = client.post(path, body).await.assert_status(201).json();
    made["id"].as_str().unwrap().to_owned()
}

fn ids(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["record"]["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_same_address_is_refused_with_the_lead_that_has_it() {
    let app = TestApp::<Crm>::start().await;
    let first = made(&app.acme.member, "/api/leads", ada()).await;
    let again = json!({ "first_name": "Ada", "email": "ADA@engines.example" });
    let refused = app
        .acme
        .member
        .post("/api/leads", again)
        .await
        .assert_problem(409, "duplicate");
    let candidates = refused.json()["candidates"].clone();
    assert_eq!(candidates[0]["id"], json!(first));
    assert!(candidates[0]["score"].as_f64().unwrap() >= 0.8);
    assert_eq!(
        candidates[0]["reasons"][0],
        json!({ "field": "email", "match": "same", "similarity": 1.0 })
    );
    assert_eq!(events(&app).await, ["lead.created"]);
    // The other tenant has nobody of that address.
    made(&app.globex.member, "/api/leads", ada()).await;
}

#[tokio::test]
async fn the_caller_says_what_becomes_of_a_duplicate() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let first = made(member, "/api/leads", ada()).await;
    let wanted = json!({ "email": "ada@engines.example", "title": "Countess", "tags": ["vip"] });
    let returned = member
        .post("/api/leads?on_duplicate=return", &wanted)
        .await
        .assert_status(200);
    assert_eq!(
        (
            returned.json()["id"].clone(),
            returned.json()["title"].clone()
        ),
        (json!(first), Value::Null)
    );
    let updated = member
        .post("/api/leads?on_duplicate=update", &wanted)
        .await
        .assert_status(200);
    assert_eq!(updated.header("etag"), Some("\"2\""));
    let lead = updated.json();
    assert_eq!(
        (&lead["id"], &lead["title"], &lead["first_name"]),
        (&json!(first), &json!("Countess"), &json!("Ada"))
    );
    assert_eq!(
        (&lead["tags"], &lead["status"]),
        (&json!(["vip"]), &json!("new"))
    );
    let created = member
        .post("/api/leads?on_duplicate=create", &wanted)
        .await
        .assert_status(201);
    assert_ne!(created.json()["id"], json!(first));
    member
        .post("/api/leads?on_duplicate=guess", &wanted)
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(
        events(&app).await,
        ["lead.created", "lead.updated", "lead.created"]
    );
}

#[tokio::test]
async fn an_update_of_a_duplicate_with_a_key_is_made_once() {
    let app = TestApp::<Crm>::start().await;
    made(&app.acme.member, "/api/leads", ada()).await;
    let send = async || {
        let wanted = json!({ "email": "ada@engines.example", "title": "Countess" });
        let sent = app
            .acme
            .member
            .post("/api/leads?on_duplicate=update", wanted);
        sent.header("idempotency-key", "once")
            .await
            .assert_status(200)
    };
    let (first, again) = (send().await, send().await);
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn of_four_equal_leads_at_once_one_is_created() {
    let app = TestApp::<Crm>::start().await;
    let mut sending = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let member = app.acme.member.clone();
        sending.spawn(async move { member.post("/api/leads", ada()).await.status.as_u16() });
    }
    let mut answers = sending.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, [201, 409, 409, 409]);
    assert_eq!(events(&app).await, ["lead.created"]);
}

#[tokio::test]
async fn a_phone_in_another_form_and_a_misspelt_name_are_found_and_a_colleague_is_no_twin() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let wanted = json!({ "first_name": "Jon", "last_name": "Smith", "phone": "+49 30 1234567", "company_name": "Engines" });
    let first = made(member, "/api/leads", wanted).await;
    let same = json!({ "first_name": "Jon", "last_name": "Smith", "phone": "(030) 123-4567" });
    member
        .post("/api/leads", same)
        .await
        .assert_problem(409, "duplicate");
    // The switchboard of a company is shared by many.
    let colleague = json!({ "first_name": "Grace", "last_name": "Hopper", "phone": "030 1234567", "email": "g@engines.example" });
    made(member, "/api/leads", colleague).await;
    let misspelt = json!({
        "first_name": "John", "last_name": "Smith", "company_name": "ENGINES GmbH", "website": "engines.example"
    });
    let misspelt = made(member, "/api/leads", misspelt).await;
    let path = format!("/api/leads/{misspelt}/duplicates");
    // Found by the domain that its colleague has, but another name: nothing else is shared with Jon.
    app.acme.viewer.get(&path).await.assert_status(200);
    member
        .patch(
            &format!("/api/leads/{first}"),
            json!({ "website": "https://www.engines.example/" }),
        )
        .await
        .assert_status(200);
    let found = app.acme.viewer.get(&path).await.assert_status(200).json();
    assert_eq!(ids(&found), [first.as_str()]);
    let reasons = found["items"][0]["reasons"].as_array().unwrap();
    let fields: Vec<_> = reasons
        .iter()
        .map(|reason| {
            (
                reason["field"].as_str().unwrap(),
                reason["match"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(fields, [("name", "similar"), ("company_name", "same")]);
}

#[tokio::test]
async fn a_company_is_the_same_by_its_domain_and_a_contact_by_its_address() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let company = made(
        member,
        "/api/companies",
        json!({ "name": "Engines", "domain": "engines.example" }),
    )
    .await;
    let again = json!({ "name": "The Engines", "domain": "www.engines.example" });
    let refused = member
        .post("/api/companies", again)
        .await
        .assert_problem(409, "duplicate");
    assert_eq!(refused.json()["candidates"][0]["id"], json!(company));
    let namesake = made(member, "/api/companies", json!({ "name": "Engines" })).await;
    let found = member
        .get(&format!("/api/companies/{namesake}/duplicates"))
        .await
        .json();
    assert_eq!(ids(&found), [company.as_str()]);
    made(
        member,
        "/api/contacts",
        json!({ "email": "ada@engines.example" }),
    )
    .await;
    member
        .post("/api/contacts", json!({ "email": "Ada@engines.example" }))
        .await
        .assert_problem(409, "duplicate");
}

#[tokio::test]
async fn an_external_id_belongs_to_one_record() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    made(
        member,
        "/api/leads",
        json!({ "first_name": "Ada", "external_id": "x-1" }),
    )
    .await;
    let other = json!({ "first_name": "Grace", "external_id": "x-1" });
    member
        .post("/api/leads", &other)
        .await
        .assert_problem(409, "duplicate");
    member
        .post("/api/leads?on_duplicate=create", &other)
        .await
        .assert_problem(409, "external_id_taken");
    let grace = made(member, "/api/leads", json!({ "first_name": "Grace" })).await;
    let path = format!("/api/leads/{grace}");
    member
        .patch(&path, json!({ "external_id": "x-1" }))
        .await
        .assert_problem(409, "external_id_taken");
}

#[tokio::test]
async fn what_is_in_the_trash_is_no_duplicate() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let first = made(member, "/api/leads", ada()).await;
    member
        .delete(&format!("/api/leads/{first}"))
        .await
        .assert_status(204);
    let second = made(member, "/api/leads", ada()).await;
    let found = member
        .get(&format!("/api/leads/{second}/duplicates"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(found, json!({ "items": [], "next_cursor": null }));
}

#[tokio::test]
async fn a_role_that_sees_its_own_records_is_not_shown_the_others() {
    let app = TestApp::<Crm>::start().await;
    made(&app.acme.owner, "/api/leads", ada()).await;
    let mut admin = app.database.admin().await;
    sqlx::query(
        "INSERT INTO crm.record_access (tenant_id, role, record_type, reads, writes, updated_at) \
         VALUES ($1, 'member', 'lead', 'own', 'own', now())",
    )
    .bind(app.acme.id().as_uuid())
    .execute(&mut admin)
    .await
    .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let member = &app.acme.member;
    let refused = member
        .post("/api/leads", ada())
        .await
        .assert_problem(409, "duplicate");
    assert_eq!(refused.json()["candidates"], json!([]));
    member
        .post("/api/leads?on_duplicate=return", ada())
        .await
        .assert_problem(409, "duplicate");
    let own = made(member, "/api/leads?on_duplicate=create", ada()).await;
    let found = member
        .get(&format!("/api/leads/{own}/duplicates"))
        .await
        .json();
    assert_eq!(found["items"], json!([]));
}
