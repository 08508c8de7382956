//! How roles reach tokens.

use bz_testkit::{Role, Tenant};
use serde_json::json;

use crate::{
    roles::role,
    support::{PASSWORD, address, claims, login, refresh, start},
};

#[tokio::test]
async fn a_login_and_a_refresh_carry_the_roles_and_the_permissions_of_the_tenants_own() {
    let app = start().await;
    let owner = &app.acme.owner;
    let sales = role(owner, "Sales", &["leads:read", "leads:write"]).await;
    let support = role(owner, "Support", &["todos:*", "todos:read"]).await;
    let viewer = Tenant::Acme.user(Role::Viewer);
    let path = format!("/api/members/{viewer}/roles");
    let roles = json!({ "roles": ["viewer", sales, support] });
    owner.put(&path, roles).await.assert_status(200);

    let answer = login(&app, &address(Tenant::Acme, Role::Viewer), PASSWORD).await;
    let answer = answer.assert_status(200).json();
    let token = claims(&app, &answer).await;
    assert_eq!(token.roles, ["viewer", "Sales", "Support"]);
    // What the built-in role or another permission includes is not said twice.
    assert_eq!(token.entitlements, ["leads:write", "todos:*"]);
    let client = app
        .anonymous
        .with_token(answer["access_token"].as_str().unwrap());
    let me = client.get("/auth/me").await.assert_status(200).json();
    assert_eq!(me["roles"], json!(["viewer", "Sales", "Support"]));
    assert_eq!(
        me["permissions"],
        json!(["*:read", "leads:write", "todos:*"])
    );

    owner
        .put(&path, json!({ "roles": [sales] }))
        .await
        .assert_status(200);
    let answer = refresh(&app, &answer["refresh_token"]).await;
    let token = claims(&app, &answer.assert_status(200).json()).await;
    assert_eq!(token.roles, ["Sales"]);
    assert_eq!(token.entitlements, ["leads:read", "leads:write"]);
}

/// Pitfall 33: rights are read anew for each token: with every refresh, and for the tenant that the token is for.
#[tokio::test]
async fn who_has_a_changed_role_needs_a_new_access_token_at_once() {
    let app = start().await;
    let owner = &app.acme.owner;
    let sales = role(owner, "Sales", &["leads:write"]).await;
    let viewer = Tenant::Acme.user(Role::Viewer);
    let roles = json!({ "roles": ["viewer", sales] });
    owner
        .put(&format!("/api/members/{viewer}/roles"), roles)
        .await
        .assert_status(200);
    let answer = login(&app, &address(Tenant::Acme, Role::Viewer), PASSWORD).await;
    let answer = answer.assert_status(200).json();
    let before = revocations(&app, viewer).await;
    let change = json!({ "name": "Sales", "permissions": ["todos:write"] });
    owner
        .put(&format!("/api/roles/{sales}"), change)
        .await
        .assert_status(200);
    assert_eq!(revocations(&app, viewer).await, before + 1);
    let answer = refresh(&app, &answer["refresh_token"]).await;
    let token = claims(&app, &answer.assert_status(200).json()).await;
    assert_eq!(token.entitlements, ["todos:write"]);
}

/// How often the access tokens of a user were refused.
pub(crate) async fn revocations(app: &crate::support::IdentityApp, user: bz_kernel::UserId) -> i64 {
    let count = "SELECT count(*) FROM identity.revocations WHERE kind = 'user' AND subject = $1";
    sqlx::query_scalar(count)
        .bind(user.as_uuid())
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap()
}
