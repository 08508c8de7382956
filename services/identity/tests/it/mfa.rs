use bz_testkit::{Client, Role, Tenant, TestResponse};
use chrono::TimeDelta;
use serde_json::{Value, json};
use totp_rs::{Secret, Totp};

use crate::support::{IdentityApp, PASSWORD, address, claims, login, refresh, start};

/// What an authenticator app shows now, after it was given the secret of the enrolment.
pub(crate) fn shown(app: &IdentityApp, secret: &str) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let totp: Totp = totp_rs::Builder::new()
        .with_secret(secret)
        .with_account_name("x")
        .build()
        .unwrap();
    let now = app.core.sources.now().timestamp();
    totp.generate(u64::try_from(now).unwrap()).to_string()
}

pub(crate) async fn enrol(client: &Client) -> Value {
    client
        .post("/auth/mfa/totp", json!({}))
        .await
        .assert_status(201)
        .json()
}

pub(crate) async fn activate(client: &Client, enrolment: &Value, code: &str) -> TestResponse {
    let id = enrolment["enrollment_id"].as_str().unwrap();
    client
        .post(
            &format!("/auth/mfa/totp/{id}/activate"),
            json!({ "code": code }),
        )
        .await
}

/// The member of acme with an app: its secret, and the recovery codes.
pub(crate) async fn with_app(app: &IdentityApp) -> (String, Vec<String>) {
    let member = &app.acme.member;
    let enrolment = enrol(member).await;
    let secret = enrolment["secret"].as_str().unwrap().to_owned();
    let codes = activate(member, &enrolment, &shown(app, &secret))
        .await
        .assert_status(200)
        .json();
    let codes = serde_json::from_value(codes["recovery_codes"].clone()).unwrap();
    // The step of the activation is used.
    app.clock.advance(TimeDelta::seconds(30));
    (secret, codes)
}

async fn challenge(app: &IdentityApp) -> Value {
    let answer = login(app, &address(Tenant::Acme, Role::Member), PASSWORD)
        .await
        .assert_status(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = answer.json();
    assert_eq!(answer["status"], "mfa_required");
    assert_eq!(answer["methods"], json!(["totp", "recovery_code"]));
    assert_eq!(answer["expires_in"], 300);
    assert!(answer.get("access_token").is_none());
    answer["mfa_token"].clone()
}

async fn verify(app: &IdentityApp, token: &Value, method: &str, code: &str) -> TestResponse {
    app.anonymous
        .post(
            "/auth/mfa/verify",
            json!({ "mfa_token": token, "method": method, "code": code }),
        )
        .await
}

#[tokio::test]
async fn a_login_with_an_app_needs_its_code_and_is_a_stronger_session() {
    let app = start().await;
    let (secret, _) = with_app(&app).await;
    let token = challenge(&app).await;
    let answer = verify(&app, &token, "totp", &shown(&app, &secret))
        .await
        .assert_status(200)
        .json();
    let first = claims(&app, &answer).await;
    assert_eq!(
        (first.acr.as_deref(), first.amr),
        (
            Some("aal2"),
            vec!["pwd".to_owned(), "otp".into(), "mfa".into()]
        )
    );
    let me = app
        .anonymous
        .with_token(answer["access_token"].as_str().unwrap())
        .get("/auth/me")
        .await
        .json();
    assert_eq!(me["mfa"], json!({ "enabled": true, "methods": ["totp"] }));
    assert_eq!(me["session"]["acr"], "aal2");
    let refreshed = refresh(&app, &answer["refresh_token"])
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        claims(&app, &refreshed).await.acr.as_deref(),
        Some("aal2"),
        "the level outlives a refresh"
    );
}

#[tokio::test]
async fn an_enrolment_shows_what_an_app_needs_and_changes_nothing_before_the_first_code() {
    let app = start().await;
    let member = &app.acme.member;
    let enrolment = enrol(member).await;
    let uri = enrolment["otpauth_uri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/BizOSaaS:member%40acme.test?secret="));
    assert!(uri.contains(enrolment["secret"].as_str().unwrap()));
    let png = enrolment["qr_png"].as_str().unwrap();
    assert!(png.starts_with("data:image/png;base64,iVBORw0KGgo"));
    assert_eq!(
        member.get("/auth/mfa").await.json(),
        json!({ "enabled": false, "totp": null, "recovery_codes_left": 0 })
    );
    login(&app, &address(Tenant::Acme, Role::Member), PASSWORD)
        .await
        .assert_status(200)
        .json()["access_token"]
        .as_str()
        .unwrap();
    activate(member, &enrolment, "000000")
        .await
        .assert_problem(401, "mfa_invalid");
    let second = enrol(member).await;
    activate(
        member,
        &enrolment,
        &shown(&app, enrolment["secret"].as_str().unwrap()),
    )
    .await
    .assert_problem(404, "not_found");
    activate(
        member,
        &second,
        &shown(&app, second["secret"].as_str().unwrap()),
    )
    .await
    .assert_status(200);
    let overview = member.get("/auth/mfa").await.json();
    assert_eq!(overview["enabled"], true);
    assert_eq!(overview["recovery_codes_left"], 10);
    member
        .post("/auth/mfa/totp", json!({}))
        .await
        .assert_problem(409, "mfa_already_enabled");
}

/// Pitfall 46: a code is good once, also for two logins at the same moment, and so is the step before it.
#[tokio::test]
async fn a_code_is_good_once_even_side_by_side() {
    let app = start().await;
    let (secret, recovery) = with_app(&app).await;
    let before = shown(&app, &secret);
    app.clock.advance(TimeDelta::seconds(30));
    let code = shown(&app, &secret);
    let mut tokens = Vec::new();
    for _ in 0..4 {
        tokens.push(challenge(&app).await);
    }
    let attempts = tokens
        .iter()
        .map(|token| verify(&app, token, "totp", &code));
    let won = futures(attempts).await;
    assert_eq!(won, 1, "one of four logins gets in with one code");
    let token = challenge(&app).await;
    verify(&app, &token, "totp", &before)
        .await
        .assert_problem(401, "mfa_invalid");
    let mut tokens = Vec::new();
    for _ in 0..4 {
        tokens.push(challenge(&app).await);
    }
    let attempts = tokens
        .iter()
        .map(|token| verify(&app, token, "recovery_code", &recovery[0]));
    assert_eq!(futures(attempts).await, 1, "a recovery code is good once");
    let typed = recovery[1].to_uppercase().replace('-', " ");
    let token = challenge(&app).await;
    verify(&app, &token, "recovery_code", &typed)
        .await
        .assert_status(200);
    let left = app.acme.member.get("/auth/mfa").await.json();
    assert_eq!(left["recovery_codes_left"], 8);
}

/// How many of the attempts, all under way at once, got in.
async fn futures(attempts: impl Iterator<Item = impl Future<Output = TestResponse>>) -> usize {
    let answers = futures_util::future::join_all(attempts).await;
    answers.iter().filter(|answer| answer.status == 200).count()
}

/// Pitfall 47: a fresh login does not give fresh guesses.
#[tokio::test]
async fn wrong_codes_are_counted_over_all_challenges_of_a_user() {
    let app = start().await;
    let (secret, recovery) = with_app(&app).await;
    let token = challenge(&app).await;
    for _ in 0..5 {
        verify(&app, &token, "totp", "000000")
            .await
            .assert_problem(401, "mfa_invalid");
    }
    // The challenge has taken its five attempts, the user has not taken ten.
    verify(&app, &token, "totp", &shown(&app, &secret))
        .await
        .assert_problem(401, "mfa_expired");
    let token = challenge(&app).await;
    for _ in 0..5 {
        verify(&app, &token, "recovery_code", "0000-0000-0000-0000")
            .await
            .assert_problem(401, "mfa_invalid");
    }
    let token = challenge(&app).await;
    let refused = verify(&app, &token, "totp", &shown(&app, &secret))
        .await
        .assert_problem(429, "rate_limited");
    assert!(refused.header("retry-after").is_some());
    verify(&app, &token, "recovery_code", &recovery[0])
        .await
        .assert_problem(429, "rate_limited");
    app.clock.advance(TimeDelta::minutes(61));
    let token = challenge(&app).await;
    verify(&app, &token, "totp", &shown(&app, &secret))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn a_challenge_ends_after_five_minutes_and_with_its_success() {
    let app = start().await;
    let (secret, _) = with_app(&app).await;
    let token = challenge(&app).await;
    app.clock.advance(TimeDelta::minutes(5));
    verify(&app, &token, "totp", &shown(&app, &secret))
        .await
        .assert_problem(401, "mfa_expired");
    let token = challenge(&app).await;
    verify(&app, &token, "totp", &shown(&app, &secret))
        .await
        .assert_status(200);
    app.clock.advance(TimeDelta::seconds(60));
    verify(&app, &token, "totp", &shown(&app, &secret))
        .await
        .assert_problem(401, "mfa_expired");
    for no_token in ["", "mf1.", "rt1.AAAA", &"x".repeat(200)] {
        verify(&app, &json!(no_token), "totp", "123456")
            .await
            .assert_problem(401, "mfa_expired");
    }
    let token = challenge(&app).await;
    let long = "1".repeat(65);
    for code in ["", &long] {
        verify(&app, &token, "totp", code)
            .await
            .assert_problem(422, "validation_failed");
    }
    verify(&app, &token, "pigeon", "123456")
        .await
        .assert_problem(422, "validation_failed");
}

/// Pitfall 48: what is begun with the password alone does not pass for more, and a challenge is no token.
#[tokio::test]
async fn a_challenge_is_not_accepted_as_any_other_credential() {
    let app = start().await;
    with_app(&app).await;
    let token = challenge(&app).await;
    app.anonymous
        .with_token(token.as_str().unwrap())
        .get("/auth/me")
        .await
        .assert_problem(401, "unauthenticated");
    refresh(&app, &token)
        .await
        .assert_problem(401, "refresh_token_invalid");
    let form = "username=member%40acme.test&password=correct+horse+battery+staple";
    let answer = app
        .anonymous
        .request(http::Method::POST, "/auth/login")
        .body("application/x-www-form-urlencoded", form)
        .await
        .assert_status(200)
        .json();
    assert_eq!(answer["status"], "mfa_required");
}

#[tokio::test]
async fn removing_the_app_ends_the_other_sessions_and_the_recovery_codes() {
    let app = start().await;
    let (secret, _) = with_app(&app).await;
    let session = async || {
        let token = challenge(&app).await;
        let answer = verify(&app, &token, "totp", &shown(&app, &secret)).await;
        app.clock.advance(TimeDelta::seconds(30));
        answer.assert_status(200).json()
    };
    let (other, this) = (session().await, session().await);
    let client = app
        .anonymous
        .with_token(this["access_token"].as_str().unwrap());
    let id = client.get("/auth/mfa").await.json()["totp"]["id"].clone();
    let path = format!("/auth/mfa/totp/{}", id.as_str().unwrap());
    app.acme
        .viewer
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    client.delete(&path).await.assert_status(204);
    client.delete(&path).await.assert_problem(404, "not_found");
    refresh(&app, &other["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    refresh(&app, &this["refresh_token"])
        .await
        .assert_status(200);
    let overview = client.get("/auth/mfa").await.json();
    assert_eq!(
        overview,
        json!({ "enabled": false, "totp": null, "recovery_codes_left": 0 })
    );
    let answer = login(&app, &address(Tenant::Acme, Role::Member), PASSWORD).await;
    assert!(answer.assert_status(200).json()["access_token"].is_string());
}

#[tokio::test]
async fn new_recovery_codes_replace_the_old_ones() {
    let app = start().await;
    app.acme
        .viewer
        .post("/auth/mfa/recovery-codes", json!({}))
        .await
        .assert_problem(409, "mfa_not_enabled");
    let (_, old) = with_app(&app).await;
    let mut claims =
        app.tokens
            .user_claims(Tenant::Acme, Tenant::Acme.user(Role::Member), &["member"]);
    claims.acr = Some("aal2".to_owned());
    let member = app.anonymous.with_token(app.tokens.sign(&claims));
    let new = member
        .post("/auth/mfa/recovery-codes", json!({}))
        .await
        .assert_status(200)
        .json()["recovery_codes"][0]
        .clone();
    let token = challenge(&app).await;
    verify(&app, &token, "recovery_code", &old[0])
        .await
        .assert_problem(401, "mfa_invalid");
    verify(&app, &token, "recovery_code", new.as_str().unwrap())
        .await
        .assert_status(200);
}

#[tokio::test]
async fn second_factors_are_changed_after_a_recent_login_only() {
    let app = start().await;
    let (_, _) = with_app(&app).await;
    let id = app.acme.member.get("/auth/mfa").await.json()["totp"]["id"].clone();
    let path = format!("/auth/mfa/totp/{}", id.as_str().unwrap());
    app.clock.advance(TimeDelta::minutes(6));
    let member = &app.acme.member;
    let refused = [
        member.post("/auth/mfa/totp", json!({})).await,
        member
            .post(&format!("{path}/activate"), json!({ "code": "123456" }))
            .await,
        member.post("/auth/mfa/recovery-codes", json!({})).await,
        member.delete(&path).await,
    ];
    for answer in refused {
        let answer = answer.assert_problem(401, "reauthentication_required");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("insufficient_user_authentication"),
            "{challenge}"
        );
    }
}
