use bz_tenant::TenantScope;
use bz_testkit::Tenant;
use chrono::TimeDelta;

use crate::support::{IdentityApp, refresh, register, start};

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
