use bz_tenant::TenantScope;
use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use identity::{purge_ceremonies, purge_invitations};
use serde_json::json;

use crate::{
    mfa::with_app,
    support::{
        IdentityApp, PASSWORD, address, count, guest_of_globex, invite, login, refresh, register,
        start,
    },
};

async fn purge(app: &IdentityApp, batch: i32) -> i64 {
    let mut tx = app.db().system().await.unwrap();
    let before = app.core.sources.now() - TimeDelta::days(7);
    let deleted = sqlx::query_scalar("SELECT identity.purge_expired($1, $2)")
        .bind(before)
        .bind(batch)
        .fetch_one(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    deleted
}

#[tokio::test]
async fn ended_sessions_of_all_tenants_go_in_batches_and_living_ones_stay() {
    let app = start().await;
    for n in 0..3 {
        register(&app, &format!("old{n}@example.com")).await;
    }
    assert_eq!(purge(&app, 100).await, 0);
    app.clock.advance(TimeDelta::days(36));
    let young = register(&app, "young@example.com").await["refresh_token"].clone();
    assert_eq!(
        purge(&app, 100).await,
        3,
        "tokens ended three weeks ago, sessions a week less a day"
    );
    app.clock.advance(TimeDelta::days(2));
    assert_eq!(
        (
            purge(&app, 2).await,
            purge(&app, 2).await,
            purge(&app, 2).await
        ),
        (2, 1, 0)
    );
    refresh(&app, &young).await.assert_status(200);
}

#[tokio::test]
async fn closed_invitations_go_after_a_while_and_open_ones_stay() {
    let app = start().await;
    let owner = &app.acme.owner;
    let withdrawn = invite(owner, "withdrawn@example.com", "member").await;
    owner
        .delete(&format!("/api/invitations/{withdrawn}"))
        .await
        .assert_status(204);
    invite(owner, "too-late@example.com", "member").await;
    guest_of_globex(&app, "member").await;
    app.clock.advance(TimeDelta::days(90));
    let left = "SELECT count(*) FROM identity.invitations";
    assert_eq!(purge_invitations(app.core.clone()).await.unwrap(), 0);
    app.clock.advance(TimeDelta::hours(1));
    let fresh = app
        .anonymous
        .with_token(app.tokens.user(Tenant::Acme, Role::Owner));
    invite(&fresh, "waiting@example.com", "member").await;
    assert_eq!(
        purge_invitations(app.core.clone()).await.unwrap(),
        2,
        "of the withdrawn and the accepted one; the third ended a week later"
    );
    app.clock.advance(TimeDelta::days(6));
    assert_eq!(purge_invitations(app.core.clone()).await.unwrap(), 0);
    app.clock.advance(TimeDelta::days(1));
    assert_eq!(purge_invitations(app.core.clone()).await.unwrap(), 1);
    assert_eq!(count(&app, left).await, 1);
}

#[tokio::test]
async fn what_logins_that_were_given_up_leave_behind_goes_after_a_day() {
    let app = start().await;
    with_app(&app).await;
    let viewer = &app.acme.viewer;
    viewer
        .post("/auth/passkeys/register/options", json!({}))
        .await
        .assert_status(200);
    let email = address(Tenant::Acme, Role::Member);
    let challenge = login(&app, &email, PASSWORD).await.json()["mfa_token"].clone();
    let wrong = json!({ "mfa_token": challenge, "method": "totp", "code": "000000" });
    app.anonymous
        .post("/auth/mfa/verify", wrong)
        .await
        .assert_status(401);
    let left = async || {
        let mut left = 0;
        for table in ["mfa_challenges", "mfa_failures", "passkey_registrations"] {
            left += count(&app, &format!("SELECT count(*) FROM identity.{table}")).await;
        }
        left
    };
    assert_eq!(left().await, 3);
    app.clock.advance(TimeDelta::hours(23));
    assert_eq!(purge_ceremonies(app.core.clone()).await.unwrap(), 0);
    app.clock.advance(TimeDelta::hours(2));
    assert_eq!(purge_ceremonies(app.core.clone()).await.unwrap(), 1);
    assert_eq!(left().await, 0);
}

#[tokio::test]
async fn the_role_of_the_service_cannot_list_the_directories() {
    let app = start().await;
    let mut tx = app
        .db()
        .tenant(&TenantScope::new(Tenant::Acme.id(), None))
        .await
        .unwrap();
    let refused = sqlx::query("SELECT * FROM identity.login_homes")
        .fetch_all(tx.conn())
        .await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("permission denied")
    );
    let mut tx = app
        .db()
        .tenant(&TenantScope::new(Tenant::Acme.id(), None))
        .await
        .unwrap();
    let refused = sqlx::query("SELECT * FROM identity.tenant_slugs")
        .fetch_all(tx.conn())
        .await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("permission denied")
    );
}
