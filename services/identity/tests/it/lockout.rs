//! What failed logins lead to, and that nobody can tell.

use std::{net::IpAddr, time::Duration};

use bz_kernel::Rng;
use bz_testkit::{Role, Tenant, TestResponse, redis_url, wait_until};
use chrono::TimeDelta;
use identity::passwords::{Cost, Passwords};
use serde_json::{Value, json};

use crate::support::{
    HASHER, IdentityApp, PASSWORD, address, builder, cheap, login, refresh, register,
};

const OWNER: &str = "owner@acme.test";

async fn started() -> IdentityApp {
    HASHER.scope(cheap(), builder().start()).await
}

async fn fail(app: &IdentityApp, email: &str, times: usize) {
    for _ in 0..times {
        login(app, email, "a guess")
            .await
            .assert_problem(401, "invalid_credentials");
    }
}

/// The value of the cookie of a trusted device.
fn device_of(answer: &TestResponse) -> String {
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-td=1."), "{cookie}");
    for attribute in [
        "Path=/",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
        "Max-Age=15552000",
    ] {
        assert!(cookie.split("; ").any(|part| part == attribute), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

async fn login_on(app: &IdentityApp, device: &str, email: &str, password: &str) -> TestResponse {
    let body = json!({ "email": email, "password": password });
    let request = app.anonymous.post("/auth/login", body);
    request
        .header("cookie", &format!("theme=dark; {device}"))
        .await
}

/// Result, kind and id of the target, address of the client, details.
type Noted = (
    String,
    Option<String>,
    Option<uuid::Uuid>,
    Option<String>,
    Value,
);

async fn audited(app: &IdentityApp, what: &str) -> i64 {
    let query = format!("SELECT count(*) FROM identity.audit_log WHERE {what}");
    sqlx::query_scalar(&query)
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn five_failures_are_free_and_then_even_the_right_password_waits_in_silence() {
    for builder in [builder(), builder().redis(redis_url())] {
        let app = HASHER.scope(cheap(), builder.start()).await;
        let email = "ada-who-waits@example.com";
        register(&app, email).await;
        fail(&app, email, 4).await;
        login(&app, email, PASSWORD).await.assert_status(200);
        fail(&app, email, 5).await;
        let mut waited = Vec::new();
        for wait in [1, 2, 4, 8] {
            app.clock.advance(TimeDelta::milliseconds(wait * 1000 - 1));
            login(&app, email, PASSWORD)
                .await
                .assert_problem(401, "invalid_credentials");
            app.clock.advance(TimeDelta::milliseconds(1));
            fail(&app, email, 1).await;
            waited.push(wait);
        }
        app.clock.advance(TimeDelta::seconds(16));
        login(&app, email, PASSWORD).await.assert_status(200);
        fail(&app, email, 4).await;
        login(&app, email, PASSWORD).await.assert_status(200);
    }
}

#[tokio::test]
async fn an_address_that_nobody_has_is_counted_all_the_same() {
    let app = started().await;
    let login = |password: &'static str| {
        let body = json!({ "email": "new@acme.test", "password": password, "tenant": "acme" });
        app.anonymous.post("/auth/login", body)
    };
    for _ in 0..5 {
        login("a guess").await.assert_status(401);
    }
    let mut admin = app.database.admin().await;
    let rename =
        "UPDATE identity.users SET email = 'new@acme.test' WHERE email = 'owner@acme.test'";
    sqlx::query(rename).execute(&mut admin).await.unwrap();
    login(PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    app.clock.advance(TimeDelta::seconds(1));
    login(PASSWORD).await.assert_status(200);
}

/// Pitfall 40: whoever fails on purpose makes other devices wait, not the one from which the owner has logged in before.
#[tokio::test]
async fn an_attacker_does_not_shut_out_the_owner() {
    let app = started().await;
    let device = device_of(&login(&app, OWNER, PASSWORD).await.assert_status(200));
    fail(&app, OWNER, 20).await;
    login(&app, OWNER, PASSWORD).await.assert_status(401);
    let again = login_on(&app, &device, OWNER, PASSWORD)
        .await
        .assert_status(200);
    let renewed = device_of(&again);
    login_on(&app, &renewed, OWNER, PASSWORD)
        .await
        .assert_status(200);
    // The owner's success elsewhere gives the attacker nothing back.
    login(&app, OWNER, PASSWORD).await.assert_status(401);
    // The device has ten failures of its own.
    for _ in 0..9 {
        login_on(&app, &device, OWNER, "a guess")
            .await
            .assert_status(401);
    }
    login_on(&app, &device, OWNER, PASSWORD)
        .await
        .assert_status(200);
    for _ in 0..10 {
        login_on(&app, &device, OWNER, "a guess")
            .await
            .assert_status(401);
    }
    login_on(&app, &renewed, OWNER, PASSWORD)
        .await
        .assert_status(401);
}

/// Pitfall 55: the cookie is compared as a whole and in constant time, so that nothing but the original counts, and it
/// counts for its own address only.
#[tokio::test]
async fn a_device_is_trusted_for_one_address_and_for_half_a_year() {
    let app = started().await;
    let device = device_of(&login(&app, OWNER, PASSWORD).await.assert_status(200));
    let (head, mac) = device.rsplit_once('.').unwrap();
    let other = address(Tenant::Acme, Role::Admin);
    let foreign = device_of(&login(&app, &other, PASSWORD).await.assert_status(200));
    fail(&app, OWNER, 5).await;
    let forgeries = [
        foreign,
        format!("{head}."),
        format!("{head}.{}", "A".repeat(43)),
        format!("{head}.{}", &mac[..42]),
        device.replacen("=1.", "=2.", 1),
        device.replacen("__Host-td", "td", 1),
    ];
    for forgery in forgeries {
        login_on(&app, &forgery, OWNER, PASSWORD)
            .await
            .assert_problem(401, "invalid_credentials");
    }
    login_on(&app, &device, OWNER, PASSWORD)
        .await
        .assert_status(200);
    app.clock.advance(TimeDelta::days(180));
    fail(&app, OWNER, 5).await;
    login_on(&app, &device, OWNER, PASSWORD)
        .await
        .assert_status(401);
}

/// Pitfall 41: of 200 guesses at once, no more are compared than one after the other would be.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_once_do_not_outrun_the_count() {
    let app = started().await;
    register(&app, "ada-of-pitfall-41@example.com").await;
    let guesses: Vec<_> = (0..200)
        .map(|n| {
            let body = json!({ "email": "ada-of-pitfall-41@example.com", "password": format!("guess {n}") });
            let client = app.anonymous.clone();
            tokio::spawn(async move {
                loop {
                    let answer = client.post("/auth/login", &body).await;
                    if answer.status != 503 {
                        return answer.status;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            })
        })
        .collect();
    for guess in guesses {
        assert_eq!(guess.await.unwrap(), 401);
    }
    let noted = async || audited(&app, "result = 'failure'").await >= 200;
    wait_until(noted, Duration::from_secs(60)).await;
    let compared = audited(
        &app,
        "result = 'failure' AND (changes::jsonb->>'compared')::bool",
    )
    .await;
    assert_eq!(compared, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn right_passwords_at_once_are_all_let_in() {
    let cost = Cost {
        memory_kib: 256,
        passes: 1,
    };
    let hasher = Passwords::with_cost(Rng::seeded(3), 16, cost);
    let app = HASHER.scope(hasher, builder().start()).await;
    register(&app, "ada-of-many-tabs@example.com").await;
    let logins: Vec<_> = (0..40)
        .map(|_| {
            let body = json!({ "email": "ada-of-many-tabs@example.com", "password": PASSWORD });
            let request = app.anonymous.post("/auth/login", body);
            tokio::spawn(async move { request.await.status })
        })
        .collect();
    for login in logins {
        assert_eq!(login.await.unwrap(), 200);
    }
}

/// Pitfall 68: a client that goes away in the middle of a login leaves nothing half done, and a guess that it does not
/// wait for is a failure like any other.
#[tokio::test]
async fn going_away_in_the_middle_of_a_login_is_a_failure() {
    let slow = Passwords::new(Rng::seeded(3), 2);
    let app = HASHER.scope(slow.clone(), builder().start()).await;
    let before = slow.verifications();
    for n in 1..=5 {
        let body = json!({ "email": OWNER, "password": PASSWORD });
        let request = app.anonymous.post("/auth/login", body);
        let gone = tokio::spawn(async move { request.await });
        // All of it runs on this thread: the request does not get on between this look and its end.
        while slow.verifications() < before + n {
            tokio::task::yield_now().await;
        }
        gone.abort();
        assert!(gone.await.is_err(), "it was not that fast");
    }
    app.clock.advance(TimeDelta::seconds(30));
    login(&app, OWNER, PASSWORD).await.assert_status(401);
    let sessions: i64 = sqlx::query_scalar("SELECT count(*) FROM identity.sessions")
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap();
    assert_eq!(sessions, 0);
    app.clock.advance(TimeDelta::seconds(1));
    login(&app, OWNER, PASSWORD).await.assert_status(200);
}

/// Pitfall 67: logins hold no connection while they hash, so that others get theirs.
#[tokio::test(flavor = "multi_thread")]
async fn refreshes_go_on_while_logins_hash() {
    let builder = builder().env("DB_POOL_SIZE", "2");
    let app = builder.start().await;
    let mut token = register(&app, "ada@example.com").await["refresh_token"].clone();
    let logins: Vec<_> = (0..50)
        .map(|n| {
            let body = json!({ "email": format!("nobody-{n}@example.com"), "password": "a guess" });
            let request = app.anonymous.post("/auth/login", body);
            tokio::spawn(async move { request.await.status.as_u16() })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let began = std::time::Instant::now();
        token = refresh(&app, &token).await.assert_status(200).json()["refresh_token"].clone();
        slowest = slowest.max(began.elapsed());
    }
    for login in logins {
        assert!(matches!(login.await.unwrap(), 401 | 503));
    }
    // Far below what 50 hashes take, one after the other on two connections, when the machine is so busy.
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
}

#[tokio::test]
async fn logins_are_in_the_audit_log_and_failed_ones_without_their_address() {
    let app = started().await;
    let from: IpAddr = "203.0.113.80".parse().unwrap();
    let body = json!({ "email": OWNER, "password": PASSWORD });
    let request = app.anonymous.post("/auth/login", body).from(from);
    let session = request
        .header("user-agent", "tests")
        .await
        .assert_status(200)
        .json();
    fail(&app, OWNER, 1).await;
    let body = json!({ "email": "my password by mistake", "password": "x", "tenant": "acme" });
    app.anonymous
        .post("/auth/login", body)
        .await
        .assert_status(401);
    let unknown = json!({ "email": "eve@example.com", "password": "x", "tenant": "acme" });
    app.anonymous
        .post("/auth/login", unknown)
        .await
        .assert_status(401);
    let nowhere = json!({ "email": "eve@example.com", "password": "x", "tenant": "nowhere" });
    app.anonymous
        .post("/auth/login", nowhere)
        .await
        .assert_status(401);
    let invented =
        json!({ "email": "eve@example.com", "password": "x", "tenant": uuid::Uuid::from_u128(7) });
    app.anonymous
        .post("/auth/login", invented)
        .await
        .assert_status(401);
    let noted = async || app.core.tasks.is_empty();
    wait_until(noted, Duration::from_secs(10)).await;

    let rows: Vec<Noted> = sqlx::query_as(
        "SELECT result, target_type, target_id, ip, changes::jsonb FROM identity.audit_log \
         WHERE action = 'session.started' ORDER BY at, id",
    )
    .fetch_all(&mut app.database.admin().await)
    .await
    .unwrap();
    assert_eq!(rows.len(), 3, "{rows:?}");
    let id: uuid::Uuid = session["session_id"].as_str().unwrap().parse().unwrap();
    let success = (
        "success".to_owned(),
        Some("session".to_owned()),
        Some(id),
        Some(from.to_string()),
    );
    assert!(
        rows.iter()
            .any(|row| (row.0.clone(), row.1.clone(), row.2, row.3.clone()) == success)
    );
    let failures: Vec<_> = rows.iter().filter(|row| row.0 == "failure").collect();
    assert_eq!(
        failures
            .iter()
            .filter(|row| row.1.as_deref() == Some("user"))
            .count(),
        1
    );
    for failure in failures {
        let text = failure.4.to_string();
        assert!(
            failure.4["address_digest"].as_str().unwrap().len() == 32,
            "{text}"
        );
        assert!(!text.contains('@') && !text.contains("mistake"), "{text}");
    }
}
