use bz_testkit::{Role, Tenant, TestResponse};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    mailbox::{Mailbox, settled},
    support::{IdentityApp, PASSWORD, address, builder, count, login, refresh, register},
};

async fn started(mailbox: &Mailbox) -> IdentityApp {
    mailbox
        .start(builder().env("REGISTRATION_POLICY", "verified"))
        .await
}

async fn sign_up(app: &IdentityApp, email: &str) -> TestResponse {
    let request = json!({ "email": email, "password": PASSWORD, "tenant_name": "Engines" });
    app.anonymous
        .post("/auth/register", request)
        .await
        .assert_status(202)
}

async fn verify(app: &IdentityApp, token: &str) -> TestResponse {
    app.anonymous
        .post("/auth/verify-email", json!({ "token": token }))
        .await
}

#[tokio::test]
async fn the_link_in_the_mail_makes_the_address_a_login() {
    let mailbox = Mailbox::new();
    let app = started(&mailbox).await;
    sign_up(&app, "ada@example.com").await;
    let mail = mailbox.take("ada@example.com").await;
    assert_eq!(mail.subject(), "Please verify your address");
    assert!(mail.text.contains("Engines"), "{}", mail.text);
    login(&app, "ada@example.com", PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    verify(&app, &mail.token()).await.assert_status(204);
    let answer = login(&app, "ada@example.com", PASSWORD)
        .await
        .assert_status(200)
        .json();
    assert_eq!(answer["user"]["is_verified"], true);
    let told = "SELECT count(*) FROM identity.events WHERE kind = 'user.email_verified'";
    assert_eq!(count(&app, told).await, 1);
    let logged = "SELECT count(*) FROM identity.audit_log WHERE action = 'user.email_verified'";
    assert_eq!(count(&app, logged).await, 1);
}

/// Pitfall 39: registering tells nobody whether an address is known; only its owner learns it, by mail.
#[tokio::test]
async fn who_has_an_account_is_told_by_mail_and_nobody_else_is() {
    let mailbox = Mailbox::new();
    let app = started(&mailbox).await;
    let known = address(Tenant::Acme, Role::Owner);
    let answers = [
        sign_up(&app, "ada@example.com").await,
        sign_up(&app, &known).await,
    ];
    assert_eq!(answers[0].body, answers[1].body);
    let names = |answer: &TestResponse| {
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(names(&answers[0]), names(&answers[1]));
    assert_eq!(
        mailbox.take(&known).await.subject(),
        "You already have an account"
    );
    let tenants = "SELECT count(*) FROM identity.tenants WHERE name = 'Engines'";
    settled(&app).await;
    assert_eq!(count(&app, tenants).await, 1);
}

#[tokio::test]
async fn a_verification_mail_is_sent_again_three_times_an_hour_and_only_its_latest_link_is_good() {
    let mailbox = Mailbox::new();
    let app = started(&mailbox).await;
    sign_up(&app, "ada@example.com").await;
    let first = mailbox.take("ada@example.com").await.token();
    let resend = async |email: &str| {
        let body = json!({ "email": email });
        let answer = app.anonymous.post("/auth/verify-email/resend", body).await;
        settled(&app).await;
        answer.assert_status(202).json()
    };
    let answer = resend("ada@example.com").await;
    let second = mailbox.take("ada@example.com").await.token();
    assert_eq!(resend("nobody@example.com").await, answer);
    verify(&app, &first)
        .await
        .assert_problem(400, "token_invalid");
    verify(&app, &second).await.assert_status(204);
    // Nothing is left to verify.
    assert_eq!(resend("ada@example.com").await, answer);
    let mails = "SELECT count(*) FROM identity.mails";
    assert_eq!(count(&app, mails).await, 2);

    sign_up(&app, "grace@example.com").await;
    settled(&app).await;
    for _ in 0..4 {
        resend("grace@example.com").await;
    }
    assert_eq!(count(&app, mails).await, 2 + 3);
    app.anonymous
        .post(
            "/auth/verify-email/resend",
            json!({ "email": "no address" }),
        )
        .await
        .assert_problem(422, "validation_failed");
}

/// Pitfall 52: a link is good once, for a while and for its purpose; of many that use it at once one does.
#[tokio::test]
async fn a_link_is_good_once_and_all_others_get_one_answer() {
    let mailbox = Mailbox::new();
    let app = started(&mailbox).await;
    sign_up(&app, "ada@example.com").await;
    let token = mailbox.take("ada@example.com").await.token();
    let reset = json!({ "token": token, "password": "another good password" });
    app.anonymous
        .post("/auth/password/reset", reset)
        .await
        .assert_problem(400, "token_invalid");
    let use_it = || verify(&app, &token);
    let (a, b, c, d) = tokio::join!(use_it(), use_it(), use_it(), use_it());
    let mut statuses = [a, b, c, d].map(|answer| answer.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 400, 400, 400]);
    for bad in [
        "",
        "ve1.",
        "garbage",
        &token[1..],
        &format!("{token}A"),
        &token.replace("ve1", "rp1"),
    ] {
        verify(&app, bad).await.assert_problem(400, "token_invalid");
    }
    verify(&app, &"x".repeat(15_000))
        .await
        .assert_problem(400, "token_invalid");

    sign_up(&app, "grace@example.com").await;
    let token = mailbox.take("grace@example.com").await.token();
    app.clock.advance(TimeDelta::hours(24));
    verify(&app, &token)
        .await
        .assert_problem(400, "token_invalid");
}

/// Pitfall 49: whoever registers with another's address does not stay in when the owner verifies it, and is out for good
/// when the owner chooses a password.
#[tokio::test]
async fn who_registered_anothers_address_is_out_once_its_owner_verifies_it() {
    let mailbox = Mailbox::new();
    let app = mailbox.start(builder()).await;
    let attacker = register(&app, "victim@example.com").await;
    let body = json!({ "email": "victim@example.com" });
    app.anonymous
        .post("/auth/verify-email/resend", &body)
        .await
        .assert_status(202);
    let token = mailbox.take("victim@example.com").await.token();
    verify(&app, &token).await.assert_status(204);
    refresh(&app, &attacker["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");

    let again = login(&app, "victim@example.com", PASSWORD)
        .await
        .assert_status(200)
        .json();
    app.anonymous
        .post("/auth/password/forgot", &body)
        .await
        .assert_status(202);
    let token = mailbox.take("victim@example.com").await.token();
    let reset = json!({ "token": token, "password": "the owner's own words" });
    app.anonymous
        .post("/auth/password/reset", reset)
        .await
        .assert_status(204);
    refresh(&app, &again["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    login(&app, "victim@example.com", PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn mail_is_written_in_the_language_of_whoever_reads_it() {
    let mailbox = Mailbox::new();
    let app = started(&mailbox).await;
    let request = json!({ "email": "ada@example.com", "password": PASSWORD });
    let asked = app
        .anonymous
        .post("/auth/register", request)
        .header("accept-language", "fr, de-AT;q=0.8");
    asked.await.assert_status(202);
    let mail = mailbox.take("ada@example.com").await;
    assert!(
        mail.text.contains("innerhalb von 24 Stunden"),
        "{}",
        mail.text
    );
    let request = json!({ "email": "grace@example.com", "password": PASSWORD, "locale": "de" });
    app.anonymous
        .post("/auth/register", request)
        .await
        .assert_status(202);
    assert!(
        mailbox
            .take("grace@example.com")
            .await
            .text
            .contains("Guten Tag")
    );
}
