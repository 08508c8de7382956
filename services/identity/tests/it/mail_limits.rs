//! Mails that nobody asked for are few: for each address, whoever has them sent.

use bz_testkit::{Role, Tenant, TestAppBuilder};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    mailbox::settled,
    support::{
        HASHER, IdentityApp, IdentityUnderTest, PASSWORD, address, builder, cheap, count, invite,
        logged_in,
    },
};

async fn started(builder: TestAppBuilder<IdentityUnderTest>) -> IdentityApp {
    let builder = builder.env("MAIL_LIMIT_PER_ADDRESS", "2");
    HASHER.scope(cheap(), builder.start()).await
}

async fn mails(app: &IdentityApp, template: &str) -> i64 {
    settled(app).await;
    let sql = format!("SELECT count(*) FROM identity.mails WHERE template = '{template}'");
    count(app, &sql).await
}

/// Whether or not the address is known, the answer is the same, and the mailbox does not fill.
#[tokio::test]
async fn registrations_fill_nobodys_mailbox() {
    let app = started(builder().env("REGISTRATION_POLICY", "verified")).await;
    let owner = address(Tenant::Acme, Role::Owner);
    let owner = owner.as_str();
    for email in [
        owner,
        "New@Example.com",
        owner,
        "new@example.com",
        owner,
        "new@example.com",
    ] {
        app.anonymous
            .post(
                "/auth/register",
                json!({ "email": email, "password": PASSWORD }),
            )
            .await
            .assert_status(202);
    }
    assert_eq!(mails(&app, "already_registered").await, 2);
    let verifications = mails(&app, "verify_email").await;
    assert!((1..=2).contains(&verifications), "{verifications}");
    app.clock.advance(TimeDelta::minutes(61));
    app.anonymous
        .post(
            "/auth/register",
            json!({ "email": owner, "password": PASSWORD }),
        )
        .await
        .assert_status(202);
    assert_eq!(mails(&app, "already_registered").await, 3);
}

#[tokio::test]
async fn a_change_of_ones_address_fills_nobodys_mailbox() {
    let app = started(builder()).await;
    let body = json!({ "new_email": address(Tenant::Acme, Role::Owner) });
    for (role, status) in [(Role::Member, 202), (Role::Viewer, 202), (Role::Admin, 429)] {
        let client = logged_in(&app, Tenant::Acme, role).await;
        client
            .post("/auth/email/change", &body)
            .await
            .assert_status(status);
    }
    assert_eq!(mails(&app, "already_registered").await, 2);
}

#[tokio::test]
async fn a_tenant_invites_one_address_a_few_times_an_hour() {
    let app = started(builder()).await;
    let owner = &app.acme.owner;
    let first = invite(owner, "grace@example.com", "member").await;
    let again = format!("/api/invitations/{first}/resend");
    owner.post(&again, json!({})).await.assert_status(200);
    owner
        .post(&again, json!({}))
        .await
        .assert_problem(429, "rate_limited");
    let request = json!({ "email": "Grace@example.com", "roles": ["member"] });
    owner
        .post("/api/invitations", &request)
        .await
        .assert_problem(429, "rate_limited");
    owner
        .post("/api/users", json!({ "email": "grace@example.com" }))
        .await
        .assert_problem(429, "rate_limited");
    // Another tenant's invitations are its own.
    invite(&app.globex.owner, "grace@example.com", "member").await;
    invite(owner, "ada@example.com", "member").await;
    app.clock.advance(TimeDelta::minutes(61));
    let owner = logged_in(&app, Tenant::Acme, Role::Owner).await;
    owner
        .post("/api/invitations", &request)
        .await
        .assert_status(201);
}
