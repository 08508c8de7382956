use bz_testkit::{Client, Role, Tenant};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    mailbox::Mailbox,
    support::{IdentityApp, PASSWORD, address, builder, count, login, refresh, start},
};

async fn logged_in(app: &IdentityApp, email: &str) -> (Client, Value) {
    let answer = login(app, email, PASSWORD).await.assert_status(200).json();
    let client = app
        .anonymous
        .with_token(answer["access_token"].as_str().unwrap());
    (client, answer["refresh_token"].clone())
}

#[tokio::test]
async fn a_profile_is_changed_in_parts_and_on_a_version() {
    let app = start().await;
    let me = app.acme.viewer.get("/auth/me").await.assert_status(200);
    let version = me.header("etag").unwrap().to_owned();
    let change =
        json!({ "name": " Ada ", "locale": "de-AT", "picture": "https://example.com/ada.png" });
    let changed = app
        .acme
        .viewer
        .patch("/auth/me", change)
        .header("if-match", &version)
        .await
        .assert_status(200);
    let user = changed.json();
    assert_eq!(
        (&user["name"], &user["locale"], &user["picture"]),
        (
            &json!("Ada"),
            &json!("de-AT"),
            &json!("https://example.com/ada.png")
        )
    );
    assert_ne!(changed.header("etag"), Some(version.as_str()));
    let stale = app
        .acme
        .viewer
        .patch("/auth/me", json!({ "name": "Eve" }))
        .header("if-match", &version);
    stale.await.assert_problem(412, "precondition_failed");
    app.acme
        .viewer
        .patch("/auth/me", json!({ "locale": null }))
        .await
        .assert_status(200);
    let me = app.acme.viewer.get("/auth/me").await.json();
    assert_eq!((&me["name"], &me["locale"]), (&json!("Ada"), &Value::Null));
    let table = [
        json!({ "name": " " }),
        json!({ "name": "a\nb" }),
        json!({ "locale": "d" }),
        json!({ "locale": "de_AT" }),
        json!({ "picture": "http://example.com/a.png" }),
        json!({ "picture": "javascript:alert(1)" }),
        json!({ "picture": "https://user:password@example.com/" }),
    ];
    for bad in table {
        app.acme
            .viewer
            .patch("/auth/me", bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    let stranger =
        app.tokens
            .user_claims(Tenant::Globex, Tenant::Acme.user(Role::Viewer), &["viewer"]);
    let stranger = app.anonymous.with_token(app.tokens.sign(&stranger));
    stranger
        .patch("/auth/me", json!({ "name": "Eve" }))
        .await
        .assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_new_address_is_confirmed_by_its_mail_and_the_old_one_can_take_it_back() {
    let mailbox = Mailbox::new();
    let app = mailbox.start(builder()).await;
    let old = address(Tenant::Acme, Role::Member);
    let (client, session) = logged_in(&app, &old).await;
    let change = json!({ "new_email": "Member@New.example" });
    client
        .post("/auth/email/change", &change)
        .await
        .assert_status(202);
    let token = mailbox.take("member@new.example").await.token();
    login(&app, &old, PASSWORD).await.assert_status(200);
    let confirm = json!({ "token": token });
    app.anonymous
        .post("/auth/email/change/confirm", &confirm)
        .await
        .assert_status(204);
    app.anonymous
        .post("/auth/email/change/confirm", &confirm)
        .await
        .assert_problem(400, "token_invalid");
    refresh(&app, &session)
        .await
        .assert_problem(401, "session_revoked");
    login(&app, &old, PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    login(&app, "member@new.example", PASSWORD)
        .await
        .assert_status(200);

    let notice = mailbox.take(&old).await;
    assert!(
        notice.text.contains("member@new.example"),
        "{}",
        notice.text
    );
    // Whoever stole the account changes the password next; the way back stays.
    let (thief, stolen) = logged_in(&app, "member@new.example").await;
    let change = json!({ "current_password": PASSWORD, "new_password": "only the thief knows" });
    thief
        .post("/auth/password/change", change)
        .await
        .assert_status(204);
    app.clock.advance(TimeDelta::hours(71));
    let revert = json!({ "token": notice.token() });
    app.anonymous
        .post("/auth/email/revert", &revert)
        .await
        .assert_status(204);
    app.anonymous
        .post("/auth/email/revert", &revert)
        .await
        .assert_problem(400, "token_invalid");
    refresh(&app, &stolen)
        .await
        .assert_problem(401, "session_revoked");
    login(&app, "member@new.example", "only the thief knows")
        .await
        .assert_problem(401, "invalid_credentials");
    let reset =
        json!({ "token": mailbox.take(&old).await.token(), "password": "back in my own hands" });
    app.anonymous
        .post("/auth/password/reset", reset)
        .await
        .assert_status(204);
    login(&app, &old, "back in my own hands")
        .await
        .assert_status(200);
}

/// Pitfalls 39, 50: an address that somebody else has, or that only looks new, changes nothing and shows nothing.
#[tokio::test]
async fn an_address_of_somebody_else_is_answered_like_any_other() {
    let mailbox = Mailbox::new();
    let app = mailbox.start(builder()).await;
    let (client, _) = logged_in(&app, &address(Tenant::Acme, Role::Member)).await;
    let change = async |email: &str| {
        client
            .post("/auth/email/change", json!({ "new_email": email }))
            .await
    };
    let taken = change(" OWNER@Acme.TEST ").await.assert_status(202);
    let free = change("free@example.com").await.assert_status(202);
    assert_eq!(taken.body, free.body);
    assert_eq!(
        mailbox.take("owner@acme.test").await.subject(),
        "You already have an account"
    );
    // Somebody takes the address before the link is followed.
    let token = mailbox.take("free@example.com").await.token();
    let take =
        "UPDATE identity.users SET email = 'free@example.com' WHERE email = 'viewer@acme.test'";
    sqlx::query(take)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    let confirm = json!({ "token": token });
    app.anonymous
        .post("/auth/email/change/confirm", confirm)
        .await
        .assert_problem(400, "token_invalid");
    let tricks = [
        "a@b.example\r\nBcc: eve@example.com",
        "a\u{200b}@example.com",
        "a@example.com,b@example.com",
    ];
    for trick in tricks {
        change(trick).await.assert_problem(422, "validation_failed");
    }
    for n in 0..3 {
        change(&format!("n{n}@example.com"))
            .await
            .assert_status(202);
    }
    change("one-more@example.com")
        .await
        .assert_problem(429, "rate_limited");
    app.clock.advance(TimeDelta::minutes(6));
    change("late@example.com")
        .await
        .assert_problem(401, "reauthentication_required");
}

#[tokio::test]
async fn a_deleted_account_comes_back_by_a_login_or_goes_for_good() {
    let mailbox = Mailbox::new();
    let app = mailbox.start(builder()).await;
    let email = address(Tenant::Acme, Role::Member);
    let (client, session) = logged_in(&app, &email).await;
    let delete = async |client: &Client, password: &str| {
        client
            .delete("/auth/me")
            .json(json!({ "password": password }))
            .await
    };
    delete(&client, "a wrong one")
        .await
        .assert_problem(401, "invalid_credentials");
    client
        .delete("/auth/me")
        .json(json!({}))
        .await
        .assert_problem(401, "invalid_credentials");
    let scheduled = delete(&client, PASSWORD).await.assert_status(202).json();
    assert_eq!(scheduled["delete_after"], "2026-04-01T09:00:00Z");
    refresh(&app, &session)
        .await
        .assert_problem(401, "session_revoked");
    assert!(mailbox.take(&email).await.text.contains("2026-04-01"));
    let waiting = "SELECT count(*) FROM identity.users WHERE delete_after IS NOT NULL";
    assert_eq!(count(&app, waiting).await, 1);
    app.clock.advance(TimeDelta::seconds(1));
    let (client, _) = logged_in(&app, &email).await;
    assert_eq!(count(&app, waiting).await, 0);

    delete(&client, PASSWORD).await.assert_status(202);
    let erased = async || identity::erase_deleted_accounts(&app.core).await.unwrap();
    app.clock
        .advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    assert_eq!(erased().await, 0);
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!((erased().await, erased().await), (1, 0));
    let left = "SELECT count(*) FROM identity.users WHERE email = 'member@acme.test'";
    assert_eq!(count(&app, left).await, 0);
    let homes = "SELECT count(*) FROM identity.login_homes WHERE email = 'member@acme.test'";
    assert_eq!(count(&app, homes).await, 0);
    let told = "SELECT count(*) FROM identity.events WHERE kind = 'user.deleted'";
    assert_eq!(count(&app, told).await, 1);
    login(&app, &email, PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    let late = app
        .acme
        .viewer
        .delete("/auth/me")
        .json(json!({ "password": PASSWORD }));
    late.await.assert_problem(401, "reauthentication_required");
}

#[tokio::test]
async fn the_last_owner_of_a_tenant_with_others_stays() {
    let app = start().await;
    let delete = async |client: &Client| {
        client
            .delete("/auth/me")
            .json(json!({ "password": PASSWORD }))
            .await
    };
    delete(&app.acme.owner)
        .await
        .assert_problem(409, "last_owner");
    let promote = "UPDATE identity.memberships SET role = 'owner' WHERE user_id = $1";
    sqlx::query(promote)
        .bind(Tenant::Acme.user(Role::Admin).as_uuid())
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    delete(&app.acme.owner).await.assert_status(202);
    delete(&app.acme.admin)
        .await
        .assert_problem(409, "last_owner");
}

#[tokio::test]
async fn an_export_has_everything_about_the_user_and_nothing_about_others() {
    let app = start().await;
    let (client, _) = logged_in(&app, &address(Tenant::Acme, Role::Member)).await;
    app.acme
        .viewer
        .patch("/auth/me", json!({ "name": "Somebody else" }))
        .await
        .assert_status(200);
    client
        .patch("/auth/me", json!({ "name": "Ada" }))
        .await
        .assert_status(200);
    let answer = client.get("/auth/me/export").await.assert_status(200);
    assert!(
        answer
            .header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
    let export = answer.json();
    assert_eq!(export["user"]["name"], "Ada");
    assert_eq!(export["memberships"][0]["tenant_slug"], "acme");
    assert_eq!(export["sessions"].as_array().unwrap().len(), 1);
    let deeds = export["audit_log"].as_array().unwrap();
    assert!(deeds.iter().any(|deed| deed["action"] == "user.updated"));
    let text = answer.text();
    assert!(
        !text.contains("Somebody else") && !text.contains("argon2") && !text.contains("viewer@")
    );
    app.clock.advance(TimeDelta::minutes(6));
    client.get("/auth/me/export").await.assert_status(401);
}
