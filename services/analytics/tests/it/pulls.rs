//! Addresses that are asked: what is sent, what is taken, what is restated.

use std::time::Duration;

use analytics::Analytics;
use bz_testkit::{TestApp, wait_until};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::source_support::{Remote, read, source, upload_source};

const PATIENCE: Duration = Duration::from_secs(20);
const FACTS: &str = "SELECT day, measures FROM analytics.facts ORDER BY day";

async fn app() -> TestApp<Analytics> {
    TestApp::<Analytics>::builder()
        .env("EGRESS_ALLOW", "127.0.0.1")
        .start()
        .await
}

fn ads(remote: &Remote, pull: Value) -> Value {
    let mut pull = pull;
    pull["url"] = json!(format!("{}/report?from={{from}}&to={{to}}", remote.url));
    json!({
        "name": "Ads", "kind": "http", "dataset": "google-ads", "reading": { "currency": "EUR" }, "pull": pull,
        "headers": { "authorization": "Bearer very-secret" }
    })
}

async fn runs(app: &TestApp<Analytics>, id: &str) -> Vec<Value> {
    let page = app
        .acme
        .viewer
        .get(&format!("/api/datasources/{id}/runs"))
        .await
        .assert_status(200)
        .json();
    page["items"].as_array().unwrap().clone()
}

async fn wait_for_runs(app: &TestApp<Analytics>, id: &str, done: usize) -> Vec<Value> {
    let over = |run: &Value| matches!(run["status"].as_str().unwrap(), "succeeded" | "failed");
    wait_until(
        async || runs(app, id).await.iter().filter(|run| over(run)).count() >= done,
        PATIENCE,
    )
    .await;
    runs(app, id).await
}

#[tokio::test]
async fn an_address_is_asked_regularly_and_the_last_days_are_asked_for_again() {
    let remote = Remote::start().await;
    let mut app = app().await;
    remote.answers(
        200,
        "text/csv; charset=utf-8",
        "date,clicks,cost\n2026-03-01,5,1.00\n2026-03-02,1,0.10\n",
    );
    let id = source(
        &app.acme.owner,
        ads(
            &remote,
            json!({ "every_minutes": 60, "start": "2026-02-01" }),
        ),
    )
    .await;
    app.start_jobs();
    let first = wait_for_runs(&app, &id, 1).await;
    assert_eq!(
        (
            &first[0]["status"],
            &first[0]["rows_done"],
            &first[0]["created_by"]
        ),
        (&json!("succeeded"), &json!(2), &Value::Null),
        "{first:?}"
    );
    let asked = remote.asked();
    assert!(
        asked[0].starts_with("GET /report?from=2026-02-01&to=2026-03-02 "),
        "{}",
        asked[0]
    );
    assert!(
        asked[0].contains("authorization: Bearer very-secret"),
        "{}",
        asked[0]
    );

    // A day later the first of March is restated; what is not answered any more of a day is gone.
    app.clock.advance(TimeDelta::days(1));
    remote.answers(200, "text/csv", "date,clicks,cost\n2026-03-01,7,2.00\n");
    let second = wait_for_runs(&app, &id, 2).await;
    assert_eq!(second[0]["status"], "succeeded", "{second:?}");
    assert!(
        remote.asked()[1].starts_with("GET /report?from=2026-02-27&to=2026-03-03 "),
        "{}",
        remote.asked()[1]
    );
    assert_eq!(
        read(&app, FACTS).await,
        json!([
            { "day": "2026-03-01", "measures": { "clicks": 7, "cost": 200 } },
            { "day": "2026-03-02", "measures": { "clicks": 1, "cost": 10 } },
        ])
    );
    let shown = app
        .acme
        .viewer
        .get(&format!("/api/datasources/{id}"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&shown["cursor"], &shown["next_sync_at"]),
        (&json!("2026-03-03"), &json!("2026-03-03T10:00:00Z"))
    );
}

#[tokio::test]
async fn a_source_is_tested_without_loading_anything() {
    let remote = Remote::start().await;
    let app = app().await;
    let pull = json!({ "items": "/data" });
    let mut wanted = ads(&remote, pull);
    wanted["reading"]["mapping"] = json!({ "metrics.clicks": "clicks" });
    let id = source(&app.acme.owner, wanted).await;
    let test = || {
        app.acme
            .owner
            .post(&format!("/api/datasources/{id}/test"), ())
    };
    let answer = json!({ "data": [
        { "date": "2026-03-01", "metrics": { "clicks": 3, "roas": 2 } }, { "date": "soon", "metrics": { "clicks": 4 } }
    ] });
    remote.answers(200, "application/json", answer.to_string());
    let found = test().await.assert_status(200).json();
    assert_eq!(
        (&found["rows"], &found["left_out"]),
        (&json!(2), &json!(["metrics.roas"]))
    );
    assert_eq!(
        (&found["faults"][0]["row"], &found["faults"][0]["code"]),
        (&json!(3), &json!("not_a_date"))
    );
    assert_eq!(
        read(&app, "SELECT count(*) FROM analytics.source_runs").await,
        json!([{ "count": 0 }])
    );

    remote.answers(401, "text/plain", "who are you, very-secret?");
    let refused = test().await.assert_problem(502, "unexpected_status");
    assert!(
        !refused.text().contains("very-secret"),
        "{}",
        refused.text()
    );
    remote.answers(200, "text/csv", "a,b\n1,2\n");
    test().await.assert_problem(422, "validation_failed");
    app.acme
        .member
        .post(&format!("/api/datasources/{id}/test"), ())
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn asking_twice_is_one_run_and_a_faulty_answer_loads_nothing() {
    let remote = Remote::start().await;
    let mut app = app().await;
    let id = source(&app.acme.owner, ads(&remote, json!({}))).await;
    let path = format!("/api/datasources/{id}/sync");
    let first = app
        .acme
        .member
        .post(&path, ())
        .await
        .assert_status(202)
        .json();
    let again = app
        .acme
        .member
        .post(&path, ())
        .await
        .assert_status(202)
        .json();
    assert_eq!(first["id"], again["id"]);
    app.acme
        .viewer
        .post(&path, ())
        .await
        .assert_problem(403, "forbidden");

    remote.answers(
        200,
        "text/csv",
        "date,clicks\n2026-03-01,1\n2026-03-02,many\n",
    );
    app.start_jobs();
    let done = wait_for_runs(&app, &id, 1).await;
    assert_eq!(
        (&done[0]["status"], &done[0]["error"]["code"]),
        (&json!("failed"), &json!("validation_failed")),
        "{done:?}"
    );
    assert_eq!(done[0]["error"]["rows"][0]["row"], 3);
    assert_eq!(read(&app, FACTS).await, json!([]));

    let files = upload_source(&app.acme.owner, "orders", json!({})).await;
    for action in ["sync", "test"] {
        let nothing = app
            .acme
            .owner
            .post(&format!("/api/datasources/{files}/{action}"), ())
            .await;
        nothing.assert_problem(409, "nothing_to_ask");
    }
}

#[tokio::test]
async fn an_address_inside_is_not_asked_whatever_its_name_says() {
    let app = TestApp::<Analytics>::start().await;
    let wanted = json!({
        "name": "Inside", "kind": "http", "dataset": "google-ads", "pull": { "url": "https://localhost/metrics" }
    });
    let made = app.acme.owner.post("/api/datasources", wanted).await;
    if made.status == 201 {
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let asked = app
            .acme
            .owner
            .post(&format!("/api/datasources/{id}/test"), ())
            .await;
        asked.assert_problem(502, "address_refused");
    } else {
        made.assert_problem(422, "validation_failed");
    }
}
