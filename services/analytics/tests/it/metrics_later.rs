//! Questions whose answer takes longer than one waits: they are answered as a report.

use analytics::Analytics;
use bz_testkit::{Tenant, TestApp};
use serde_json::{Value, json};

use crate::{
    metrics::ask,
    reports::done,
    support::{event, send},
};

fn question() -> Value {
    json!({
        "metrics": ["events.count"], "dimensions": ["source", "device"], "granularity": "day", "totals": true,
        "range": { "from": "2026-02-28", "to": "2026-03-01" }, "timezone": "Asia/Kolkata", "compare": "previous_period"
    })
}

/// Counts that say that there were so many events more on a day than there are.
async fn pretend(app: &TestApp<Analytics>, events: i64) {
    let mut admin = app.database.admin().await;
    sqlx::query(
        "INSERT INTO analytics.rollup_15m (tenant_id, dim, name, bucket, value, currency, cnt, amount_minor) \
         VALUES ($1, '', 'page_view', '2026-03-01T00:00:00Z', '', '', $2, 0)",
    )
    .bind(Tenant::Acme.id().as_uuid())
    .bind(events)
    .execute(&mut admin)
    .await
    .unwrap();
    let newer = "UPDATE analytics.tenant_data SET version = version + 1 WHERE tenant_id = $1";
    sqlx::query(newer)
        .bind(Tenant::Acme.id().as_uuid())
        .execute(&mut admin)
        .await
        .unwrap();
}

async fn with_events() -> TestApp<Analytics> {
    let app = TestApp::<Analytics>::start().await;
    let seen = [
        ("google", "phone"),
        ("google", "desktop"),
        ("mail", "phone"),
    ];
    let batch: Vec<Value> = (0..30)
        .map(|n| {
            let at = format!(
                "2026-0{}T1{}:00:00Z",
                ["2-26", "2-28", "3-01"][n % 3],
                n % 10
            );
            let mut event = event(n, "page_view", &at);
            let (source, device) = seen[n / 3 % 3];
            event["source"] = json!(source);
            event["device"] = json!(device);
            event
        })
        .collect();
    send(&app.acme.member, &batch).await;
    app
}

#[tokio::test]
async fn what_takes_too_long_is_answered_as_a_report_with_the_same_numbers() {
    let mut app = with_events().await;
    let at_once = ask(&app.acme.viewer, question()).await;
    pretend(&app, 500_001).await;
    let later = app.acme.viewer.post("/api/metrics/query", question());
    let later = later.await.assert_status(202);
    let (place, ordered) = (later.header("location").unwrap().to_owned(), later.json());
    let id = ordered["id"].as_str().unwrap();
    assert_eq!(place, format!("/api/reports/{id}"));
    assert_eq!(
        (&ordered["status"], &ordered["title"]),
        (&json!("queued"), &json!("events.count"))
    );
    // The same question before the answer is there is answered by the same report, another one by another.
    let again = app.acme.member.post("/api/metrics/query", question());
    assert_eq!(again.await.assert_status(202).json()["id"], id);
    let mut other = question();
    other["totals"] = json!(false);
    let other = app.acme.viewer.post("/api/metrics/query", other).await;
    assert_ne!(other.assert_status(202).json()["id"], id);

    app.start_jobs();
    let report = done(&app.acme.viewer, id).await;
    assert_eq!(report["status"], "succeeded", "{report}");
    let file = report["files"][0]["download"].as_str().unwrap();
    let document = app.acme.viewer.get(file).await.assert_status(200).json();
    let frame = &document["parts"][0]["answer"]["frame"];
    for part in ["columns", "rows", "totals", "compared"] {
        assert_eq!(frame[part], at_once[part], "{part}");
    }
    assert_eq!(frame["meta"]["source"], "raw");
    // Now that it is done, asking again has it counted again.
    let anew = app.acme.viewer.post("/api/metrics/query", question()).await;
    assert_ne!(anew.assert_status(202).json()["id"], id);

    let theirs = app.globex.viewer.get(&place).await;
    theirs.assert_problem(404, "not_found");
    // Whoever may not ask is not told by way of a report either.
    let nobody = app
        .acme
        .viewer
        .with_token(app.tokens.without_role(Tenant::Acme));
    let refused = nobody.post("/api/metrics/query", question()).await;
    refused.assert_problem(403, "forbidden");
}

#[tokio::test]
async fn a_dashboard_says_of_a_tile_that_it_takes_too_long_and_its_report_has_the_numbers() {
    let mut app = with_events().await;
    pretend(&app, 500_001).await;
    let tile = json!({
        "id": "visits", "title": "Visits", "chart": "table", "layout": { "x": 0, "y": 0, "w": 12, "h": 4 },
        "query": { "numbers": { "metrics": ["events.count"], "dimensions": ["source", "device"] } }
    });
    let view = json!({ "range": { "from": "2026-02-28", "to": "2026-03-01" }, "compare": "none" });
    let board = json!({ "name": "Visits", "tiles": [tile], "view": view });
    let board = crate::boards::create(&app.acme.member, board).await;
    let data = format!("{}/data", crate::boards::path(&board));
    let data = app.acme.viewer.get(&data).await.assert_status(200).json();
    let problem = &data["tiles"][0]["problem"];
    assert_eq!(problem["errors"][0]["code"], "too_many_events_at_once");
    let wanted = json!({ "dashboard_id": board["id"], "formats": ["json"] });
    app.start_jobs();
    let id = crate::reports::ordered(&app.acme.member, wanted).await;
    let report = done(&app.acme.viewer, &id).await;
    let file = report["files"][0]["download"].as_str().unwrap();
    let document = app.acme.viewer.get(file).await.assert_status(200).json();
    let rows = document["parts"][0]["answer"]["frame"]["rows"].as_array();
    assert_eq!(rows.map(Vec::len), Some(3), "{document}");
}

#[tokio::test]
async fn beyond_what_a_report_counts_there_is_no_answer() {
    let app = with_events().await;
    pretend(&app, 20_000_001).await;
    let asked = app.acme.viewer.post("/api/metrics/query", question());
    let problem = asked.await.assert_problem(422, "validation_failed").json();
    assert_eq!(problem["errors"][0]["code"], "too_many_events");
    let reports = app.acme.viewer.get("/api/reports").await.json();
    assert_eq!(reports["items"], json!([]));
}
