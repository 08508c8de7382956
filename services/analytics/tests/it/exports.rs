//! `GET /api/exports/events`.

use analytics::Analytics;
use bz_testkit::TestApp;
use serde_json::{Value, json};

use crate::support::{event, id, send};

fn ids(text: &str) -> Vec<String> {
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.map(|event| event["event_id"].as_str().unwrap().to_owned()).collect()
}

async fn some(app: &TestApp<Analytics>, count: usize) {
    let batch: Vec<_> = (0..count)
        .map(|n| event(n, ["page_view", "click"][n % 2], &format!("2026-03-02T08:{:02}:00Z", n % 60)))
        .collect();
    for batch in batch.chunks(1_000) {
        send(&app.acme.member, batch).await;
    }
}

#[tokio::test]
async fn all_events_are_exported_by_time_and_after_a_break_from_where_it_was() {
    let app = TestApp::<Analytics>::start().await;
    some(&app, 2_345).await;
    let file = app.acme.viewer.get("/api/exports/events").await.assert_status(200);
    assert_eq!(file.header("content-type"), Some("application/x-ndjson"));
    let all = ids(file.text());
    assert_eq!(all.len(), 2_345);
    let mut once = all.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), 2_345);

    let rest = app.acme.viewer.get(&format!("/api/exports/events?after={}", all[1_499])).await;
    assert_eq!(ids(rest.assert_status(200).text()), all[1_500..]);
}

#[tokio::test]
async fn an_export_has_the_events_of_a_time_and_a_name() {
    let app = TestApp::<Analytics>::start().await;
    some(&app, 60).await;
    let of = "from=2026-03-02T08:10:00Z&until=2026-03-02T08:20:00Z&name=click";
    let file = app.acme.viewer.get(&format!("/api/exports/events?{of}")).await;
    let expected: Vec<_> = [11, 13, 15, 17, 19].map(id).into();
    assert_eq!(ids(file.assert_status(200).text()), expected);
}

#[tokio::test]
async fn csv_has_a_header_and_no_formulas_unless_they_are_asked_for() {
    let app = TestApp::<Analytics>::start().await;
    let mut bad = event(0, "page_view", "2026-03-02T08:00:00Z");
    bad["path"] = json!("=cmd()");
    bad["value_minor"] = json!(-5);
    bad["currency"] = json!("EUR");
    bad["props"] = json!({ "a": "x,\"y\"" });
    send(&app.acme.member, &[bad]).await;
    let file = app.acme.viewer.get("/api/exports/events?format=csv").await.assert_status(200);
    let expected = format!(
        "event_id,name,ts,received_at,session_id,actor_id,source,medium,campaign,country,device,path,value_minor,currency,props\n\
         {},page_view,2026-03-02T08:00:00+00:00,2026-03-02T09:00:00+00:00,,,,,,,,'=cmd(),-5,EUR,\"{{\"\"a\"\":\"\"x,\\\"\"y\\\"\"\"\"}}\"\n",
        id(0)
    );
    assert_eq!(file.text(), expected);
    let plain = app.acme.viewer.get("/api/exports/events?format=csv&formula_guard=off").await;
    assert!(plain.text().contains(",=cmd(),"));
}

#[tokio::test]
async fn nothing_of_another_tenant_is_exported_nor_gone_on_behind() {
    let app = TestApp::<Analytics>::start().await;
    some(&app, 10).await;
    let file = app.globex.owner.get("/api/exports/events").await.assert_status(200);
    assert_eq!(file.text(), "");
    for after in [id(3), id(77_777)] {
        let refused = app.globex.owner.get(&format!("/api/exports/events?after={after}")).await;
        let problem = refused.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["code"], "unknown_event");
    }
    for query in ["format=xlsx", "from=yesterday", "formula_guard=maybe", "limit=5"] {
        let refused = app.acme.viewer.get(&format!("/api/exports/events?{query}")).await;
        refused.assert_problem(422, "validation_failed");
    }
}
