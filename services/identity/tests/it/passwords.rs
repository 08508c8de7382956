use bz_testkit::{Role, Tenant, TestResponse};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    mailbox::{Mailbox, settled},
    support::{IdentityApp, PASSWORD, address, builder, count, login, refresh, start},
};

const NEW: &str = "a different good password";

async fn forgot(app: &IdentityApp, email: &str) -> TestResponse {
    let answer = app
        .anonymous
        .post("/auth/password/forgot", json!({ "email": email }))
        .await;
    settled(app).await;
    answer.assert_status(202)
}

async fn reset(app: &IdentityApp, token: &str, password: &str) -> TestResponse {
    let request = json!({ "token": token, "password": password });
    app.anonymous.post("/auth/password/reset", request).await
}

async fn logged_in(app: &IdentityApp, email: &str) -> (bz_testkit::Client, Value) {
    let answer = login(app, email, PASSWORD).await.assert_status(200).json();
    let client = app
        .anonymous
        .with_token(answer["access_token"].as_str().unwrap());
    (client, answer["refresh_token"].clone())
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_all_sessions_end() {
    let mailbox = Mailbox::new();
    let app = mailbox.start(builder()).await;
    let email = address(Tenant::Acme, Role::Member);
    let (_, session) = logged_in(&app, &email).await;
    forgot(&app, &email).await;
    let token = mailbox.take(&email).await.token();
    reset(&app, &token, "short")
        .await
        .assert_problem(422, "validation_failed");
    reset(&app, &token, "member123")
        .await
        .assert_problem(422, "validation_failed");
    reset(&app, &token, NEW).await.assert_status(204);
    reset(&app, &token, NEW)
        .await
        .assert_problem(400, "token_invalid");
    login(&app, &email, PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    let answer = login(&app, &email, NEW).await.assert_status(200).json();
    assert_eq!(answer["user"]["is_verified"], true, "the link came by mail");
    refresh(&app, &session)
        .await
        .assert_problem(401, "session_revoked");
    assert_eq!(
        mailbox.take(&email).await.subject(),
        "Your password was changed"
    );
    let logged = "SELECT count(*) FROM identity.audit_log WHERE action = 'user.password_changed'";
    assert_eq!(count(&app, logged).await, 1);
}

/// Pitfalls 35, 39: asking for a new password is answered alike for known and unknown addresses, before anything is done
/// about it, and no password is hashed for either.
#[tokio::test]
async fn a_forgotten_password_tells_nothing_about_the_address() {
    let app = start().await;
    let known = forgot(&app, &address(Tenant::Acme, Role::Member)).await;
    let unknown = forgot(&app, "nobody@example.com").await;
    assert_eq!(known.body, unknown.body);
    assert_eq!(known.headers.len(), unknown.headers.len());
    let elsewhere = json!({ "email": address(Tenant::Acme, Role::Member), "tenant": "globex" });
    let elsewhere = app.anonymous.post("/auth/password/forgot", elsewhere).await;
    assert_eq!(elsewhere.assert_status(202).body, unknown.body);
    settled(&app).await;
    assert_eq!(count(&app, "SELECT count(*) FROM identity.mails").await, 1);
    // Three mails an hour, whoever asks.
    for _ in 0..4 {
        forgot(&app, &address(Tenant::Acme, Role::Member)).await;
    }
    assert_eq!(count(&app, "SELECT count(*) FROM identity.mails").await, 3);
    app.clock.advance(TimeDelta::hours(1));
    forgot(&app, &address(Tenant::Acme, Role::Member)).await;
    assert_eq!(count(&app, "SELECT count(*) FROM identity.mails").await, 4);
}

/// Pitfall 51: links start with the configured address, whatever host the request names.
#[tokio::test]
async fn a_forged_host_gets_into_no_link() {
    let mailbox = Mailbox::new();
    let app = mailbox
        .start(builder().env("PUBLIC_URL", "https://id.acme.example/base/"))
        .await;
    let email = address(Tenant::Acme, Role::Member);
    let request = app
        .anonymous
        .post("/auth/password/forgot", json!({ "email": email }))
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    request.await.assert_status(202);
    let mail = mailbox.take(&email).await;
    let link = "\nhttps://id.acme.example/base/auth/pages/reset-password?token=rp1.";
    assert!(mail.text.contains(link), "{}", mail.text);
    assert!(!mail.text.contains("evil") && !mail.headers.contains("evil"));
}

/// Pitfall 52: a link to a new password dies with the password and with the address that it was made for.
#[tokio::test]
async fn links_die_when_the_password_or_the_address_changes() {
    let mailbox = Mailbox::new();
    let app = mailbox.start(builder()).await;
    let email = address(Tenant::Acme, Role::Member);
    forgot(&app, &email).await;
    let token = mailbox.take(&email).await.token();
    let (client, _) = logged_in(&app, &email).await;
    let change = json!({ "current_password": PASSWORD, "new_password": NEW });
    client
        .post("/auth/password/change", change)
        .await
        .assert_status(204);
    reset(&app, &token, "a third good password")
        .await
        .assert_problem(400, "token_invalid");
    assert_eq!(
        mailbox.take(&email).await.subject(),
        "Your password was changed"
    );

    forgot(&app, &email).await;
    let token = mailbox.take(&email).await.token();
    let change = json!({ "new_email": "member@new.example" });
    client
        .post("/auth/email/change", change)
        .await
        .assert_status(202);
    let confirm = json!({ "token": mailbox.take("member@new.example").await.token() });
    app.anonymous
        .post("/auth/email/change/confirm", confirm)
        .await
        .assert_status(204);
    reset(&app, &token, "a third good password")
        .await
        .assert_problem(400, "token_invalid");

    forgot(&app, "member@new.example").await;
    let token = mailbox.take("member@new.example").await.token();
    app.clock.advance(TimeDelta::minutes(30));
    reset(&app, &token, NEW)
        .await
        .assert_problem(400, "token_invalid");
}

#[tokio::test]
async fn changing_the_password_ends_the_other_sessions_unless_asked_otherwise() {
    let app = start().await;
    let email = address(Tenant::Acme, Role::Member);
    let (client, own) = logged_in(&app, &email).await;
    let (_, other) = logged_in(&app, &email).await;
    let change = async |current: &str, new: &str, others: bool| {
        let request = json!({ "current_password": current, "new_password": new, "revoke_other_sessions": others });
        client.post("/auth/password/change", request).await
    };
    change("a wrong one", NEW, true)
        .await
        .assert_problem(401, "invalid_credentials");
    change(PASSWORD, "12345678", true)
        .await
        .assert_problem(422, "validation_failed");
    change(PASSWORD, NEW, false).await.assert_status(204);
    let other = refresh(&app, &other).await.assert_status(200).json()["refresh_token"].clone();
    let request = json!({ "current_password": NEW, "new_password": "a third good password" });
    client
        .post("/auth/password/change", request)
        .await
        .assert_status(204);
    refresh(&app, &other)
        .await
        .assert_problem(401, "session_revoked");
    refresh(&app, &own).await.assert_status(200);
    login(&app, &email, "a third good password")
        .await
        .assert_status(200);
    // The same user of another tenant is another user.
    login(&app, &address(Tenant::Globex, Role::Member), PASSWORD)
        .await
        .assert_status(200);
}

/// Pitfall 53: what a request has no business to set is refused, whatever it is called.
#[tokio::test]
async fn no_request_sets_what_is_not_its_own() {
    let app = start().await;
    let columns = [
        "id",
        "tenant_id",
        "email",
        "password_hash",
        "status",
        "email_verified_at",
        "is_superuser",
        "is_verified",
        "is_active",
        "role",
        "roles",
        "user_id",
        "delete_after",
        "home_tenant_id",
        "version",
        "created_at",
    ];
    for column in columns {
        let answer = app
            .acme
            .member
            .patch("/auth/me", json!({ "name": "Eve", (column): "x" }))
            .await;
        answer.assert_problem(422, "validation_failed");
        let bodies = [
            ("/auth/verify-email", json!({ "token": "x" })),
            (
                "/auth/password/reset",
                json!({ "token": "x", "password": NEW }),
            ),
            (
                "/auth/password/change",
                json!({ "current_password": PASSWORD, "new_password": NEW }),
            ),
            (
                "/auth/email/change",
                json!({ "new_email": "eve@example.com" }),
            ),
        ];
        for (path, mut body) in bodies {
            body[column] = json!("x");
            app.acme
                .member
                .post(path, body)
                .await
                .assert_problem(422, "validation_failed");
        }
    }
    let me = app
        .acme
        .member
        .get("/auth/me")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&me["name"], &me["email"]),
        (&Value::Null, &json!("member@acme.test"))
    );
}
