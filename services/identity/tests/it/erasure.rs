//! Deleting a tenant, restoring it, and the end of its rows.

use bz_testkit::{Role, Tenant};
use chrono::TimeDelta;
use identity::{erase_deleted_tenants, restore_tenant};
use serde_json::json;

use crate::support::{
    IdentityApp, PASSWORD, accept, address, count, execute, guest_of_globex, invite, logged_in,
    login, refresh, start, switch, token_of,
};

async fn delete(
    client: &bz_testkit::Client,
    tenant: Tenant,
    slug: &str,
) -> bz_testkit::TestResponse {
    let path = format!("/api/tenants/{}", tenant.id());
    client
        .request(http::Method::DELETE, &path)
        .json(json!({ "slug": slug }))
        .await
}

/// Rows of a tenant by table, in every table with a tenant.
async fn rows(app: &IdentityApp, tenant: Tenant) -> Vec<(String, i64)> {
    let mut admin = app.database.admin().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' \
         WHERE n.nspname = 'identity' AND c.relkind IN ('r', 'p') ORDER BY 1",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT count(*) FROM identity.{table} WHERE tenant_id = '{}'",
            tenant.id()
        );
        rows.push((
            table,
            sqlx::query_scalar(&sql)
                .fetch_one(&mut admin)
                .await
                .unwrap(),
        ));
    }
    rows
}

#[tokio::test]
async fn a_deleted_tenant_lets_nobody_in_and_answers_like_an_unknown_one() {
    let app = start().await;
    let member = login(&app, &address(Tenant::Acme, Role::Member), PASSWORD)
        .await
        .json();
    let (_, guest) = guest_of_globex(&app, "member").await;
    let owner = logged_in(&app, Tenant::Acme, Role::Owner).await;
    let deleted = delete(&owner, Tenant::Acme, "acme")
        .await
        .assert_status(202)
        .json();
    assert_eq!(
        deleted,
        json!({ "id": Tenant::Acme.id(), "status": "deleted", "restorable_until": "2026-04-01T09:00:00Z" })
    );
    let bare = async |answer: bz_testkit::TestResponse| {
        let mut answer = answer.assert_problem(401, "invalid_credentials").json();
        answer.as_object_mut().unwrap().remove("request_id");
        answer
    };
    let gone = bare(login(&app, &address(Tenant::Acme, Role::Member), PASSWORD).await).await;
    assert_eq!(
        gone,
        bare(login(&app, "nobody@nowhere.test", PASSWORD).await).await
    );
    refresh(&app, &member["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    // Its people are nobody's guests meanwhile.
    refresh(&app, &guest["refresh_token"])
        .await
        .assert_problem(401, "session_revoked");
    let refused = format!(
        "SELECT count(*) FROM identity.revocations WHERE kind = 'tenant' AND subject = '{0}' AND tenant_id = '{0}'",
        Tenant::Acme.id()
    );
    assert_eq!(count(&app, &refused).await, 1);
    let me = owner.get("/auth/me").await;
    assert_eq!(me.status, 401, "{}", me.describe());
    let own = owner
        .get(&format!("/api/tenants/{}", Tenant::Acme.id()))
        .await;
    assert!(own.status == 404 || own.status == 401, "{}", own.describe());
    let living = format!(
        "SELECT count(*) FROM identity.sessions WHERE tenant_id = '{}' AND revoked_reason IS DISTINCT FROM 'tenant_deleted'",
        Tenant::Acme.id()
    );
    assert_eq!(count(&app, &living).await, 0);
    login(&app, &address(Tenant::Globex, Role::Member), PASSWORD)
        .await
        .assert_status(200);
}

#[tokio::test]
async fn only_an_owner_who_logged_in_just_now_and_types_the_slug_deletes_a_tenant() {
    let app = start().await;
    let admin = logged_in(&app, Tenant::Acme, Role::Admin).await;
    delete(&admin, Tenant::Acme, "acme")
        .await
        .assert_problem(403, "forbidden");
    delete(&app.acme.member, Tenant::Acme, "acme")
        .await
        .assert_problem(403, "forbidden");
    delete(&app.globex.owner, Tenant::Acme, "acme")
        .await
        .assert_problem(404, "not_found");
    let owner = logged_in(&app, Tenant::Acme, Role::Owner).await;
    delete(&owner, Tenant::Acme, "globex")
        .await
        .assert_problem(422, "validation_failed");
    let path = format!("/api/tenants/{}", Tenant::Acme.id());
    let bad = owner
        .request(http::Method::DELETE, &path)
        .json(json!({}))
        .await;
    bad.assert_problem(422, "validation_failed");
    let stale = owner
        .request(http::Method::DELETE, &path)
        .json(json!({ "slug": "acme" }))
        .header("if-match", "\"9\"");
    stale.await.assert_problem(412, "precondition_failed");
    app.clock.advance(TimeDelta::minutes(6));
    delete(&owner, Tenant::Acme, "acme")
        .await
        .assert_problem(401, "reauthentication_required");
    assert_eq!(
        count(
            &app,
            "SELECT count(*) FROM identity.tenants WHERE status = 'deleted'"
        )
        .await,
        0
    );
}

#[tokio::test]
async fn the_operator_restores_a_deleted_tenant_and_people_log_in_again() {
    let app = start().await;
    let owner = logged_in(&app, Tenant::Acme, Role::Owner).await;
    delete(&owner, Tenant::Acme, "acme")
        .await
        .assert_status(202);
    let restore = async |slug: &str| {
        restore_tenant(app.db(), &app.core.sources, slug)
            .await
            .unwrap()
    };
    assert!(!restore("nowhere").await && !restore("globex").await);
    assert!(restore("acme").await);
    assert!(!restore("acme").await);
    login(&app, &address(Tenant::Acme, Role::Owner), PASSWORD)
        .await
        .assert_status(200);
    app.clock.advance(TimeDelta::days(40));
    assert_eq!(erase_deleted_tenants(app.core.clone()).await.unwrap(), 0);
}

/// Pitfall 28: the job works in the service's own role, tenant by tenant.
#[tokio::test]
async fn a_month_later_its_rows_go_and_its_siblings_are_told_and_nobody_elses_change() {
    let app = start().await;
    // A guest there from here, and one here from there.
    guest_of_globex(&app, "member").await;
    let home = logged_in(&app, Tenant::Globex, Role::Viewer).await;
    let id = invite(
        &app.acme.owner,
        &address(Tenant::Globex, Role::Viewer),
        "member",
    )
    .await;
    accept(&home, &token_of(&app, Tenant::Acme, id).await)
        .await
        .assert_status(200);
    invite(&app.acme.owner, "open@example.com", "member").await;
    let owner = logged_in(&app, Tenant::Acme, Role::Owner).await;
    delete(&owner, Tenant::Acme, "acme")
        .await
        .assert_status(202);

    let erase = async || erase_deleted_tenants(app.core.clone()).await.unwrap();
    app.clock
        .advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    assert_eq!(erase().await, 0);
    app.clock.advance(TimeDelta::seconds(2));
    let before = rows(&app, Tenant::Globex).await;
    assert_eq!(erase().await, 1);
    assert_eq!(erase().await, 0);
    for (table, left) in rows(&app, Tenant::Acme).await {
        // What happened is told for as long as everything else is.
        assert!(table == "events" || left == 0, "{table} has {left} rows");
    }
    let told = format!(
        "SELECT count(*) FROM identity.events WHERE kind = 'tenant.deleted' AND tenant_id = '{}'",
        Tenant::Acme.id()
    );
    assert_eq!(count(&app, &told).await, 1);
    assert_eq!(
        count(
            &app,
            "SELECT count(*) FROM identity.users WHERE home_tenant_id IS NOT NULL"
        )
        .await,
        0
    );
    assert_eq!(
        count(&app, "SELECT count(*) FROM identity.guest_memberships").await,
        0
    );
    let guests = [
        "guest_memberships",
        "memberships",
        "refresh_tokens",
        "sessions",
        "users",
    ];
    for ((table, had), (_, has)) in before.into_iter().zip(rows(&app, Tenant::Globex).await) {
        assert!(
            had == has || guests.contains(&&*table),
            "{table}: {had} before, {has} now"
        );
    }
    login(&app, &address(Tenant::Globex, Role::Viewer), PASSWORD)
        .await
        .assert_status(200);
    switch(&home, "acme").await;
    // The slug and the address are free again.
    let made = home.post("/api/tenants", json!({ "name": "Acme" })).await;
    assert!(
        made.status == 201 || made.status == 401,
        "{}",
        made.describe()
    );
    assert_eq!(
        count(
            &app,
            "SELECT count(*) FROM identity.login_homes WHERE email LIKE '%@acme.test'"
        )
        .await,
        0
    );
}

#[tokio::test]
async fn the_audit_log_of_a_living_tenant_is_not_erased() {
    let app = start().await;
    invite(&app.acme.owner, "open@example.com", "member").await;
    let mut tx = app.db().tenant(&Tenant::Acme.scope()).await.unwrap();
    let erased: i64 = sqlx::query_scalar("SELECT identity.erase_audit_log(100)")
        .fetch_one(tx.conn())
        .await
        .unwrap();
    let forgotten: i64 = sqlx::query_scalar("SELECT identity.forget_guests()")
        .fetch_one(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!((erased, forgotten), (0, 0));
    execute(
        &app,
        "UPDATE identity.tenants SET status = 'deleted', deleted_at = now() WHERE slug = 'acme'",
    )
    .await;
    let mut tx = app.db().tenant(&Tenant::Acme.scope()).await.unwrap();
    let erased: i64 = sqlx::query_scalar("SELECT identity.erase_audit_log(100)")
        .fetch_one(tx.conn())
        .await
        .unwrap();
    assert_eq!(erased, 0);
}
