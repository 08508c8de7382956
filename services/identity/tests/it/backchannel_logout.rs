//! OpenID Connect Back-Channel Logout 1.0, with a receiver on this machine.

use std::time::Duration;

use bz_testkit::{Receiver, Role, Tenant, wait_until};
use chrono::TimeDelta;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    provider::{AFTER_LOGOUT, Application, Browser, header, owner, payload, post, token},
    support::{IdentityApp, builder},
};

const PATIENCE: Duration = Duration::from_secs(20);
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

async fn start() -> IdentityApp {
    let mut app = builder().env("EGRESS_ALLOW", "127.0.0.1").start().await;
    app.start_jobs();
    app
}

async fn application(app: &IdentityApp, receiver: &Receiver) -> Application {
    Application::with(app, json!({ "backchannel_logout_uri": receiver.url })).await
}

/// The logout tokens that came.
fn tokens(receiver: &Receiver) -> Vec<Value> {
    let token = |body: &str| {
        let mut fields = form_urlencoded::parse(body.as_bytes());
        let (name, token) = fields.next().unwrap();
        assert_eq!((&*name, fields.next()), ("logout_token", None));
        json!(token)
    };
    let messages = receiver.messages();
    for message in &messages {
        assert_eq!(
            message.headers["content-type"],
            "application/x-www-form-urlencoded"
        );
    }
    messages
        .iter()
        .map(|message| token(&message.body))
        .collect()
}

async fn told(receiver: &Receiver, count: usize) -> Vec<Value> {
    wait_until(async || receiver.count() >= count, PATIENCE).await;
    tokens(receiver)
}

/// How many wait, were told, were given up.
async fn queue(app: &IdentityApp) -> (i64, i64, i64) {
    let sql = "SELECT count(*) FILTER (WHERE sent_at IS NULL AND failed_at IS NULL), count(sent_at), count(failed_at) \
               FROM identity.backchannel_logouts";
    let mut admin = app.database.admin().await;
    sqlx::query_as(sql).fetch_one(&mut admin).await.unwrap()
}

#[tokio::test]
async fn an_application_is_told_by_a_signed_token_that_its_session_was_given_back() {
    let app = start().await;
    let receiver = Receiver::answering(200).await;
    let client = application(&app, &receiver).await;
    let issued = client.tokens(&app, &owner()).await;
    let fields = [
        ("token", issued["refresh_token"].as_str().unwrap()),
        ("client_id", &client.client_id),
        ("client_secret", &client.secret),
    ];
    post(&app, "/oauth2/revoke", &fields)
        .await
        .assert_status(200);
    let told = told(&receiver, 1).await;
    let (head, claims) = (header(&told[0]), payload(&told[0]));
    let id_token = payload(&issued["id_token"]);
    let now = app.core.sources.now().timestamp();
    assert_eq!(
        (&head["typ"], &head["alg"]),
        (&json!("logout+jwt"), &json!("RS256"))
    );
    assert_eq!(head["kid"], header(&issued["id_token"])["kid"]);
    for name in ["iss", "aud", "sub", "sid"] {
        assert_eq!(claims[name], id_token[name], "{name}");
    }
    assert_eq!(
        (&claims["iat"], &claims["exp"]),
        (&json!(now), &json!(now + 120))
    );
    assert_eq!(claims["events"], json!({ EVENT: {} }));
    assert!(claims["jti"].is_string() && claims.get("nonce").is_none());
    // It is good for nothing else here.
    let text = told[0].as_str().unwrap();
    let bearer = app.anonymous.with_token(text);
    bearer.get("/oauth2/userinfo").await.assert_status(401);
    bearer.get("/auth/me").await.assert_status(401);
    let path =
        format!("/oauth2/logout?id_token_hint={text}&post_logout_redirect_uri={AFTER_LOGOUT}");
    app.anonymous.get(&path).await.assert_status(400);
    wait_until(async || queue(&app).await == (0, 1, 0), PATIENCE).await;
}

#[tokio::test]
async fn the_end_of_a_login_is_told_to_every_application_that_came_by_it_and_to_no_other() {
    let app = start().await;
    let (one, two, other) = (
        Receiver::answering(200).await,
        Receiver::answering(204).await,
        Receiver::answering(200).await,
    );
    let clients = [application(&app, &one).await, application(&app, &two).await];
    let theirs = application(&app, &other).await;
    let mut browser = Browser::new(&app);
    let mut sessions = Vec::new();
    for client in &clients {
        let code = browser.code(&client.request(&[]), &owner()).await;
        let issued = token(&app, &client.redemption(&code))
            .await
            .assert_status(200)
            .json();
        sessions.push(payload(&issued["id_token"])["sid"].clone());
    }
    // The same person in another browser stays.
    theirs.tokens(&app, &owner()).await;
    let page = browser.get("/oauth2/logout").await;
    browser.submit(&page, &[]).await.assert_status(200);
    for (receiver, session) in [&one, &two].into_iter().zip(&sessions) {
        assert_eq!(payload(&told(receiver, 1).await[0])["sid"], *session);
    }
    wait_until(async || queue(&app).await == (0, 2, 0), PATIENCE).await;
    // Both may stay while the user is away; an application without that leave has lost its session.
    let live = "SELECT count(*) FROM identity.sessions s JOIN identity.oauth_grants g ON g.session_id = s.id \
                WHERE s.revoked_at IS NULL";
    assert_eq!(crate::support::count(&app, live).await, 3);
    assert_eq!((one.count(), two.count(), other.count()), (1, 1, 0));
}

#[tokio::test]
async fn a_session_without_leave_to_stay_ends_with_the_login_and_is_told_once() {
    let app = start().await;
    let receiver = Receiver::answering(200).await;
    let client = application(&app, &receiver).await;
    let mut browser = Browser::new(&app);
    let code = browser
        .code(&client.request(&[("scope", "openid")]), &owner())
        .await;
    let issued = token(&app, &client.redemption(&code))
        .await
        .assert_status(200)
        .json();
    let access = issued["access_token"].as_str().unwrap();
    assert_eq!(crate::provider::statuses(&app, access).await.1, 200);
    let page = browser.get("/oauth2/logout").await;
    browser.submit(&page, &[]).await.assert_status(200);
    assert_eq!(crate::provider::statuses(&app, access).await.1, 401);
    told(&receiver, 1).await;
    wait_until(async || queue(&app).await == (0, 1, 0), PATIENCE).await;
    assert_eq!(receiver.count(), 1);
}

#[tokio::test]
async fn whatever_ends_a_session_is_told() {
    let app = start().await;
    let receiver = Receiver::answering(200).await;
    let client = application(&app, &receiver).await;
    let email = crate::support::address(Tenant::Acme, Role::Member);
    client.tokens(&app, &email).await;
    client.tokens(&app, &email).await;
    let path = format!("/api/users/{}/disable", Tenant::Acme.user(Role::Member));
    app.acme.owner.post(&path, json!({})).await;
    let told = told(&receiver, 2).await;
    assert_ne!(payload(&told[0])["sid"], payload(&told[1])["sid"]);
}

#[tokio::test]
async fn an_application_that_does_not_answer_is_told_again_with_a_new_token_and_given_up_after_a_day()
 {
    let app = start().await;
    let receiver = Receiver::answering(503).await;
    let client = application(&app, &receiver).await;
    let issued = client.tokens(&app, &owner()).await;
    let session = payload(&issued["id_token"])["sid"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/auth/sessions/{session}");
    app.acme.owner.delete(&path).await.assert_status(204);
    told(&receiver, 1).await;
    let reported = async || {
        let sql =
            "SELECT bool_and(due_at <> $1 + interval '120 s') FROM identity.backchannel_logouts";
        let mut admin = app.database.admin().await;
        let now = app.core.sources.now();
        sqlx::query_scalar::<_, bool>(sql)
            .bind(now)
            .fetch_one(&mut admin)
            .await
            .unwrap()
    };
    wait_until(reported, PATIENCE).await;
    assert_eq!((queue(&app).await, receiver.count()), ((1, 0, 0), 1));
    app.clock.advance(TimeDelta::seconds(5));
    let both = told(&receiver, 2).await;
    let (first, second) = (payload(&both[0]), payload(&both[1]));
    assert_eq!(first["sid"], second["sid"]);
    assert!(
        first["jti"] != second["jti"]
            && second["iat"].as_i64() == Some(app.core.sources.now().timestamp())
    );
    wait_until(reported, PATIENCE).await;
    receiver.answer_from_now_on(400);
    app.clock.advance(TimeDelta::days(1));
    told(&receiver, 3).await;
    wait_until(async || queue(&app).await == (0, 0, 1), PATIENCE).await;
}

#[tokio::test]
async fn an_application_is_told_at_a_public_address_only() {
    let app = crate::support::start().await;
    let register = async |uri: &str| {
        let request = json!({ "name": "A", "redirect_uris": ["https://a.example/cb"], "backchannel_logout_uri": uri });
        app.acme.owner.post("/api/oauth-clients", request).await
    };
    let long = format!("https://a.example/{}", "x".repeat(2000));
    for bad in [
        "http://a.example/out",
        "https://127.0.0.1/out",
        "https://[::ffff:10.0.0.1]/",
        "ftp://a.example",
        "x",
        "",
        &long,
    ] {
        let refused = register(bad).await;
        let refused = refused.assert_problem(422, "validation_failed");
        assert_eq!(
            refused.json()["errors"][0]["pointer"],
            "/backchannel_logout_uri",
            "{bad}"
        );
    }
    let created = register("https://a.example/out")
        .await
        .assert_status(201)
        .json();
    let path = format!("/api/oauth-clients/{}", created["id"].as_str().unwrap());
    let change = async |uri: Value| {
        app.acme
            .owner
            .patch(&path, json!({ "backchannel_logout_uri": uri }))
            .await
    };
    change(json!("https://10.0.0.1/out"))
        .await
        .assert_problem(422, "validation_failed");
    let changed = change(Value::Null).await.assert_status(200).json();
    assert_eq!(changed["backchannel_logout_uri"], Value::Null);
}
