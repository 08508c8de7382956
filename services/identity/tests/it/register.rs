use serde_json::{Value, json};
use sqlx::Row;

use crate::{
    mailbox::settled,
    support::{PASSWORD, claims, count, login, register, start, with_policy},
};

#[tokio::test]
async fn registering_makes_a_tenant_its_owner_and_tokens() {
    let app = start().await;
    let request = json!({
        "email": " Ada@Example.COM ", "password": PASSWORD, "name": "Ada Lovelace", "tenant_name": "Analytical Engines",
    });
    let answer = app
        .anonymous
        .post("/auth/register", request)
        .await
        .assert_status(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = answer.json();
    assert_eq!(answer["user"]["email"], "ada@example.com");
    assert_eq!(answer["user"]["name"], "Ada Lovelace");
    assert_eq!(answer["user"]["is_active"], true);
    assert_eq!(answer["user"]["is_verified"], false);
    assert_eq!(answer["user"]["created_at"], "2026-03-02T09:00:00Z");
    assert_eq!(answer["tenant"]["slug"], "analytical-engines");
    assert_eq!(answer["tenant"]["name"], "Analytical Engines");
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"]),
        (&json!("Bearer"), &json!(600))
    );
    assert_eq!(answer["refresh_expires_in"], 14 * 24 * 3600);

    let claims = claims(&app, &answer).await;
    assert_eq!(json!(claims.sub), answer["user"]["id"]);
    assert_eq!(
        (json!(claims.tid), json!(claims.htid)),
        (
            answer["tenant"]["id"].clone(),
            answer["tenant"]["id"].clone()
        )
    );
    assert_eq!(json!(claims.sid), answer["session_id"]);
    assert_eq!(
        (claims.roles, claims.client_id.as_str()),
        (vec!["owner".to_owned()], "web")
    );
    assert_eq!(claims.exp - claims.iat, 600);
}

#[tokio::test]
async fn the_old_path_registers_too_and_what_is_left_out_has_defaults() {
    let app = start().await;
    let request = json!({ "email": "grace@example.com", "password": PASSWORD });
    let answer = app
        .anonymous
        .post("/api/auth/signup", request)
        .await
        .assert_status(201)
        .json();
    assert_eq!(answer["tenant"]["name"], "grace");
    assert_eq!(answer["tenant"]["slug"], "grace");
    assert_eq!(answer["user"]["name"], Value::Null);
}

#[tokio::test]
async fn two_tenants_of_one_name_have_two_slugs() {
    let app = start().await;
    let register = async |email: &str| {
        let request = json!({ "email": email, "password": PASSWORD, "tenant_name": "Initech" });
        app.anonymous
            .post("/auth/register", request)
            .await
            .assert_status(201)
            .json()["tenant"]["slug"]
            .clone()
    };
    assert_eq!(register("a@example.com").await, "initech");
    let second = register("b@example.com").await;
    assert!(second.as_str().unwrap().starts_with("initech-"), "{second}");
}

#[tokio::test]
async fn an_address_registers_once() {
    let app = start().await;
    register(&app, "ada@example.com").await;
    let again = json!({ "email": "ADA@example.com", "password": "another good password", "tenant_name": "Second" });
    app.anonymous
        .post("/auth/register", again)
        .await
        .assert_problem(409, "email_taken");
    assert_eq!(
        count(
            &app,
            "SELECT count(*) FROM identity.users WHERE email = 'ada@example.com'"
        )
        .await,
        1
    );
    assert_eq!(
        count(
            &app,
            "SELECT count(*) FROM identity.tenants WHERE name = 'Second'"
        )
        .await,
        0
    );
}

#[tokio::test]
async fn of_many_registrations_of_one_address_at_once_one_succeeds() {
    let app = start().await;
    let request = || {
        app.anonymous.post(
            "/auth/register",
            json!({ "email": "ada@example.com", "password": PASSWORD }),
        )
    };
    let (a, b, c, d) = tokio::join!(request(), request(), request(), request());
    let mut statuses = [a, b, c, d].map(|answer| answer.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    assert_eq!(
        count(
            &app,
            "SELECT count(*) FROM identity.users WHERE email = 'ada@example.com'"
        )
        .await,
        1
    );
}

#[tokio::test]
async fn the_same_request_with_its_key_makes_nothing_new() {
    let app = start().await;
    let request = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada" });
    let send = |body: &Value| {
        app.anonymous
            .post("/auth/register", body)
            .header("idempotency-key", "k-1")
    };
    let first = send(&request).await.assert_status(201);
    let second = send(&request).await.assert_status(201);
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            second.header("idempotency-replayed")
        ),
        (None, Some("true"))
    );
    let (first, second) = (first.json(), second.json());
    assert_eq!(
        (&first["user"], &first["tenant"]),
        (&second["user"], &second["tenant"])
    );
    assert_ne!(first["session_id"], second["session_id"]);

    let wrong_password =
        json!({ "email": "ada@example.com", "password": "not this password", "name": "Ada" });
    send(&wrong_password)
        .await
        .assert_problem(422, "idempotency_key_reused");
    let other_name = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Eve" });
    send(&other_name)
        .await
        .assert_problem(422, "idempotency_key_reused");
    let other_key = app
        .anonymous
        .post("/auth/register", &request)
        .header("idempotency-key", "k-2");
    other_key.await.assert_problem(409, "email_taken");
    let no_key = app
        .anonymous
        .post("/auth/register", &request)
        .header("idempotency-key", "not\tvisible");
    no_key.await.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let app = start().await;
    let faults = async |body: Value| {
        let problem = app
            .anonymous
            .post("/auth/register", body)
            .await
            .assert_problem(422, "validation_failed")
            .json();
        let errors = problem["errors"].as_array().unwrap().clone();
        errors
            .iter()
            .map(|e| {
                format!(
                    "{} {}",
                    e["pointer"].as_str().unwrap(),
                    e["code"].as_str().unwrap()
                )
            })
            .collect::<Vec<_>>()
    };
    let all =
        json!({ "email": "ada", "password": "short", "name": " ", "tenant_name": "x".repeat(121) });
    assert_eq!(
        faults(all).await,
        [
            "/email invalid_email",
            "/name blank",
            "/tenant_name too_long",
            "/password too_short"
        ]
    );
    let password = async |password: &str| {
        faults(json!({ "email": "ada.lovelace@example.com", "password": password })).await
    };
    assert_eq!(password("Password123").await, ["/password too_common"]);
    assert_eq!(password("lovelace12").await, ["/password too_predictable"]);
    assert_eq!(password(&"x1".repeat(65)).await, ["/password too_long"]);
    assert_eq!(
        password(&"\u{1F600}\u{1F3FD}".repeat(65)).await,
        ["/password too_long"]
    );
}

#[tokio::test]
async fn unknown_members_huge_bodies_and_nul_are_refused() {
    let app = start().await;
    let request = json!({ "email": "ada@example.com", "password": PASSWORD, "is_superuser": true });
    let problem = app
        .anonymous
        .post("/auth/register", request)
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(problem.json()["errors"][0]["pointer"], "/is_superuser");
    let request = json!({ "email": "ada@example.com", "password": "x".repeat(1024 * 1024) });
    app.anonymous
        .post("/auth/register", request)
        .await
        .assert_problem(413, "payload_too_large");
    let request = json!({ "email": "ada@example.com", "password": "eight or more\0" });
    app.anonymous
        .post("/auth/register", request)
        .await
        .assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn the_siblings_are_told_in_the_same_transaction_and_without_personal_data() {
    let app = start().await;
    let answer = register(&app, "ada@example.com").await;
    let events = sqlx::query(
        "SELECT kind, tenant_id::text, actor::text, data::text FROM identity.events ORDER BY seq",
    )
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap();
    let kinds: Vec<String> = events.iter().map(|row| row.get("kind")).collect();
    assert_eq!(kinds, ["tenant.created", "user.registered"]);
    for event in &events {
        assert_eq!(
            json!(event.get::<String, _>("tenant_id")),
            answer["tenant"]["id"]
        );
        assert_eq!(json!(event.get::<String, _>("actor")), answer["user"]["id"]);
        assert!(!event.get::<String, _>("data").contains("example.com"));
    }
}

#[tokio::test]
async fn under_verification_known_and_unknown_addresses_get_the_same_answer_and_nobody_is_logged_in()
 {
    let app = with_policy("verified").await;
    let request = |email: &str| {
        app.anonymous.post(
            "/auth/register",
            json!({ "email": email, "password": PASSWORD }),
        )
    };
    let unknown = request("ada@example.com").await.assert_status(202);
    let known = request("owner@acme.test").await.assert_status(202);
    assert_eq!(unknown.json(), json!({ "status": "verification_required" }));
    assert_eq!(unknown.json(), known.json());
    settled(&app).await;
    assert_eq!(
        count(
            &app,
            "SELECT count(*) FROM identity.users WHERE email = 'owner@acme.test'"
        )
        .await,
        1
    );
    assert_eq!(
        count(&app, "SELECT count(*) FROM identity.sessions").await,
        0
    );
    // The address is nobody's home before it is verified; whoever names the tenant learns more with the password only.
    login(&app, "ada@example.com", PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    let login = |password: &str| json!({ "email": "ada@example.com", "password": password, "tenant": "ada" });
    app.anonymous
        .post("/auth/login", login(PASSWORD))
        .await
        .assert_problem(403, "email_not_verified");
    app.anonymous
        .post("/auth/login", login("a wrong one"))
        .await
        .assert_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn a_closed_installation_registers_nobody() {
    let app = with_policy("disabled").await;
    let request = json!({ "email": "ada@example.com", "password": PASSWORD });
    app.anonymous
        .post("/auth/register", request)
        .await
        .assert_problem(403, "registration_disabled");
}
