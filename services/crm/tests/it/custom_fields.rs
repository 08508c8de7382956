//! The tenant's own fields: definitions, values, what lists find by them.

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::{Value, json};

use crate::kit::{all_pages, column, faults, made, text};

const FIELDS: &str = "/api/custom-fields";

async fn field(app: &TestApp<Crm>, key: &str, kind: &str, more: Value) -> String {
    let mut body = json!({ "record_type": "lead", "key": key, "label": key, "type": kind });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let field = made(app, &app.acme.owner, FIELDS, body).await;
    format!("{FIELDS}/{}", text(&field, "id"))
}

async fn lead(app: &TestApp<Crm>, name: &str, custom: Value) -> String {
    let body = json!({ "first_name": name, "custom": custom });
    let lead = made(app, &app.acme.member, "/api/leads", body).await;
    format!("/api/leads/{}", text(&lead, "id"))
}

#[tokio::test]
async fn a_field_is_defined_read_changed_and_its_records_are_checked_at_once() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let unknown = member
        .post(
            "/api/leads",
            json!({ "first_name": "Ada", "custom": { "seats": 3 } }),
        )
        .await;
    assert_eq!(
        faults(&unknown.assert_problem(422, "validation_failed")),
        ["/custom/seats unknown_field"]
    );
    let path = field(&app, "seats", "number", json!({})).await;
    lead(&app, "Ada", json!({ "seats": 3 })).await;
    let wrong = member
        .post(
            "/api/leads",
            json!({ "first_name": "Ada", "custom": { "seats": "x" } }),
        )
        .await;
    assert_eq!(
        faults(&wrong.assert_problem(422, "validation_failed")),
        ["/custom/seats invalid_value"]
    );
    let read = app.acme.viewer.get(&path).await.assert_status(200);
    assert_eq!(
        (read.header("etag"), &read.json()["label"]),
        (Some("\"1\""), &json!("seats"))
    );
    let patch = json!({ "label": "Seats", "required": true });
    let changed = app
        .acme
        .owner
        .patch(&path, patch)
        .header("if-match", "\"1\"")
        .await;
    assert_eq!(changed.assert_status(200).json()["version"], 2);
    let late = app
        .acme
        .owner
        .patch(&path, json!({ "label": "x" }))
        .header("if-match", "\"1\"")
        .await;
    late.assert_problem(412, "precondition_failed");
    let missing = member
        .post("/api/leads", json!({ "first_name": "Bob" }))
        .await;
    assert_eq!(
        faults(&missing.assert_problem(422, "validation_failed")),
        ["/custom/seats required"]
    );
    assert_eq!(
        column(
            &app.acme.viewer,
            &format!("{FIELDS}?record_type=lead"),
            "key"
        )
        .await,
        ["seats"]
    );
    assert!(column(&app.globex.owner, FIELDS, "key").await.is_empty());
}

#[tokio::test]
async fn bad_definitions_are_refused_and_a_repeated_one_is_made_once() {
    let app = TestApp::<Crm>::start().await;
    let owner = &app.acme.owner;
    let good = json!({ "record_type": "lead", "key": "plan", "label": "Plan", "type": "select", "options": ["a", "b"] });
    for (name, value, fault) in [
        (
            "record_type",
            json!("shoe"),
            "/record_type unknown_record_type",
        ),
        ("key", json!("Plan"), "/key invalid_key"),
        ("key", json!("1plan"), "/key invalid_key"),
        ("label", json!(" "), "/label blank"),
        ("options", json!([]), "/options invalid_options"),
        ("options", json!(["a", "a"]), "/options/1 repeated"),
        ("type", json!("text"), "/options invalid_options"),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        let refused = owner.post(FIELDS, &bad).await;
        assert_eq!(
            faults(&refused.assert_problem(422, "validation_failed")),
            [fault]
        );
    }
    let once = async || {
        owner
            .post(FIELDS, &good)
            .header("idempotency-key", "once")
            .await
            .assert_status(201)
            .json()
    };
    assert_eq!(once().await, once().await);
    let again = owner.post(FIELDS, &good).await;
    assert_eq!(
        faults(&again.assert_problem(409, "custom_field_exists")),
        ["/key not_unique"]
    );
    app.acme
        .member
        .post(FIELDS, &good)
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_type_stays_once_a_record_has_a_value_and_options_only_grow() {
    let app = TestApp::<Crm>::start().await;
    let owner = &app.acme.owner;
    let path = field(&app, "plan", "select", json!({ "options": ["a", "b"] })).await;
    let text_field = field(&app, "note", "text", json!({})).await;
    owner
        .patch(&text_field, json!({ "type": "number" }))
        .await
        .assert_status(200);
    let ada = lead(&app, "Ada", json!({ "plan": "a", "note": 5 })).await;
    let fewer = owner.patch(&path, json!({ "options": ["a", "c"] })).await;
    assert_eq!(
        faults(&fewer.assert_problem(422, "validation_failed")),
        ["/options option_removed"]
    );
    owner
        .patch(&path, json!({ "options": ["a", "b", "c"] }))
        .await
        .assert_status(200);
    let change = json!({ "custom": { "plan": "c" } });
    app.acme.member.patch(&ada, change).await.assert_status(200);
    let other = owner.patch(&text_field, json!({ "type": "text" })).await;
    assert_eq!(
        faults(&other.assert_problem(409, "custom_field_in_use")),
        ["/type in_use"]
    );
}

#[tokio::test]
async fn lists_filter_and_sort_by_typed_values_in_any_spelling() {
    let app = TestApp::<Crm>::start().await;
    field(&app, "plan", "text", json!({})).await;
    field(&app, "seats", "number", json!({})).await;
    field(&app, "since", "date", json!({})).await;
    lead(
        &app,
        "Ada",
        json!({ "plan": "PRO", "seats": 10, "since": "2026-01-02" }),
    )
    .await;
    lead(&app, "Bob", json!({ "plan": "Basic", "seats": 9 })).await;
    lead(&app, "Cid", json!({})).await;
    lead(
        &app,
        "Dan",
        json!({ "plan": "pro", "seats": 100, "since": "2025-01-02" }),
    )
    .await;
    let viewer = &app.acme.viewer;
    for (query, names) in [
        ("cf.plan=Pro", vec!["Dan", "Ada"]),
        ("cf.plan[in]=PRO,basic", vec!["Dan", "Bob", "Ada"]),
        ("cf.plan[ne]=pro", vec!["Cid", "Bob"]),
        ("cf.plan[like]=bAs", vec!["Bob"]),
        ("cf.seats[gte]=10", vec!["Dan", "Ada"]),
        ("cf.seats[is_null]=true", vec!["Cid"]),
        ("custom.since[lt]=2026-01-01", vec!["Dan"]),
        ("sort=cf.seats", vec!["Bob", "Ada", "Dan", "Cid"]),
        ("sort=-cf.seats", vec!["Dan", "Ada", "Bob", "Cid"]),
        ("sort=-cf.since", vec!["Ada", "Dan", "Cid", "Bob"]),
        ("sort=cf.plan,-cf.seats", vec!["Bob", "Dan", "Ada", "Cid"]),
        ("sort=-status,cf.seats", vec!["Bob", "Ada", "Dan", "Cid"]),
    ] {
        let path = format!("/api/leads?{query}");
        assert_eq!(
            all_pages(viewer, &path, "first_name").await,
            names,
            "{query}"
        );
    }
    let unknown = viewer.get("/api/leads?cf.shoe=1&sort=cf.shoe").await;
    assert_eq!(
        faults(&unknown.assert_problem(422, "validation_failed")),
        ["cf.shoe unknown_field"]
    );
}

#[tokio::test]
async fn a_unique_value_is_had_once_and_the_conflict_names_its_field() {
    let app = TestApp::<Crm>::start().await;
    let (owner, member) = (&app.acme.owner, &app.acme.member);
    let path = field(&app, "number", "text", json!({ "unique": true })).await;
    let ada = lead(&app, "Ada", json!({ "number": "K-1" })).await;
    let bob = lead(&app, "Bob", json!({ "number": "K-2" })).await;
    let same = json!({ "first_name": "Eve", "custom": { "number": "k-1" } });
    let taken = member.post("/api/leads", &same).await;
    assert_eq!(
        faults(&taken.assert_problem(409, "not_unique")),
        ["/custom/number not_unique"]
    );
    let taken = member
        .patch(&bob, json!({ "custom": { "number": "K-1" } }))
        .await;
    assert_eq!(
        faults(&taken.assert_problem(409, "not_unique")),
        ["/custom/number not_unique"]
    );
    // Its own value is no conflict, and one that was freed is free.
    member
        .patch(
            &ada,
            json!({ "city": "Oslo", "custom": { "number": "K-1" } }),
        )
        .await
        .assert_status(200);
    member.delete(&ada).await.assert_status(204);
    member
        .patch(&bob, json!({ "custom": { "number": "K-1" } }))
        .await
        .assert_status(200);
    let back = member.post(&format!("{ada}/restore"), json!({})).await;
    assert_eq!(
        faults(&back.assert_problem(409, "not_unique")),
        ["/custom not_unique"]
    );
    // A rule that does not hold for what is there cannot be made.
    owner
        .patch(&path, json!({ "unique": false }))
        .await
        .assert_status(200);
    member
        .post(&format!("{ada}/restore"), json!({}))
        .await
        .assert_status(200);
    let refused = owner.patch(&path, json!({ "unique": true })).await;
    assert_eq!(
        faults(&refused.assert_problem(409, "not_unique")),
        ["/unique not_unique"]
    );
}

#[tokio::test]
async fn what_is_filterable_is_indexed_anew_and_a_deleted_field_takes_its_values_along() {
    let app = TestApp::<Crm>::start().await;
    let owner = &app.acme.owner;
    let path = field(&app, "plan", "text", json!({ "filterable": false })).await;
    let ada = lead(&app, "Ada", json!({ "plan": "pro" })).await;
    let list = "/api/leads?cf.plan=pro";
    let refused = app.acme.viewer.get(list).await;
    assert_eq!(
        faults(&refused.assert_problem(422, "validation_failed")),
        ["cf.plan not_filterable"]
    );
    owner
        .patch(&path, json!({ "filterable": true }))
        .await
        .assert_status(200);
    assert_eq!(column(&app.acme.viewer, list, "first_name").await, ["Ada"]);
    app.globex
        .owner
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    app.clock.advance(chrono::TimeDelta::seconds(1));
    owner.delete(&path).await.assert_status(204);
    owner.delete(&path).await.assert_problem(404, "not_found");
    let after = app.acme.viewer.get(&ada).await.json();
    assert_eq!(
        (&after["custom"], &after["version"]),
        (&json!({}), &json!(2))
    );
    let timeline = app.acme.viewer.get(&format!("{ada}/timeline")).await.json();
    assert_eq!(
        timeline["items"][0]["changes"],
        json!({ "custom.plan": ["pro", null] })
    );
}

#[tokio::test]
async fn a_type_has_at_most_two_hundred_fields() {
    let app = TestApp::<Crm>::start().await;
    sqlx::query(
        "INSERT INTO crm.custom_fields (tenant_id, id, record_type, key, label, type, created_at, updated_at) \
         SELECT $1, gen_random_uuid(), 'lead', 'f' || n, 'x', 'text', now(), now() FROM generate_series(1, 200) AS n",
    )
    .bind(app.acme.id().as_uuid())
    .execute(&mut app.database.admin().await)
    .await
    .unwrap();
    let one =
        |of: &str| json!({ "record_type": of, "key": "more", "label": "More", "type": "text" });
    let owner = &app.acme.owner;
    owner
        .post(FIELDS, one("lead"))
        .await
        .assert_problem(409, "too_many_custom_fields");
    owner.post(FIELDS, one("contact")).await.assert_status(201);
}
