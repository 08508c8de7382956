//! Activities and notes.

use bz_testkit::TestApp;
use chrono::TimeDelta;
use crm::Crm;
use serde_json::{Value, json};

use crate::{events, list, made, path_of};

const NOBODYS: &str = "0199fa3e-0000-7000-8000-000000000000";

fn call(links: &[(&str, &Value)]) -> Value {
    let links: Vec<Value> = links
        .iter()
        .map(|(kind, to)| json!({ "type": kind, "id": to["id"] }))
        .collect();
    json!({ "type": "call", "subject": "Asked for an offer", "direction": "inbound", "duration_s": 300, "links": links,
        "participants": [{ "name": "Ada", "email": "ada@engines.example" }] })
}

#[tokio::test]
async fn a_created_activity_is_there_and_now_when_it_does_not_say_when() {
    let app = TestApp::<Crm>::start().await;
    let activity = made(&app.acme.member, "/api/activities", call(&[])).await;
    assert_eq!(
        (&activity["type"], &activity["occurred_at"]),
        (&json!("call"), &json!("2026-03-02T09:00:00Z"))
    );
    let path = path_of("/api/activities", &activity);
    assert_eq!(
        app.acme.viewer.get(&path).await.assert_status(200).json(),
        activity
    );
    let changed = app
        .acme
        .member
        .patch(&path, json!({ "outcome": "reached", "type": "meeting" }))
        .await;
    let changed = changed.assert_status(200).json();
    assert_eq!(
        (&changed["type"], &changed["occurred_at"]),
        (&json!("meeting"), &activity["occurred_at"])
    );
    assert_eq!(
        list(&app.acme.viewer, "/api/activities?type=meeting")
            .await
            .len(),
        1
    );
    assert_eq!(
        list(&app.acme.viewer, "/api/activities?type=call")
            .await
            .len(),
        0
    );
    assert_eq!(events(&app).await, ["activity.created", "activity.updated"]);
}

#[tokio::test]
async fn last_activity_goes_forward_and_never_back() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let lead = made(member, "/api/leads", json!({ "first_name": "Ada" })).await;
    let contact = made(member, "/api/contacts", json!({ "first_name": "Grace" })).await;
    let company = made(member, "/api/companies", json!({ "name": "Engines" })).await;
    let deal = made(member, "/api/deals", json!({ "name": "x" })).await;
    let all = [
        ("lead", &lead),
        ("contact", &contact),
        ("company", &company),
        ("deal", &deal),
    ];
    let paths = [
        path_of("/api/leads", &lead),
        path_of("/api/contacts", &contact),
        path_of("/api/companies", &company),
        path_of("/api/deals", &deal),
    ];
    for (at, last) in [
        (json!("2026-03-01T10:00:00Z"), "2026-03-01T10:00:00Z"),
        (json!("2026-02-01T10:00:00Z"), "2026-03-01T10:00:00Z"),
        (json!("2026-03-20T10:00:00Z"), "2026-03-01T10:00:00Z"),
        (Value::Null, "2026-03-02T09:00:00Z"),
    ] {
        let mut activity = call(&all);
        activity["occurred_at"] = at;
        made(member, "/api/activities", activity).await;
        for path in &paths {
            let record = app.acme.viewer.get(path).await.json();
            assert_eq!(
                (&record["last_activity_at"], &record["version"]),
                (&json!(last), &json!(1)),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_batch_creates_what_is_right_and_says_what_is_wrong() {
    let app = TestApp::<Crm>::start().await;
    let batch = json!({ "items": [
        call(&[]),
        { "type": "call" },
        { "type": "telepathy", "subject": "x" },
        { "type": "note", "body": "x", "links": [{ "type": "lead", "id": NOBODYS }] },
        { "type": "note", "body": "y" },
        "nonsense",
    ] });
    let send = async || {
        app.acme
            .member
            .post("/api/activities/batch", batch.clone())
            .header("idempotency-key", "k")
            .await
    };
    let answer = send().await.assert_status(201).json();
    assert_eq!(
        (&answer["created"], &answer["failed"]),
        (&json!(2), &json!(4))
    );
    let statuses: Vec<i64> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["status"].as_i64().unwrap())
        .collect();
    assert_eq!(statuses, [201, 422, 422, 422, 201, 422]);
    assert_eq!(
        answer["results"][3]["problem"]["errors"][0]["pointer"],
        "/links/0/id"
    );
    assert_eq!(send().await.assert_status(201).json(), answer);
    assert_eq!(list(&app.acme.viewer, "/api/activities").await.len(), 2);
    let none = app
        .acme
        .member
        .post("/api/activities/batch", json!({ "items": [] }))
        .await;
    none.assert_problem(422, "validation_failed");
    let many = json!({ "items": vec![json!({ "type": "note", "body": "x" }); 1_001] });
    app.acme
        .member
        .post("/api/activities/batch", many)
        .await
        .assert_problem(422, "validation_failed");
    app.acme
        .viewer
        .post("/api/activities/batch", batch.clone())
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_batch_of_a_thousand_is_one_request() {
    let app = TestApp::<Crm>::start().await;
    let lead = made(
        &app.acme.member,
        "/api/leads",
        json!({ "first_name": "Ada" }),
    )
    .await;
    let batch = json!({ "items": vec![call(&[("lead", &lead)]); 1_000] });
    let begun = std::time::Instant::now();
    let answer = app
        .acme
        .member
        .post("/api/activities/batch", batch)
        .await
        .assert_status(201)
        .json();
    println!("batch of 1,000 activities: {:?}", begun.elapsed());
    assert_eq!(answer["created"], 1_000);
}

#[tokio::test]
async fn everything_wrong_with_an_activity_is_said_at_its_place() {
    let app = TestApp::<Crm>::start().await;
    for (bad, pointer) in [
        (json!({ "type": "call" }), ""),
        (json!({ "subject": "x" }), "/type"),
        (
            json!({ "type": "call", "subject": "x", "duration_s": -1 }),
            "/duration_s",
        ),
        (
            json!({ "type": "call", "subject": "x", "participants": [{}] }),
            "/participants/0",
        ),
        (
            json!({ "type": "call", "subject": "x", "participants": [{ "email": "x" }] }),
            "/participants/0/email",
        ),
        (
            json!({ "type": "call", "subject": "x", "occurred_at": "soon" }),
            "/occurred_at",
        ),
    ] {
        let answer = app.acme.member.post("/api/activities", bad.clone()).await;
        let answer = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(answer["errors"][0]["pointer"], pointer, "{bad}");
    }
}

#[tokio::test]
async fn activities_keep_to_tenant_permission_and_version() {
    let app = TestApp::<Crm>::start().await;
    let path = path_of(
        "/api/activities",
        &made(&app.acme.member, "/api/activities", call(&[])).await,
    );
    for path in [path.clone(), format!("/api/activities/{NOBODYS}")] {
        app.globex
            .owner
            .get(&path)
            .await
            .assert_problem(404, "not_found");
        app.globex
            .owner
            .patch(&path, json!({ "subject": "x" }))
            .await
            .assert_problem(404, "not_found");
        app.globex
            .owner
            .delete(&path)
            .await
            .assert_problem(404, "not_found");
    }
    app.acme
        .viewer
        .post("/api/activities", call(&[]))
        .await
        .assert_problem(403, "forbidden");
    app.acme
        .viewer
        .delete(&path)
        .await
        .assert_problem(403, "forbidden");
    let late = app
        .acme
        .member
        .put(&path, call(&[]))
        .header("if-match", "\"4\"");
    late.await.assert_problem(412, "precondition_failed");
    app.acme.member.delete(&path).await.assert_status(204);
    app.acme
        .member
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_note_is_an_activity_of_its_type_and_nothing_else_is_one() {
    let app = TestApp::<Crm>::start().await;
    let lead = made(
        &app.acme.member,
        "/api/leads",
        json!({ "first_name": "Ada" }),
    )
    .await;
    let body = json!({ "body": "Wants **forty** engines.", "links": [{ "type": "lead", "id": lead["id"] }] });
    let note = made(&app.acme.member, "/api/notes", body).await;
    assert_eq!(
        (&note["type"], &note["body"]),
        (&json!("note"), &json!("Wants **forty** engines."))
    );
    let lead = app
        .acme
        .viewer
        .get(&path_of("/api/leads", &lead))
        .await
        .json();
    assert_eq!(lead["last_activity_at"], note["occurred_at"]);
    app.clock.advance(TimeDelta::seconds(1));
    let other = made(&app.acme.member, "/api/activities", call(&[])).await;
    assert_eq!(
        list(&app.acme.viewer, "/api/notes").await,
        std::slice::from_ref(&note)
    );
    let path = path_of("/api/notes", &note);
    let changed = app
        .acme
        .member
        .patch(&path, json!({ "body": "Wants *fifty*." }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(changed["body"], "Wants *fifty*.");
    let turned = app
        .acme
        .member
        .patch(&path, json!({ "type": "call" }))
        .await;
    turned.assert_problem(422, "validation_failed");
    for path in [
        path_of("/api/notes", &other),
        format!("/api/notes/{NOBODYS}"),
    ] {
        app.acme
            .member
            .get(&path)
            .await
            .assert_problem(404, "not_found");
        app.acme
            .member
            .patch(&path, json!({ "body": "x" }))
            .await
            .assert_problem(404, "not_found");
        app.acme
            .member
            .delete(&path)
            .await
            .assert_problem(404, "not_found");
    }
    app.globex
        .owner
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .viewer
        .post("/api/notes", json!({ "body": "x" }))
        .await
        .assert_problem(403, "forbidden");
    app.acme
        .member
        .post("/api/notes", json!({ "body": " " }))
        .await
        .assert_problem(422, "validation_failed");
    app.acme.member.delete(&path).await.assert_status(204);
    app.acme
        .member
        .get(&path)
        .await
        .assert_problem(404, "not_found");
}
