//! Operations of somebody who is logged in that compare the password: a stolen access token must not be a way to guess it.

use bz_testkit::{Client, Role, Tenant, TestResponse};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    mailbox::{Mailbox, settled},
    support::{
        HASHER, IdentityApp, PASSWORD, address, builder, cheap, client, count, guest_of_globex,
        logged_in, login,
    },
};

async fn started() -> IdentityApp {
    HASHER.scope(cheap(), builder().start()).await
}

/// One try at the password, by the operation of that number.
async fn guess(client: &Client, operation: usize, password: &str) -> TestResponse {
    match operation % 3 {
        0 => {
            let body = json!({ "password": password });
            client.post("/auth/reauthenticate", body).await
        }
        1 => {
            let body =
                json!({ "current_password": password, "new_password": "another good password" });
            client.post("/auth/password/change", body).await
        }
        _ => {
            let request = client.request(http::Method::DELETE, "/auth/me");
            request.json(json!({ "password": password })).await
        }
    }
}

/// Five wrong passwords are free, wherever they are sent to; then the right one gets the answer of a wrong one, and so does a
/// login.
#[tokio::test]
async fn wrong_passwords_count_alike_wherever_they_are_sent_to() {
    let app = started().await;
    for first in 0..3 {
        let role = [Role::Member, Role::Viewer, Role::Admin][first];
        let member = logged_in(&app, Tenant::Acme, role).await;
        for number in 0..5 {
            guess(&member, first + number, "a guess")
                .await
                .assert_problem(401, "invalid_credentials");
        }
        for operation in 0..3 {
            guess(&member, operation, PASSWORD)
                .await
                .assert_problem(401, "invalid_credentials");
        }
        login(&app, &address(Tenant::Acme, role), PASSWORD)
            .await
            .assert_problem(401, "invalid_credentials");
        app.clock.advance(TimeDelta::seconds(2));
        guess(&member, 0, PASSWORD).await.assert_status(200);
        // What was right forgives what was wrong.
        for _ in 0..4 {
            guess(&member, 0, "a guess").await.assert_status(401);
        }
        guess(&member, 1, PASSWORD).await.assert_status(204);
    }
    settled(&app).await;
    let noted = "SELECT count(*) FROM identity.audit_log WHERE result = 'failure' AND target_type = 'user' \
                 AND actor_id = target_id AND action IN ('session.reauthenticated', 'user.password_changed', \
                 'user.deletion_scheduled')";
    assert_eq!(count(&app, noted).await, 3 * (5 + 3 + 4));
}

#[tokio::test]
async fn a_device_of_the_owners_has_a_count_of_its_own() {
    let app = started().await;
    let email = address(Tenant::Acme, Role::Member);
    let answer = login(&app, &email, PASSWORD).await.assert_status(200);
    let device = answer.header("set-cookie").unwrap();
    let device = device.split(';').next().unwrap().to_owned();
    let member = client(&app, &answer.json());
    for _ in 0..6 {
        guess(&member, 0, "a guess").await.assert_status(401);
    }
    guess(&member, 0, PASSWORD).await.assert_status(401);
    let body = json!({ "password": PASSWORD });
    member
        .post("/auth/reauthenticate", body)
        .header("cookie", &device)
        .await
        .assert_status(200);
}

#[tokio::test]
async fn the_owner_is_told_and_a_guest_counts_at_home() {
    let mailbox = Mailbox::new();
    let app = HASHER.scope(cheap(), mailbox.start(builder())).await;
    let (home, entered) = guest_of_globex(&app, "member").await;
    let guest = client(&app, &entered);
    for _ in 0..5 {
        guess(&guest, 0, "a guess").await.assert_status(401);
    }
    guess(&home, 0, PASSWORD).await.assert_status(401);
    let email = address(Tenant::Acme, Role::Member);
    // The invitation came by mail as well.
    let subjects = [
        mailbox.take(&email).await.subject().to_owned(),
        mailbox.take(&email).await.subject().to_owned(),
    ];
    assert!(subjects.contains(&"Many logins to your account failed".to_owned()));
    guess(&guest, 1, PASSWORD)
        .await
        .assert_problem(409, "not_home_tenant");
}
