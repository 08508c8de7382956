//! The audit log: what is written, and how it is read.

use bz_service::Core;
use bz_testkit::{Role, Tenant};
use serde_json::{Value, json};
use sqlx::query_scalar;

use crate::support::{IdentityApp, register, start};

/// Appends an entry as the service does.
pub(crate) async fn append(core: &Core, tenant: Tenant, action: &str, changes: &Value) {
    let mut tx = core.db.tenant(&tenant.scope()).await.unwrap();
    let sql = "SELECT identity.audit_append($1, $2, 'user', $3, NULL, $4, 'user', $3, '192.0.2.1', $5, 'r-1', 'success', $6)";
    sqlx::query(sql)
        .bind(core.sources.id::<uuid::Uuid>())
        .bind(core.sources.now())
        .bind(tenant.user(Role::Owner).as_uuid())
        .bind(action)
        .bind("curl/8 \"quoted\" \\ back")
        .bind(changes.to_string())
        .execute(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn list(app: &IdentityApp, query: &str) -> Value {
    let path = format!("/api/audit-log{query}");
    app.acme.owner.get(&path).await.assert_status(200).json()
}

fn actions(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn registering_and_logging_out_are_entries_of_the_new_tenant() {
    let app = start().await;
    let tokens = register(&app, "ada@example.com").await;
    let ada = app
        .anonymous
        .with_token(tokens["access_token"].as_str().unwrap());
    let page = ada.get("/api/audit-log").await.assert_status(200).json();
    assert!(actions(&page).ends_with(&["user.registered", "tenant.created"]));
    let registered = page["items"].as_array().unwrap().iter();
    let registered = registered
        .clone()
        .find(|item| item["action"] == "user.registered");
    let registered = registered.unwrap();
    assert_eq!(registered["actor"]["id"], tokens["user"]["id"]);
    assert_eq!(
        registered["target"],
        json!({ "type": "user", "id": tokens["user"]["id"] })
    );
    assert_eq!(registered["at"], "2026-03-02T09:00:00.000000Z");
    assert_eq!(registered["changes"], json!({ "role": "owner" }));
    assert_eq!(registered["tenant_id"], tokens["tenant"]["id"]);
    assert_eq!(registered["result"], "success");
    assert!(registered["request_id"].is_string());

    for _ in 0..2 {
        ada.request(http::Method::POST, "/auth/logout")
            .header("user-agent", "the test")
            .await
            .assert_status(204);
    }
    let mut admin = app.database.admin().await;
    let ended: Vec<(String, Value)> = sqlx::query_as(
        "SELECT user_agent, changes::jsonb FROM identity.audit_log WHERE action = 'session.logout'",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert_eq!(
        ended,
        [(
            "the test".to_owned(),
            json!({ "scope": "session", "ended": 1 })
        )]
    );
}

#[tokio::test]
async fn the_list_is_newest_first_in_pages_and_by_every_filter() {
    let app = start().await;
    for n in 0..5 {
        append(
            &app.core,
            Tenant::Acme,
            &format!("test.{n}"),
            &json!({ "n": n }),
        )
        .await;
        app.clock.advance(chrono::TimeDelta::minutes(1));
    }
    append(&app.core, Tenant::Globex, "test.foreign", &json!({})).await;

    let first = list(&app, "?limit=2").await;
    assert_eq!(actions(&first), ["test.4", "test.3"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = list(&app, &format!("?limit=2&cursor={cursor}")).await;
    assert_eq!(actions(&second), ["test.2", "test.1"]);
    let other_list = format!("/api/audit-log?action=test.1&cursor={cursor}");
    let refused = app.acme.owner.get(&other_list).await;
    refused.assert_problem(422, "validation_failed");

    assert_eq!(actions(&list(&app, "?action=test.3").await), ["test.3"]);
    let owner = Tenant::Acme.user(Role::Owner);
    for key in ["actor", "target"] {
        assert_eq!(
            actions(&list(&app, &format!("?{key}={owner}")).await).len(),
            5
        );
        let nobody = list(&app, &format!("?{key}={}", uuid::Uuid::max())).await;
        assert_eq!(nobody, json!({ "items": [], "next_cursor": null }));
    }
    let minutes = list(&app, "?from=2026-03-02T09:01:00Z&to=2026-03-02T09:03:00Z").await;
    assert_eq!(actions(&minutes), ["test.2", "test.1"]);
}

#[tokio::test]
async fn the_audit_log_is_for_those_who_may_manage_the_tenant() {
    let app = start().await;
    append(&app.core, Tenant::Acme, "test.one", &json!({})).await;
    for path in [
        "/api/audit-log",
        "/api/audit-log/verify",
        "/api/audit-log/export",
    ] {
        app.acme.admin.get(path).await.assert_status(200);
        for client in [&app.acme.member, &app.acme.viewer] {
            client.get(path).await.assert_problem(403, "forbidden");
        }
        let anonymous = app.anonymous.get(path).await;
        anonymous.assert_problem(401, "unauthenticated");
    }
    let foreign = app.globex.owner.get("/api/audit-log").await.json();
    assert!(!actions(&foreign).contains(&"test.one"));
    for bad in [
        "?actor=x",
        "?from=yesterday",
        "?limit=0",
        "?limit=101",
        "?cursor=x",
        "?who=me",
    ] {
        let path = format!("/api/audit-log{bad}");
        let answer = app.acme.owner.get(&path).await;
        answer.assert_problem(422, "validation_failed");
    }
    let bad = app.acme.owner.get("/api/audit-log/verify?after=-1").await;
    bad.assert_problem(422, "validation_failed");
}

/// Pitfall 65: what the list asks of a log that has grown is answered from an index, in the order of the answer.
#[tokio::test]
async fn every_filter_of_the_list_uses_an_index() {
    let app = start().await;
    let mut admin = app.database.admin().await;
    let fill = "INSERT INTO identity.audit_log \
                SELECT t, n, gen_random_uuid(), now() + n * interval '1 second', 'user', md5((n % 500)::text)::uuid, NULL, \
                  'test.' || n % 500, 'user', md5((n % 700)::text)::uuid, NULL, NULL, NULL, 'success', '{}', \
                  sha256(''), sha256('') \
                FROM unnest($1::uuid[]) AS t, generate_series(1, 20000) AS n";
    sqlx::query(fill)
        .bind([app.acme.id().as_uuid(), app.globex.id().as_uuid()].as_slice())
        .execute(&mut admin)
        .await
        .unwrap();
    sqlx::query("ANALYZE identity.audit_log")
        .execute(&mut admin)
        .await
        .unwrap();
    let id = "'00000000-0000-7000-8000-000000000000'";
    for (filter, index) in [
        (String::new(), "audit_log_pkey"),
        (" AND seq < 9000".to_owned(), "audit_log_pkey"),
        (format!(" AND actor_id = {id}"), "audit_log_actor_idx"),
        (format!(" AND target_id = {id}"), "audit_log_target_idx"),
        (" AND action = 'test.7'".to_owned(), "audit_log_action_idx"),
        (
            " AND at >= '2001-01-01' AND at < '2001-01-02'".to_owned(),
            "audit_log_at_idx",
        ),
    ] {
        let mut tx = app.db().tenant(&Tenant::Acme.scope()).await.unwrap();
        let sql = format!(
            "EXPLAIN SELECT * FROM identity.audit_log WHERE true{filter} ORDER BY seq DESC LIMIT 21"
        );
        let plan: Vec<String> = query_scalar(&sql).fetch_all(tx.conn()).await.unwrap();
        let plan = plan.join("\n");
        assert!(
            plan.contains(index) && !plan.contains("Seq Scan"),
            "{filter}\n{plan}"
        );
    }
}
