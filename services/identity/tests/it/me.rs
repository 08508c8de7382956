use bz_kernel::UserId;
use bz_testkit::{Role, Tenant};
use serde_json::{Value, json};

use crate::support::{PASSWORD, address, login, start};

#[tokio::test]
async fn me_is_the_user_of_the_token_with_the_names_that_old_clients_know() {
    let app = start().await;
    let answer = login(&app, &address(Tenant::Acme, Role::Member), PASSWORD)
        .await
        .assert_status(200)
        .json();
    let me = app
        .anonymous
        .with_token(answer["access_token"].as_str().unwrap())
        .get("/auth/me")
        .await
        .assert_status(200);
    assert_eq!(
        me.json(),
        json!({
            "id": Tenant::Acme.user(Role::Member),
            "email": "member@acme.test",
            "email_verified": false,
            "name": Value::Null,
            "locale": Value::Null,
            "picture": Value::Null,
            "is_active": true,
            "is_verified": false,
            "is_superuser": false,
            "created_at": "2026-03-02T09:00:00Z",
            "tenant": { "id": Tenant::Acme.id(), "slug": "acme", "name": "Acme" },
            "home_tenant_id": Tenant::Acme.id(),
            "roles": ["member"],
            "permissions": ["*:read", "*:write"],
            "mfa": { "enabled": false, "methods": [] },
            "session": {
                "id": answer["session_id"], "auth_time": "2026-03-02T09:00:00Z", "acr": "aal1", "amr": ["pwd"],
            },
        })
    );
}

#[tokio::test]
async fn each_role_sees_its_permissions() {
    let app = start().await;
    let permissions = async |client: &bz_testkit::Client| {
        client.get("/auth/me").await.json()["permissions"].clone()
    };
    assert_eq!(
        permissions(&app.acme.owner).await,
        json!(["*:*", "*:read", "*:write"])
    );
    assert_eq!(
        permissions(&app.acme.admin).await,
        json!(["*:*", "*:read", "*:write"])
    );
    assert_eq!(permissions(&app.acme.viewer).await, json!(["*:read"]));
}

#[tokio::test]
async fn a_token_whose_user_is_gone_or_disabled_is_no_longer_somebodys() {
    let app = start().await;
    let nobody = app.tokens.user_claims(
        Tenant::Acme,
        UserId::from_uuid(uuid::Uuid::nil()),
        &["owner"],
    );
    let nobody = app.anonymous.with_token(app.tokens.sign(&nobody));
    nobody
        .get("/auth/me")
        .await
        .assert_problem(401, "unauthenticated");
    // A user of acme does not exist in globex, whatever the token's roles say.
    let stranger =
        app.tokens
            .user_claims(Tenant::Globex, Tenant::Acme.user(Role::Owner), &["owner"]);
    let stranger = app.anonymous.with_token(app.tokens.sign(&stranger));
    stranger
        .get("/auth/me")
        .await
        .assert_problem(401, "unauthenticated");

    app.acme.viewer.get("/auth/me").await.assert_status(200);
    let disable = "UPDATE identity.users SET status = 'disabled' WHERE email = 'viewer@acme.test'";
    sqlx::query(disable)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    let answer = app
        .acme
        .viewer
        .get("/auth/me")
        .await
        .assert_problem(401, "unauthenticated");
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer error=\"invalid_token\"")
    );
}
