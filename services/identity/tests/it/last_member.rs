//! What goes with somebody who deletes their account: what other tenants have of a guest, and a tenant without anybody left.

use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use identity::{erase_deleted_accounts, erase_deleted_tenants};
use serde_json::{Value, json};

use crate::support::{
    IdentityApp, PASSWORD, address, client, count, guest_of_globex, logged_in, login, register,
    start,
};

async fn delete_account(client: &bz_testkit::Client) {
    let request = client.request(http::Method::DELETE, "/auth/me");
    request
        .json(json!({ "password": PASSWORD }))
        .await
        .assert_status(202);
}

async fn erase_accounts(app: &IdentityApp) -> i64 {
    erase_deleted_accounts(&app.core).await.unwrap()
}

#[tokio::test]
async fn a_tenant_whose_last_member_goes_is_deleted_and_erased_later() {
    let app = start().await;
    let session = register(&app, "ada@example.com").await;
    let tenant = session["tenant"]["id"].as_str().unwrap().to_owned();
    delete_account(&client(&app, &session)).await;
    assert_eq!(erase_accounts(&app).await, 0, "there is a time of grace");
    let deleted = async || {
        let sql = format!(
            "SELECT count(*) FROM identity.tenants WHERE tenant_id = '{tenant}' AND status = 'deleted'"
        );
        count(&app, &sql).await
    };
    app.clock.advance(TimeDelta::days(30));
    assert_eq!(deleted().await, 0);
    assert_eq!(erase_accounts(&app).await, 1);
    assert_eq!(deleted().await, 1);
    let told = format!(
        "SELECT count(*) FROM identity.events WHERE tenant_id = '{tenant}' \
         AND kind IN ('user.deleted', 'tenant.deletion_scheduled')"
    );
    assert_eq!(count(&app, &told).await, 2);
    assert_eq!(erase_accounts(&app).await, 0);
    assert_eq!(count(&app, &told).await, 2, "told once");
    app.clock.advance(TimeDelta::days(31));
    let erased = erase_deleted_tenants(app.core.clone()).await.unwrap();
    assert_eq!(erased, 1);
    let left = format!("SELECT count(*) FROM identity.tenants WHERE tenant_id = '{tenant}'");
    assert_eq!(count(&app, &left).await, 0);
    // The address is free again.
    register(&app, "ada@example.com").await;
}

#[tokio::test]
async fn a_tenant_in_which_somebody_is_left_stays() {
    let app = start().await;
    delete_account(&logged_in(&app, Tenant::Acme, Role::Member).await).await;
    app.clock.advance(TimeDelta::days(31));
    assert_eq!(erase_accounts(&app).await, 1);
    let living = "SELECT count(*) FROM identity.tenants WHERE slug = 'acme' AND status = 'active'";
    assert_eq!(count(&app, living).await, 1);
    login(&app, &address(Tenant::Acme, Role::Owner), PASSWORD)
        .await
        .assert_status(200);
}

/// Rows of a person in any tenant: name and address stand in them.
async fn rows_of(app: &IdentityApp, user: impl std::fmt::Display) -> i64 {
    let users = format!("SELECT count(*) FROM identity.users WHERE id = '{user}'");
    let notes = format!("SELECT count(*) FROM identity.guest_memberships WHERE user_id = '{user}'");
    count(app, &users).await + count(app, &notes).await
}

#[tokio::test]
async fn a_deleted_person_is_nobodys_guest() {
    let app = start().await;
    let (home, _) = guest_of_globex(&app, "member").await;
    let member = Tenant::Acme.user(Role::Member);
    assert_eq!(rows_of(&app, member).await, 3);
    delete_account(&home).await;
    app.clock.advance(TimeDelta::days(31));
    assert_eq!(erase_accounts(&app).await, 1);
    assert_eq!(rows_of(&app, member).await, 0);
    let told = format!(
        "SELECT count(*) FROM identity.events WHERE tenant_id = '{}' AND kind = 'member.removed' \
         AND data->>'user_id' = '{member}'",
        Tenant::Globex.id()
    );
    assert_eq!(count(&app, &told).await, 1);
}

#[tokio::test]
async fn nor_is_one_whom_an_administrator_deletes() {
    let app = start().await;
    guest_of_globex(&app, "member").await;
    let member = Tenant::Acme.user(Role::Member);
    let path = format!("/api/users/{member}");
    app.acme.owner.delete(&path).await.assert_status(204);
    assert_eq!(rows_of(&app, member).await, 0);
}

#[tokio::test]
async fn an_export_names_where_one_is_a_guest_and_what_one_has_set_up() {
    let app = start().await;
    let (home, entered) = guest_of_globex(&app, "viewer").await;
    let export = home.get("/auth/me/export").await.assert_status(200).json();
    let place = &export["guest_in"][0];
    assert_eq!(place["tenant_id"], Tenant::Globex.id().to_string());
    assert_eq!(
        (&place["tenant_slug"], &place["role"]),
        (&json!("globex"), &json!("viewer"))
    );
    assert_eq!(export["passkeys"], json!([]));
    assert_eq!(export["consents"], json!([]));
    let owner = logged_in(&app, Tenant::Acme, Role::Owner).await;
    let body = json!({ "name": "Nightly", "scopes": ["leads:read"] });
    let made = owner.post("/api/api-keys", body).await;
    let made = made.assert_status(201).json();
    let export = owner.get("/auth/me/export").await.assert_status(200);
    assert!(!export.text().contains(made["key"].as_str().unwrap()));
    assert_eq!(export.json()["api_keys"][0]["name"], "Nightly");
    let there = client(&app, &entered).get("/auth/me/export").await;
    let there: Value = there.assert_status(200).json();
    assert_eq!(there["memberships"][0]["tenant_slug"], "globex");
    assert_eq!(there["guest_in"], json!([]));
}
