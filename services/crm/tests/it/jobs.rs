//! Jobs: watching them, cancelling them, ordering them once.

use axum::http::Method;
use bz_testkit::TestApp;
use crm::Crm;
use serde_json::json;

use crate::support::{counts, imported, number, over, upload};

async fn start() -> TestApp<Crm> {
    let mut app = TestApp::<Crm>::start().await;
    app.start_jobs();
    app
}

#[tokio::test]
async fn the_same_key_imports_once() {
    let app = start().await;
    let send = async |file: &'static str| {
        let request = app.acme.member.request(Method::POST, "/api/leads/import");
        request
            .body("text/csv", file)
            .header("idempotency-key", "once")
            .await
    };
    let first = send("email\na@engines.example\n")
        .await
        .assert_status(202)
        .json();
    let again = send("email\na@engines.example\n")
        .await
        .assert_status(202)
        .json();
    assert_eq!(first["id"], again["id"]);
    send("email\nb@engines.example\n")
        .await
        .assert_problem(422, "idempotency_key_reused");
    let path = format!("/api/imports/{}", first["id"].as_str().unwrap());
    assert_eq!(counts(&over(&app.acme.member, &path).await), [1, 0, 0, 0]);
    assert_eq!(number(&app, "SELECT count(*) FROM crm.jobs").await, 1);
}

#[tokio::test]
async fn a_watcher_sees_the_progress_and_the_end_and_comes_back_where_it_was() {
    let app = start().await;
    let import = imported(&app, "", "email\na@engines.example\n").await;
    let path = format!("/api/imports/{}/events", import["id"].as_str().unwrap());
    let events = app.acme.member.get(&path).await.assert_status(200);
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    let text = events.text().to_owned();
    assert!(
        text.contains("event: end\n") && text.contains("\"created\":1"),
        "{text}"
    );
    let id = text
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap();
    let job = format!("/api/jobs/{}/events", import["id"].as_str().unwrap());
    let again = app.acme.member.get(&job).header("last-event-id", id).await;
    assert!(again.text().contains("event: end"), "{}", again.text());
}

#[tokio::test]
async fn a_watcher_of_a_job_that_waits_is_told_when_it_is_over() {
    let mut app = TestApp::<Crm>::start().await;
    let begun = upload(&app.acme.member, "", "email\na@engines.example\n")
        .await
        .json();
    let path = format!("/api/imports/{}/events", begun["id"].as_str().unwrap());
    let watching = tokio::spawn(app.acme.member.get(&path).into_future());
    app.start_jobs();
    let seen = watching.await.unwrap();
    let text = seen.text();
    assert!(
        text.contains("event: progress") && text.contains("event: end"),
        "{text}"
    );
}

#[tokio::test]
async fn a_cancelled_import_counts_what_was_not_reached_as_left_out() {
    let mut app = TestApp::<Crm>::start().await;
    let begun = upload(
        &app.acme.member,
        "",
        "email\na@engines.example\nb@engines.example\n",
    )
    .await
    .json();
    let path = format!("/api/imports/{}", begun["id"].as_str().unwrap());
    app.acme.member.delete(&path).await.assert_status(200);
    app.start_jobs();
    let import = over(&app.acme.member, &path).await;
    assert_eq!(
        (&import["status"], counts(&import)),
        (&json!("cancelled"), [0, 0, 2, 0])
    );
    assert_eq!(
        number(&app, "SELECT count(*) FROM crm.import_pieces").await,
        0
    );
    let again = app
        .acme
        .member
        .delete(&path)
        .await
        .assert_status(200)
        .json();
    assert_eq!(again["status"], "cancelled");
}
