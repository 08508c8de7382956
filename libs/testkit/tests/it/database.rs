//! A fresh database for every test.

use bz_testkit::{Tenant, TestDb};
use sqlx::PgConnection;

async fn exists(admin: &mut PgConnection, database: &str) -> bool {
    let sql = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    sqlx::query_scalar(sql)
        .bind(database)
        .fetch_one(admin)
        .await
        .unwrap()
}

#[tokio::test]
async fn databases_made_at_once_are_different_and_whole() {
    let made: Vec<_> = (0..8).map(|_| tokio::spawn(TestDb::new())).collect();
    let mut names = Vec::new();
    for making in made {
        let database = making.await.unwrap();
        assert!(database.db("crm").schema_version().await.unwrap() >= 100);
        names.push(database.name().to_owned());
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 8);
}

#[tokio::test]
async fn the_code_under_test_has_the_weak_role_in_every_schema() {
    let database = TestDb::new().await;
    for service in bz_kernel::platform::SERVICES {
        let db = database.db(service.schema);
        let mut tx = db.tenant(&Tenant::Acme.scope()).await.unwrap();
        let role: String = sqlx::query_scalar("SELECT current_user::text")
            .fetch_one(tx.conn())
            .await
            .unwrap();
        assert_eq!(role, service.api_role());
    }
}

#[tokio::test]
async fn a_database_is_gone_with_its_value_even_while_it_is_used() {
    let stays = TestDb::new().await;
    let mut admin = stays.admin().await;
    let goes = TestDb::new().await;
    let name = goes.name().to_owned();
    let db = goes.db("crm");
    db.ping().await.unwrap();
    assert!(exists(&mut admin, &name).await);
    drop(goes);
    assert!(!exists(&mut admin, &name).await);
    assert!(exists(&mut admin, stays.name()).await);
}

#[tokio::test]
async fn a_database_can_be_reached_through_a_proxy() {
    let database = TestDb::new().await;
    let proxy = database.proxy().await;
    let db = database.db_through(&proxy, "crm");
    db.ping().await.unwrap();
    assert_eq!(proxy.connections(), 1);
    assert!(proxy.turns() > 2, "logging in takes some turns");
}
