//! Saved views: one's own, shared ones, and lists by them.

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::json;

use crate::kit::{column, faults, made, text};

const VIEWS: &str = "/api/views";

#[tokio::test]
async fn a_view_is_saved_changed_and_used_by_the_list() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    for (name, city) in [("Ada", "Oslo"), ("Bob", "Bergen"), ("Eve", "Oslo")] {
        made(
            &app,
            member,
            "/api/leads",
            json!({ "first_name": name, "city": city }),
        )
        .await;
    }
    let view = json!({ "record_type": "lead", "name": "Oslo", "filter": { "field": "city", "value": "Oslo" },
        "sort": ["first_name"], "columns": ["first_name"] });
    let view = made(&app, member, VIEWS, view).await;
    let list = format!("/api/leads?view={}", text(&view, "id"));
    assert_eq!(column(member, &list, "first_name").await, ["Ada", "Eve"]);
    assert_eq!(
        column(member, &format!("{list}&sort=-first_name"), "first_name").await,
        ["Eve", "Ada"]
    );
    assert_eq!(
        column(member, &format!("{list}&first_name=Eve"), "first_name").await,
        ["Eve"]
    );
    let page = member.get(&list).await.json();
    assert!(page["items"][0]["city"].is_null() && page["items"][0]["id"].is_string());
    let path = format!("{VIEWS}/{}", text(&view, "id"));
    let patch = json!({ "filter": null, "columns": [], "name": "All" });
    let after = member
        .patch(&path, patch)
        .header("if-match", "\"1\"")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&after["filter"], &after["version"]),
        (&json!(null), &json!(2))
    );
    assert_eq!(
        column(member, &list, "first_name").await,
        ["Ada", "Bob", "Eve"]
    );
    member
        .patch(&path, json!({}))
        .header("if-match", "\"1\"")
        .await
        .assert_problem(412, "precondition_failed");
    member.delete(&path).await.assert_status(204);
    member.delete(&path).await.assert_problem(404, "not_found");
    let gone = member
        .get(&list)
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(faults(&gone), ["view unknown_view"]);
}

#[tokio::test]
async fn a_view_of_ones_own_is_nobody_elses_and_a_shared_one_is_changed_by_its_maker_or_an_admin() {
    let app = TestApp::<Crm>::start().await;
    let (member, other) = (&app.acme.member, crate::kit::user(&app, 1, "member").1);
    let own = made(
        &app,
        member,
        VIEWS,
        json!({ "record_type": "lead", "name": "Mine" }),
    )
    .await;
    let shared = json!({ "record_type": "lead", "name": "Ours", "shared": true });
    let shared = made(&app, member, VIEWS, shared).await;
    let (own, shared) = (
        format!("{VIEWS}/{}", text(&own, "id")),
        format!("{VIEWS}/{}", text(&shared, "id")),
    );
    assert_eq!(column(member, VIEWS, "name").await, ["Ours", "Mine"]);
    assert_eq!(
        column(&other, &format!("{VIEWS}?record_type=lead"), "name").await,
        ["Ours"]
    );
    assert!(
        column(&other, &format!("{VIEWS}?record_type=contact"), "name")
            .await
            .is_empty()
    );
    for client in [&other, &app.acme.owner, &app.globex.owner] {
        client.get(&own).await.assert_problem(404, "not_found");
        client
            .patch(&own, json!({ "name": "x" }))
            .await
            .assert_problem(404, "not_found");
    }
    other.get(&shared).await.assert_status(200);
    other
        .patch(&shared, json!({ "name": "x" }))
        .await
        .assert_problem(403, "forbidden");
    other.delete(&shared).await.assert_problem(403, "forbidden");
    app.acme
        .viewer
        .patch(&shared, json!({ "name": "x" }))
        .await
        .assert_problem(403, "forbidden");
    app.acme
        .owner
        .patch(&shared, json!({ "name": "x" }))
        .await
        .assert_status(200);
    app.globex
        .owner
        .delete(&shared)
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_view_that_does_not_fit_its_type_is_refused_and_a_name_is_used_once() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let view =
        |filter: serde_json::Value| json!({ "record_type": "lead", "name": "V", "filter": filter });
    let bad = member
        .post(
            VIEWS,
            view(json!({ "all": [{ "field": "shoe", "value": 1 }] })),
        )
        .await;
    assert_eq!(
        faults(&bad.assert_problem(422, "validation_failed")),
        ["/filter/all/0/value unknown_field"]
    );
    let bad = json!({ "record_type": "lead", "name": "V", "sort": ["shoe"], "columns": ["shoe"] });
    let bad = member.post(VIEWS, bad).await;
    assert_eq!(
        faults(&bad.assert_problem(422, "validation_failed")),
        ["/sort unknown_field", "/columns unknown_field"]
    );
    let bad = member
        .post(VIEWS, json!({ "record_type": "shoe", "name": "" }))
        .await;
    assert_eq!(
        faults(&bad.assert_problem(422, "validation_failed")),
        ["/record_type unknown_record_type", "/name blank"]
    );
    let good = view(json!({ "field": "status", "value": "new" }));
    let once = async || {
        member
            .post(VIEWS, &good)
            .header("idempotency-key", "once")
            .await
            .assert_status(201)
            .json()
    };
    assert_eq!(once().await, once().await);
    member
        .post(VIEWS, &good)
        .await
        .assert_problem(409, "view_exists");
    app.acme
        .viewer
        .post(VIEWS, &good)
        .await
        .assert_problem(403, "forbidden");
}
