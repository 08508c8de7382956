//! A whole service in process.

use bz_kernel::platform;
use bz_testkit::{NOW, Role, Tenant, TestApp, redis_url, wait_until};
use chrono::TimeDelta;
use serde_json::json;
use std::time::Duration;

use crate::sample::Sample;

const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn each_role_of_each_tenant_has_its_own_client() {
    let app = TestApp::<Sample>::start().await;
    let note = app
        .acme
        .owner
        .post("/api/notes", json!({ "text": "hi" }))
        .await
        .assert_status(201)
        .json();
    let path = format!("/api/notes/{}", note["id"].as_str().unwrap());
    for client in [&app.acme.admin, &app.acme.member, &app.acme.viewer] {
        assert_eq!(client.get(&path).await.assert_status(200).json(), note);
    }
    app.acme
        .viewer
        .delete(&path)
        .await
        .assert_problem(403, "forbidden");
    app.globex
        .owner
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    app.anonymous
        .get(&path)
        .await
        .assert_problem(401, "unauthenticated");
    app.acme.member.delete(&path).await.assert_status(204);
}

#[tokio::test]
async fn two_services_started_alike_answer_alike() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let app = TestApp::<Sample>::start().await;
        ids.push(
            app.acme
                .owner
                .post("/api/notes", json!({ "text": "hi" }))
                .await
                .json()["id"]
                .clone(),
        );
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn requests_pass_the_layers_of_production() {
    let app = TestApp::<Sample>::start().await;
    let answer = app
        .acme
        .owner
        .get("/api/notes/")
        .header("x-request-id", "abc")
        .await
        .assert_status(200);
    assert_eq!(answer.header("x-request-id"), Some("abc"));
    app.acme
        .owner
        .put("/api/notes", json!({}))
        .await
        .assert_status(405);
    app.anonymous
        .get("/nowhere")
        .await
        .assert_problem(404, "not_found");
    app.anonymous.get("/openapi.json").await.assert_status(200);
}

#[tokio::test]
async fn the_clock_stands_until_it_is_moved() {
    let app = TestApp::<Sample>::start().await;
    assert_eq!(app.core.sources.now(), NOW);
    app.clock.advance(TimeDelta::hours(3));
    assert_eq!(app.core.sources.now(), NOW + TimeDelta::hours(3));
    app.acme.owner.get("/api/notes").await.assert_status(200);
    let late = app
        .anonymous
        .with_token(app.tokens.user(Tenant::Acme, Role::Owner));
    late.get("/api/notes").await.assert_status(200);
}

#[tokio::test]
async fn health_shows_the_real_dependencies() {
    let app = TestApp::<Sample>::builder()
        .redis(redis_url())
        .proxy()
        .start()
        .await;
    let healthy = app.anonymous.get("/health").await.assert_status(200).json();
    assert_eq!(
        healthy["dependencies"]["database"], "connected",
        "{healthy}"
    );
    assert_eq!(healthy["dependencies"]["redis"], "connected", "{healthy}");
    app.proxy
        .as_ref()
        .unwrap()
        .set(bz_testkit::Fault::Refuse)
        .await;
    wait_until(
        async || {
            app.refresh_health().await;
            app.anonymous.get("/health").await.status == 503
        },
        LONG,
    )
    .await;
}

#[tokio::test]
async fn jobs_run_only_when_they_are_started() {
    let mut app = TestApp::<Sample>::start().await;
    let count = async |app: &TestApp<Sample>| {
        app.acme
            .owner
            .get("/api/notes")
            .await
            .json()
            .as_array()
            .unwrap()
            .len()
    };
    app.acme
        .owner
        .post("/api/notes", json!({ "text": "hi" }))
        .await
        .assert_status(201);
    assert_eq!(count(&app).await, 1);
    app.start_jobs();
    wait_until(async || count(&app).await == 0, LONG).await;
    app.stop_jobs().await;
}

#[tokio::test]
async fn a_service_listens_for_siblings_and_shares_its_database_and_time() {
    let first = TestApp::<Sample>::start().await;
    let address = first.listen().await;
    let answer = get_over_tcp(&address, "/health/live").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let second = TestApp::<Sample>::builder()
        .beside(&first)
        .sibling(&platform::CRM, &address)
        .start()
        .await;
    assert_eq!(second.database.name(), first.database.name());
    assert_eq!(second.core.siblings.crm, address);
    first.clock.advance(TimeDelta::minutes(1));
    assert_eq!(second.core.sources.now(), NOW + TimeDelta::minutes(1));
}

/// A plain request over a real socket.
async fn get_over_tcp(address: &url::Url, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let authority = address.authority();
    let mut stream = tokio::net::TcpStream::connect(authority).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
