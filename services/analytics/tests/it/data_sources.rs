//! Data sources: set up, changed, deleted; secrets that go in and never come out.

use analytics::Analytics;
use bz_testkit::TestApp;
use serde_json::{Value, json};

use crate::source_support::{import, loaded, read, source, upload_source};

const NOBODYS: &str = "0199fa3e-0000-7000-8000-000000000000";

fn shop() -> Value {
    json!({ "name": "Shop", "kind": "upload", "dataset": "orders", "reading": { "currency": "GBP" } })
}

fn ads() -> Value {
    json!({
        "name": "Ads", "kind": "http", "dataset": "google-ads", "reading": { "currency": "EUR" },
        "pull": { "url": "https://ads.example.com/report.csv?from={from}&to={to}", "every_minutes": 60 },
        "headers": { "Authorization": "Bearer very-secret" }
    })
}

#[tokio::test]
async fn a_source_is_set_up_found_listed_changed_and_deleted() {
    let app = TestApp::<Analytics>::start().await;
    let owner = &app.acme.owner;
    let made = owner
        .post("/api/datasources", shop())
        .await
        .assert_status(201);
    assert_eq!(made.header("etag"), Some("\"1\""));
    let made = made.json();
    let path = format!("/api/datasources/{}", made["id"].as_str().unwrap());
    assert_eq!(
        app.acme.viewer.get(&path).await.assert_status(200).json(),
        made
    );
    let list = app
        .acme
        .viewer
        .get("/api/datasources")
        .await
        .assert_status(200)
        .json();
    assert_eq!(list, json!({ "items": [made], "next_cursor": null }));

    let change =
        json!({ "name": "Shop UK", "reading": { "currency": "GBP", "timezone": "Europe/London" } });
    let changed = owner
        .patch(&path, change)
        .header("if-match", "\"1\"")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&changed["name"], &changed["version"]),
        (&json!("Shop UK"), &json!(2))
    );
    assert_eq!(changed["reading"]["timezone"], "Europe/London");
    let stale = owner
        .patch(&path, json!({ "name": "X" }))
        .header("if-match", "\"1\"")
        .await;
    stale.assert_problem(412, "precondition_failed");

    owner.delete(&path).await.assert_status(204);
    owner.get(&path).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn the_same_key_sets_up_one_source_and_a_name_is_had_once() {
    let app = TestApp::<Analytics>::start().await;
    let post = || {
        app.acme
            .owner
            .post("/api/datasources", shop())
            .header("idempotency-key", "k1")
    };
    let first = post().await.assert_status(201).json();
    let again = post().await.assert_status(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.json(), first);
    let other = app.acme.owner.post("/api/datasources", shop()).await;
    other.assert_problem(409, "name_taken");
    // Another tenant has names of its own.
    app.globex
        .owner
        .post("/api/datasources", shop())
        .await
        .assert_status(201);
}

#[tokio::test]
async fn headers_are_kept_sealed_and_never_shown() {
    let app = TestApp::<Analytics>::start().await;
    let made = app
        .acme
        .owner
        .post("/api/datasources", ads())
        .await
        .assert_status(201);
    assert!(!made.text().contains("very-secret"));
    assert_eq!(made.json()["header_names"], json!(["authorization"]));
    let stored = read(&app, "SELECT * FROM analytics.data_sources")
        .await
        .to_string();
    assert!(stored.contains("\"sealed\"") && !stored.contains("very-secret"));
    let hex = hex::encode("very-secret");
    assert!(!stored.contains(&hex), "{stored}");

    // What was entrusted for one host is not sent to another one because somebody changes the address.
    let path = format!("/api/datasources/{}", made.json()["id"].as_str().unwrap());
    let moved = json!({ "pull": { "url": "https://evil.example.com/" } });
    let refused = app
        .acme
        .owner
        .patch(&path, moved.clone())
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/headers");
    let mut without = moved;
    without["headers"] = Value::Null;
    let changed = app
        .acme
        .owner
        .patch(&path, without)
        .await
        .assert_status(200)
        .json();
    assert_eq!(changed["header_names"], json!([]));
}

#[tokio::test]
async fn sources_keep_to_tenant_and_permission() {
    let app = TestApp::<Analytics>::start().await;
    let id = source(&app.globex.owner, shop()).await;
    let path = format!("/api/datasources/{id}");
    app.acme
        .owner
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .owner
        .patch(&path, json!({ "name": "X" }))
        .await
        .assert_problem(404, "not_found");
    app.acme
        .owner
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .owner
        .get(&format!("{path}/runs"))
        .await
        .assert_problem(404, "not_found");
    app.acme
        .owner
        .post(&format!("{path}/test"), ())
        .await
        .assert_problem(404, "not_found");
    app.acme
        .owner
        .post(&format!("{path}/sync"), ())
        .await
        .assert_problem(404, "not_found");
    let file = import(&app.acme.owner, &format!("source_id={id}"), "a,b\n1,2\n").await;
    file.assert_problem(404, "not_found");
    let nobodys = format!("/api/datasources/{NOBODYS}");
    app.acme
        .owner
        .get(&nobodys)
        .await
        .assert_problem(404, "not_found");
    app.acme
        .owner
        .get(&format!("/api/analytics/imports/{NOBODYS}"))
        .await
        .assert_problem(404, "not_found");

    app.globex.viewer.get(&path).await.assert_status(200);
    for client in [&app.globex.viewer, &app.globex.member] {
        client
            .post("/api/datasources", ads())
            .await
            .assert_problem(403, "forbidden");
        client.delete(&path).await.assert_problem(403, "forbidden");
    }
    app.anonymous
        .get(&path)
        .await
        .assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_source_that_makes_no_sense_is_refused_with_all_that_is_wrong() {
    let app = TestApp::<Analytics>::start().await;
    let pointers = async |wanted: Value| {
        let refused = app.acme.owner.post("/api/datasources", wanted).await;
        let problem = refused.assert_problem(422, "validation_failed").json();
        let errors = problem["errors"].as_array().unwrap().clone();
        errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let reading = json!({
        "timezone": "Mars/Base", "currency": "euro", "decimal": ";", "date_format": "%Q", "delimiter": "x", "encoding": "klingon"
    });
    assert_eq!(
        pointers(json!({ "name": " ", "kind": "upload", "dataset": "sales", "reading": reading }))
            .await,
        [
            "/name",
            "/dataset",
            "/reading/delimiter",
            "/reading/encoding",
            "/reading/timezone",
            "/reading/currency",
            "/reading/decimal",
            "/reading/date_format"
        ]
    );
    let mut wanted = ads();
    wanted["pull"] = json!({ "url": "https://x.example", "every_minutes": 1, "restate_days": 91, "items": "rows" });
    wanted["headers"] = json!({ "Host": "x" });
    assert_eq!(
        pointers(wanted).await,
        [
            "/pull/every_minutes",
            "/pull/restate_days",
            "/pull/items",
            "/headers/Host"
        ]
    );
    let mut wanted = ads();
    for inside in [
        "http://ads.example.com/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest",
        "ftp://x.example/",
    ] {
        wanted["pull"]["url"] = json!(inside);
        assert_eq!(pointers(wanted.clone()).await, ["/pull/url"], "{inside}");
    }
    let mut wanted = ads();
    wanted.as_object_mut().unwrap().remove("pull");
    assert_eq!(pointers(wanted).await, ["/pull"]);
}

#[tokio::test]
async fn a_source_goes_with_its_data_or_without() {
    let app = TestApp::<Analytics>::start().await;
    let owner = &app.acme.owner;
    let rows = "date,campaign,cost\n2026-03-01,a,1.50\n";
    let kept = upload_source(owner, "google-ads", json!({ "currency": "EUR" })).await;
    loaded(owner, &kept, rows).await;
    owner
        .delete(&format!("/api/datasources/{kept}"))
        .await
        .assert_status(204);
    let facts = "SELECT count(*) FROM analytics.facts";
    assert_eq!(read(&app, facts).await, json!([{ "count": 1 }]));

    let gone = upload_source(owner, "google-ads", json!({ "currency": "EUR" })).await;
    loaded(owner, &gone, rows).await;
    assert_eq!(read(&app, facts).await, json!([{ "count": 2 }]));
    owner
        .delete(&format!("/api/datasources/{gone}?with_data=true"))
        .await
        .assert_status(204);
    assert_eq!(read(&app, facts).await, json!([{ "count": 1 }]));
    assert_eq!(
        read(&app, "SELECT version FROM analytics.tenant_data").await,
        json!([{ "version": 3 }])
    );
}
