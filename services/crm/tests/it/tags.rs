//! Tags: made by records, renamed and merged in all of them.

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::{Value, json};

use crate::{
    events,
    kit::{all_pages, column, faults, made, text},
};

async fn tagged(app: &TestApp<Crm>, path: &str, mut body: Value, tags: &[&str]) -> String {
    body["tags"] = json!(tags);
    let record = made(app, &app.acme.member, path, body).await;
    format!("{path}/{}", text(&record, "id"))
}

async fn tag(app: &TestApp<Crm>, name: &str) -> Value {
    let page = app.acme.viewer.get("/api/tags?limit=100").await.json();
    let all = page["items"].as_array().unwrap();
    all.iter()
        .find(|tag| tag["name"] == name)
        .cloned()
        .unwrap_or_default()
}

#[tokio::test]
async fn records_make_the_tags_that_they_name_and_the_list_counts_them() {
    let app = TestApp::<Crm>::start().await;
    tagged(
        &app,
        "/api/leads",
        json!({ "first_name": "Ada" }),
        &["vip", "eu"],
    )
    .await;
    tagged(
        &app,
        "/api/companies",
        json!({ "name": "Engines" }),
        &["eu"],
    )
    .await;
    let fresh = app
        .acme
        .member
        .post("/api/tags", json!({ "name": "cold", "color": "#0000ff" }))
        .await;
    let fresh = fresh.assert_status(201).json();
    assert_eq!(
        (&fresh["records"], &fresh["color"]),
        (&json!(0), &json!("#0000ff"))
    );
    assert_eq!(
        all_pages(&app.acme.viewer, "/api/tags", "name").await,
        ["cold", "eu", "vip"]
    );
    assert_eq!(
        column(&app.acme.viewer, "/api/tags", "records").await,
        [0, 2, 1]
    );
    assert!(
        column(&app.globex.owner, "/api/tags", "id")
            .await
            .is_empty()
    );
    let again = app
        .acme
        .member
        .post("/api/tags", json!({ "name": "eu" }))
        .await;
    assert_eq!(
        faults(&again.assert_problem(409, "tag_exists")),
        ["/name not_unique"]
    );
    let bad = app
        .acme
        .member
        .post("/api/tags", json!({ "name": " eu", "color": "blue" }))
        .await;
    assert_eq!(
        faults(&bad.assert_problem(422, "validation_failed")),
        ["/name invalid_tag", "/color invalid_color"]
    );
    app.acme
        .viewer
        .post("/api/tags", json!({ "name": "x" }))
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_new_name_holds_in_all_records_and_is_told_for_each() {
    let app = TestApp::<Crm>::start().await;
    let lead = tagged(
        &app,
        "/api/leads",
        json!({ "first_name": "Ada" }),
        &["old", "eu"],
    )
    .await;
    let company = tagged(
        &app,
        "/api/companies",
        json!({ "name": "Engines" }),
        &["old"],
    )
    .await;
    let other = tagged(&app, "/api/leads", json!({ "first_name": "Bob" }), &["eu"]).await;
    let path = format!("/api/tags/{}", text(&tag(&app, "old").await, "id"));
    let patch = json!({ "name": "new", "color": "#ff0000" });
    let after = app
        .acme
        .owner
        .patch(&path, &patch)
        .header("if-match", "\"1\"")
        .await;
    let after = after.assert_status(200).json();
    assert_eq!(
        (&after["records"], &after["version"]),
        (&json!(2), &json!(2))
    );
    for (path, tags, version) in [
        (&lead, json!(["new", "eu"]), 2),
        (&company, json!(["new"]), 2),
        (&other, json!(["eu"]), 1),
    ] {
        let record = app.acme.viewer.get(path).await.json();
        assert_eq!(
            (&record["tags"], &record["version"]),
            (&tags, &json!(version))
        );
    }
    assert_eq!(
        column(&app.acme.viewer, "/api/leads?tags=new", "first_name").await,
        ["Ada"]
    );
    assert!(
        column(&app.acme.viewer, "/api/leads?tags=old", "id")
            .await
            .is_empty()
    );
    let told = events(&app).await;
    assert!(
        told.contains(&"lead.updated".to_owned()) && told.contains(&"company.updated".to_owned())
    );
    let timeline = app
        .acme
        .viewer
        .get(&format!("{lead}/timeline"))
        .await
        .json();
    assert_eq!(
        timeline["items"][0]["changes"],
        json!({ "tags": [["old", "eu"], ["new", "eu"]] })
    );
    // To a name that is taken it is a merge, which is another request.
    let taken = app.acme.owner.patch(&path, json!({ "name": "eu" })).await;
    taken.assert_problem(409, "tag_exists");
    app.acme
        .owner
        .patch(&path, &patch)
        .header("if-match", "\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    app.acme
        .member
        .patch(&path, &patch)
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .patch(&path, &patch)
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_merged_tag_goes_and_no_record_has_the_other_one_twice() {
    let app = TestApp::<Crm>::start().await;
    let both = tagged(
        &app,
        "/api/leads",
        json!({ "first_name": "Ada" }),
        &["a", "b"],
    )
    .await;
    let one = tagged(&app, "/api/leads", json!({ "first_name": "Bob" }), &["a"]).await;
    let (a, b) = (tag(&app, "a").await, tag(&app, "b").await);
    let path = format!("/api/tags/{}/merge", text(&a, "id"));
    let owner = &app.acme.owner;
    for bad in [
        json!({ "into": a["id"] }),
        json!({ "into": "0199fa3e-0000-7000-8000-000000000000" }),
    ] {
        owner
            .post(&path, &bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    let stays = owner
        .post(&path, json!({ "into": b["id"] }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&stays["name"], &stays["records"]),
        (&json!("b"), &json!(2))
    );
    for path in [&both, &one] {
        assert_eq!(app.acme.viewer.get(path).await.json()["tags"], json!(["b"]));
    }
    owner
        .post(&path, json!({ "into": b["id"] }))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_deleted_tag_is_taken_off_all_records() {
    let app = TestApp::<Crm>::start().await;
    let lead = tagged(
        &app,
        "/api/leads",
        json!({ "first_name": "Ada" }),
        &["a", "b"],
    )
    .await;
    let path = format!("/api/tags/{}", text(&tag(&app, "a").await, "id"));
    app.acme
        .member
        .delete(&path)
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme.owner.delete(&path).await.assert_status(204);
    app.acme
        .owner
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .viewer
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    assert_eq!(
        app.acme.viewer.get(&lead).await.json()["tags"],
        json!(["b"])
    );
}
