//! Deliveries that ended long ago.

use bz_testkit::{NOW, Receiver, Tenant};
use chrono::TimeDelta;
use sqlx::query_scalar;
use uuid::Uuid;

use crate::webhook_delivery::{hook, start};

/// Pitfall 65: deliveries that ended go after a month, in batches; what is pending stays.
#[tokio::test]
async fn old_deliveries_go_and_what_is_due_uses_an_index() {
    let app = start().await;
    let receiver = Receiver::answering(200).await;
    let webhook = hook(&app.acme.owner, &receiver, &["*"]).await;
    let mut admin = app.database.admin().await;
    let fill = "INSERT INTO identity.webhook_deliveries \
                  (tenant_id, id, webhook_id, event_id, kind, event_at, data, status, next_attempt_at, created_at, finished_at) \
                SELECT $1, gen_random_uuid(), $2, gen_random_uuid(), 'x', $3, '{}', \
                  CASE WHEN n % 500 = 0 THEN 'pending' ELSE 'delivered' END, CASE WHEN n % 500 = 0 THEN $3 END, $3, \
                  CASE WHEN n % 500 > 0 THEN $3 END \
                FROM generate_series(1, 5000) AS n";
    sqlx::query(fill)
        .bind(Tenant::Acme.id().as_uuid())
        .bind(webhook["id"].as_str().unwrap().parse::<Uuid>().unwrap())
        .bind(NOW - TimeDelta::days(40))
        .execute(&mut admin)
        .await
        .unwrap();
    sqlx::query("ANALYZE identity.webhook_deliveries")
        .execute(&mut admin)
        .await
        .unwrap();
    let mut tx = app.db().tenant(&Tenant::Acme.scope()).await.unwrap();
    for (query, index) in [
        (
            "status = 'pending' AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT 4",
            "webhook_deliveries_due_idx",
        ),
        (
            "webhook_id = '00000000-0000-7000-8000-000000000000' ORDER BY id DESC LIMIT 21",
            "webhook_deliveries_webhook_idx",
        ),
    ] {
        let sql = format!("EXPLAIN SELECT * FROM identity.webhook_deliveries WHERE {query}");
        let plan: Vec<String> = query_scalar(&sql).fetch_all(tx.conn()).await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{plan}");
    }
    let mut purged = Vec::new();
    for _ in 0..4 {
        let mut tx = app.db().system().await.unwrap();
        let sql = "SELECT identity.purge_webhook_deliveries($1, 2000)";
        let gone: i64 = query_scalar(sql)
            .bind(NOW - TimeDelta::days(30))
            .fetch_one(tx.conn())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        purged.push(gone);
    }
    assert_eq!(purged, [2000, 2000, 990, 0]);
}
