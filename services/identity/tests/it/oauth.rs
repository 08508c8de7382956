use std::time::Duration;

use bz_auth::service_client_secret;
use bz_kernel::ExposeSecret;
use bz_testkit::{TestRequest, TestResponse, wait_until};
use http::Method;
use serde_json::json;

use crate::support::{IdentityApp, register, start};

/// The fields of a form.
type Fields<'a> = &'a [(&'a str, &'a str)];

fn secret(app: &IdentityApp, client: &str) -> String {
    service_client_secret(&app.core.secret, client)
        .expose_secret()
        .to_owned()
}

fn request(app: &IdentityApp) -> TestRequest {
    app.anonymous.request(Method::POST, "/oauth2/token")
}

async fn token(app: &IdentityApp, fields: Fields<'_>) -> TestResponse {
    request(app).form(fields).await
}

fn assert_error(answer: &TestResponse, status: u16, error: &str) {
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["error"]),
        (status, &json!(error)),
        "{}",
        answer.describe()
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_service_gets_a_token_for_the_feeds_and_for_nothing_else() {
    let app = start().await;
    let registered = register(&app, "ada@example.com").await;
    let secret = secret(&app, "analytics");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "analytics"),
        ("client_secret", secret.as_str()),
    ];
    let answer = token(&app, &form).await.assert_status(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = answer.json();
    assert_eq!(
        (
            &answer["token_type"],
            &answer["expires_in"],
            &answer["scope"]
        ),
        (&json!("Bearer"), &json!(600), &json!("events:read"))
    );
    let service = app
        .anonymous
        .with_token(answer["access_token"].as_str().unwrap());
    // An event shows once nothing that began before it is open, which includes the transactions of other tests.
    let event_is_there = async || {
        let feed = service
            .get("/internal/events")
            .await
            .assert_status(200)
            .json();
        feed["items"][0]["tenant_id"] == registered["tenant"]["id"]
    };
    wait_until(event_is_there, Duration::from_secs(30)).await;
    service
        .get("/auth/me")
        .await
        .assert_problem(403, "forbidden");
}

#[tokio::test]
async fn the_feed_is_not_for_people() {
    let app = start().await;
    app.acme
        .owner
        .get("/internal/events")
        .await
        .assert_problem(403, "forbidden");
    app.anonymous
        .get("/internal/events")
        .await
        .assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn http_basic_is_accepted_too_but_not_both() {
    let app = start().await;
    let secret = secret(&app, "crm");
    let basic = format!(
        "Basic {}",
        base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            format!("crm:{secret}")
        )
    );
    let grant = ("grant_type", "client_credentials");
    request(&app)
        .form(&[grant])
        .header("authorization", &basic)
        .await
        .assert_status(200);
    let both = [
        grant,
        ("client_id", "crm"),
        ("client_secret", secret.as_str()),
    ];
    assert_error(
        &request(&app)
            .form(&both)
            .header("authorization", &basic)
            .await,
        400,
        "invalid_request",
    );
    let bad = request(&app)
        .form(&[grant])
        .header("authorization", "Basic %%%")
        .await;
    assert_error(&bad, 401, "invalid_client");
    assert_eq!(
        bad.header("www-authenticate"),
        Some("Basic realm=\"oauth2\"")
    );
}

#[tokio::test]
async fn wrong_clients_secrets_grants_and_scopes_get_the_errors_of_the_standard() {
    let app = start().await;
    let crm = secret(&app, "crm");
    let eve = secret(&app, "eve");
    let grant = ("grant_type", "client_credentials");
    let (id, secret) = (("client_id", "crm"), ("client_secret", crm.as_str()));
    let table: [(Fields<'_>, u16, &str); 9] = [
        (&[grant], 401, "invalid_client"),
        (
            &[grant, id, ("client_secret", "wrong")],
            401,
            "invalid_client",
        ),
        (&[grant, id, ("client_secret", "")], 401, "invalid_client"),
        (
            &[grant, ("client_id", "analytics"), secret],
            401,
            "invalid_client",
        ),
        (
            &[grant, ("client_id", "eve"), ("client_secret", eve.as_str())],
            401,
            "invalid_client",
        ),
        (&[grant, secret], 400, "invalid_request"),
        (&[id, secret], 400, "invalid_request"),
        (
            &[("grant_type", "password"), id, secret],
            400,
            "unsupported_grant_type",
        ),
        (
            &[grant, id, secret, ("scope", "events:read leads:write")],
            400,
            "invalid_scope",
        ),
    ];
    for (fields, status, error) in table {
        assert_error(&token(&app, fields).await, status, error);
    }
    token(&app, &[grant, id, secret, ("scope", "events:read")])
        .await
        .assert_status(200);
    assert_error(&request(&app).json(json!({})).await, 400, "invalid_request");
}
