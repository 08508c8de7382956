use bz_testkit::Tenant;
use serde_json::json;

use crate::support::start;

#[tokio::test]
async fn everybody_sees_their_own_tenant_and_no_other() {
    let app = start().await;
    let path = |tenant: Tenant| format!("/api/tenants/{}", tenant.id());
    let own = app
        .acme
        .viewer
        .get(&path(Tenant::Acme))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        own,
        json!({
            "id": Tenant::Acme.id(), "slug": "acme", "name": "Acme", "status": "active",
            "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z",
        })
    );
    let foreign = app
        .acme
        .owner
        .get(&path(Tenant::Globex))
        .await
        .assert_problem(404, "not_found")
        .json();
    let missing = app
        .acme
        .owner
        .get(&format!("/api/tenants/{}", uuid::Uuid::max()));
    let missing = missing.await.assert_problem(404, "not_found").json();
    assert_eq!(foreign["detail"], missing["detail"]);
    app.acme
        .owner
        .get("/api/tenants/acme")
        .await
        .assert_problem(404, "not_found");
    app.anonymous
        .get(&path(Tenant::Acme))
        .await
        .assert_problem(401, "unauthenticated");
    let without_role = app
        .anonymous
        .with_token(app.tokens.without_role(Tenant::Acme));
    without_role
        .get(&path(Tenant::Acme))
        .await
        .assert_problem(403, "forbidden");
}
