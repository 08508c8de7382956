//! What follows from another name or address that a directory, or an administrator, gives somebody.

use bz_testkit::{Role, Tenant};
use serde_json::{Value, json};

use crate::{
    scim::{USERS, directory, patch},
    support::{IdentityApp, PASSWORD, address, guest_of_globex, login, register, start},
};

/// Gives acme's member another address.
async fn moved(app: &IdentityApp, email: &str) {
    let path = format!("{USERS}/{}", Tenant::Acme.user(Role::Member));
    let value = json!({ "displayName": "Countess", "emails": [{ "value": email }] });
    let operations = json!([{ "op": "replace", "value": value }]);
    patch(&directory(app), &path, operations)
        .await
        .assert_status(200);
}

async fn at_globex(app: &IdentityApp) -> Value {
    let path = format!("/api/members/{}", Tenant::Acme.user(Role::Member));
    app.globex.owner.get(&path).await.assert_status(200).json()
}

#[tokio::test]
async fn a_new_name_and_address_reach_the_tenants_where_the_user_is_a_guest() {
    let app = start().await;
    guest_of_globex(&app, "member").await;
    moved(&app, "countess@acme.test").await;
    let guest = at_globex(&app).await;
    assert_eq!(guest["email"], "countess@acme.test");
    assert_eq!(guest["name"], "Countess");

    let path = format!("/api/users/{}", Tenant::Acme.user(Role::Member));
    let rename = app.acme.owner.patch(&path, json!({ "name": "Ada" }));
    rename.await.assert_status(200);
    assert_eq!(at_globex(&app).await["name"], "Ada");
}

#[tokio::test]
async fn an_address_that_somebody_lost_to_another_one_can_be_registered_by_whoever_has_it_now() {
    let app = start().await;
    let old = address(Tenant::Acme, Role::Member);
    moved(&app, "countess@acme.test").await;
    let entered = login(&app, "countess@acme.test", PASSWORD).await;
    assert_eq!(entered.assert_status(200).json()["tenant"]["slug"], "acme");
    login(&app, &old, PASSWORD)
        .await
        .assert_problem(401, "invalid_credentials");
    let newcomer = register(&app, &old).await;
    assert_ne!(newcomer["tenant"]["slug"], "acme");
    let entered = login(&app, &old, PASSWORD).await.assert_status(200).json();
    assert_eq!(entered["tenant"], newcomer["tenant"]);
}
