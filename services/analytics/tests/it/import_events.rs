//! `GET /api/analytics/imports/{id}/events`: watching a file being loaded.

use std::time::Duration;

use analytics::Analytics;
use bz_testkit::{Tenant, TestApp};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::source_support::{import, loaded, upload_source};

/// A file that is loaded in the background; answers where its run is.
async fn waiting(app: &TestApp<Analytics>) -> String {
    let source = upload_source(&app.acme.owner, "search-console", json!({})).await;
    let mut file = String::from("date,query,clicks,impressions,position\n");
    for n in 0..20_001 {
        file.push_str(&format!("2026-02-{:02},q{n},1,10,2.5\n", n % 28 + 1));
    }
    let begun = import(&app.acme.member, &format!("source_id={source}"), file).await;
    let begun = begun.assert_status(202).json();
    format!(
        "/api/analytics/imports/{}",
        begun["run"]["id"].as_str().unwrap()
    )
}

/// Kind, id and run of each event.
fn told(text: &str) -> Vec<(&str, &str, Value)> {
    let events = text.split("\n\n").filter(|event| event.contains("data: "));
    events
        .map(|event| {
            let line = |name: &str| {
                event
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .unwrap()
            };
            let run = serde_json::from_str(line("data: ")).unwrap();
            (line("event: "), line("id: "), run)
        })
        .collect()
}

#[tokio::test]
async fn a_watcher_sees_how_far_a_file_is_until_it_is_loaded() {
    let mut app = TestApp::<Analytics>::start().await;
    let path = waiting(&app).await;
    let watching = app.acme.viewer.get(&format!("{path}/events"));
    let watching = tokio::spawn(watching.into_future());
    app.start_jobs();
    let seen = watching.await.unwrap().assert_status(200);
    assert_eq!(seen.header("content-type"), Some("text/event-stream"));
    let events = told(seen.text());
    let (last, before) = events.split_last().unwrap();
    assert_eq!(last.0, "end");
    assert!(!before.is_empty() && before.iter().all(|(kind, ..)| *kind == "progress"));
    let done: Vec<i64> = events
        .iter()
        .map(|(_, _, run)| run["rows_done"].as_i64().unwrap())
        .collect();
    assert!(done.is_sorted(), "{done:?}");
    assert_eq!(
        last.2,
        app.acme.viewer.get(&path).await.assert_status(200).json()
    );
    assert_eq!(
        (&last.2["status"], &last.2["rows_done"]),
        (&json!("succeeded"), &json!(20_001))
    );
    // Who comes back late learns that there is nothing to wait for.
    let again = app.acme.viewer.get(&format!("{path}/events"));
    let again = again.header("last-event-id", last.1).await;
    let again = told(again.text()).into_iter().map(|(kind, ..)| kind);
    assert_eq!(again.collect::<Vec<_>>(), ["end"]);
}

#[tokio::test]
async fn who_was_cut_off_is_not_told_again_what_was_seen() {
    let mut app = TestApp::<Analytics>::start().await;
    let path = format!("{}/events", waiting(&app).await);
    let mut stream = app.acme.viewer.get(&path).stream().await.into_body();
    let first = stream.frame().await.unwrap().unwrap().into_data().unwrap();
    let first = String::from_utf8(first.to_vec()).unwrap();
    let (kind, id, run) = told(&first).remove(0);
    assert_eq!((kind, &run["status"]), ("progress", &json!("queued")));
    // Nothing happens, and nothing is told.
    let wait = Duration::from_millis(1_200);
    assert!(tokio::time::timeout(wait, stream.frame()).await.is_err());
    drop(stream);
    let again = app.acme.viewer.get(&path).header("last-event-id", id);
    let again = tokio::spawn(again.into_future());
    app.start_jobs();
    let again = again.await.unwrap();
    let events = told(again.text());
    assert!(events.iter().all(|(_, seen, _)| *seen != id), "{events:?}");
    assert_eq!(events.last().unwrap().0, "end");
}

#[tokio::test]
async fn only_who_may_see_the_sources_of_the_tenant_watches() {
    let app = TestApp::<Analytics>::start().await;
    let source = upload_source(&app.acme.owner, "google-ads", json!({})).await;
    let import = loaded(&app.acme.member, &source, "date,clicks\n2026-03-01,1\n").await;
    let path = format!(
        "/api/analytics/imports/{}/events",
        import["run"]["id"].as_str().unwrap()
    );
    let seen = app.acme.viewer.get(&path).await.assert_status(200);
    assert!(seen.text().contains("event: end\n"), "{}", seen.text());
    let foreign = app.globex.owner.get(&path).await;
    foreign.assert_problem(404, "not_found");
    let nobody = app
        .acme
        .viewer
        .with_token(app.tokens.without_role(Tenant::Acme));
    nobody.get(&path).await.assert_problem(403, "forbidden");
    let missing = "/api/analytics/imports/019cad9c-2a40-7000-8000-000000000001/events";
    let missing = app.acme.viewer.get(missing).await;
    missing.assert_problem(404, "not_found");
    let bad = app
        .acme
        .viewer
        .get("/api/analytics/imports/file/events")
        .await;
    assert!(bad.status.is_client_error(), "{}", bad.describe());
}
