//! Logins for tenants' own tools: what Superset sends, and whatever else a login may try.

use analytics::Analytics;
use bz_kernel::{ExposeSecret as _, SecretString};
use bz_tenant::readers;
use bz_testkit::TestApp;
use serde_json::json;
use sqlx::{ConnectOptions as _, Executor as _, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

use crate::source_support::{loaded, upload_source};

const PASSWORD: &str = "a password of the tests";

async fn log_in(app: &TestApp<Analytics>, role: &str) -> PgConnection {
    let url = app.database.admin_url();
    let options: PgConnectOptions = url.expose_secret().parse().unwrap();
    options
        .username(role)
        .password(PASSWORD)
        .connect()
        .await
        .unwrap()
}

/// Logins are the server's, not a database's, and the tenants of all tests are the same: one test at a time has them, as
/// long as this connection is open.
async fn turn(app: &TestApp<Analytics>) -> PgConnection {
    let url = app.database.admin_url();
    let options: PgConnectOptions = url.expose_secret().parse().unwrap();
    let mut turn = options.database("postgres").connect().await.unwrap();
    turn.execute("SELECT pg_advisory_lock(hashtext('readers'))")
        .await
        .unwrap();
    turn
}

/// Both tenants have an order and an event; globex has two. The last is the test's turn, to be kept.
async fn arranged() -> (TestApp<Analytics>, Uuid, Uuid, PgConnection) {
    let app = TestApp::<Analytics>::start().await;
    let turn = turn(&app).await;
    for (tenant, orders) in [(&app.acme, "1"), (&app.globex, "1 2")] {
        let source = upload_source(&tenant.owner, "orders", json!({ "currency": "EUR" })).await;
        let mut file = String::from("order_id,ordered_at,product,unit_price\n");
        for id in orders.split(' ') {
            file.push_str(&format!("{id},2026-03-01 10:00:00,x,10.00\n"));
        }
        loaded(&tenant.owner, &source, file).await;
        let event = json!({ "event_id": Uuid::from_u128(1), "name": "page_view", "ts": "2026-03-02T08:00:00Z" });
        let sent = tenant
            .member
            .post("/api/events", json!({ "events": [event] }))
            .await;
        sent.assert_status(200);
    }
    let (acme, globex) = (app.acme.id().as_uuid(), app.globex.id().as_uuid());
    (app, acme, globex, turn)
}

async fn make(app: &TestApp<Analytics>, tenant: Uuid) -> PgConnection {
    let mut admin = app.database.admin().await;
    let role = readers::make(&mut admin, tenant, &SecretString::from(PASSWORD))
        .await
        .unwrap();
    log_in(app, &role).await
}

async fn drop(app: &TestApp<Analytics>, tenants: [Uuid; 2]) {
    let mut admin = app.database.admin().await;
    for tenant in tenants {
        readers::drop(&mut admin, tenant).await.unwrap();
    }
}

/// What Superset sends for a chart over time, for its table of samples, and for a dataset that is a query.
const CHARTS: [&str; 3] = [
    "SELECT sum(n)::bigint FROM (SELECT DATE_TRUNC('day', ordered_at) AS \"ordered_at\", COUNT(*) AS n, \
       SUM(gross_minor) AS \"SUM(gross_minor)\" FROM analytics.orders \
       WHERE ordered_at >= TO_TIMESTAMP('2026-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') \
         AND ordered_at < TO_TIMESTAMP('2027-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') \
       GROUP BY DATE_TRUNC('day', ordered_at) ORDER BY \"SUM(gross_minor)\" DESC LIMIT 10000) AS chart",
    "SELECT count(*) FROM (SELECT * FROM analytics.order_lines LIMIT 1000) AS samples",
    "SELECT count(*) FROM (SELECT o.order_id, l.product FROM analytics.orders AS o JOIN analytics.order_lines AS l \
       USING (tenant_id, source_id, order_id)) AS virtual_table WHERE product IN ('x') LIMIT 50000",
];

async fn count(conn: &mut PgConnection, sql: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(sql).fetch_one(conn).await
}

#[tokio::test]
async fn a_tenants_login_reads_its_own_rows_with_the_sql_that_superset_sends() {
    let (app, acme, globex, _turn) = arranged().await;
    let (mut of_acme, mut of_globex) = (make(&app, acme).await, make(&app, globex).await);
    for chart in CHARTS {
        assert_eq!(count(&mut of_acme, chart).await.unwrap(), 1, "{chart}");
        assert_eq!(count(&mut of_globex, chart).await.unwrap(), 2, "{chart}");
    }
    for table in [
        "tracked_events",
        "rollup_15m",
        "facts",
        "deals",
        "deal_stages",
        "rollup_day",
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE tenant_id <> '{acme}'");
        assert_eq!(count(&mut of_acme, &sql).await.unwrap(), 0, "{table}");
    }
    assert_eq!(
        count(&mut of_acme, "SELECT count(*) FROM tracked_events")
            .await
            .unwrap(),
        1
    );
    // A second time: the same login with the same rights.
    let mut again = make(&app, acme).await;
    assert_eq!(count(&mut again, CHARTS[0]).await.unwrap(), 1);
    drop(&app, [acme, globex]).await;
}

#[tokio::test]
async fn a_login_sees_nothing_of_another_tenant_whatever_it_sets() {
    let (app, acme, globex, _turn) = arranged().await;
    let mut login = make(&app, acme).await;
    let _theirs = make(&app, globex).await;
    let set = [
        format!("SET app.tenant_id = '{globex}'"),
        format!("SELECT set_config('app.tenant_id', '{globex}', false)"),
        format!("SET app.tenant_id = '{globex}'; SET row_security = on"),
        format!("BEGIN READ ONLY; SET LOCAL app.tenant_id = '{globex}'"),
        format!(
            "SET bizosaas.reader = '{}'; SET app.tenant_id = '{globex}'",
            readers::role_of(globex)
        ),
    ];
    for attempt in &set {
        login.execute(sqlx::raw_sql(attempt)).await.unwrap();
        for table in [
            "orders",
            "order_lines",
            "tracked_events",
            "rollup_15m",
            "reader_roles",
        ] {
            let seen = count(
                &mut login,
                &format!("SELECT count(*) FROM analytics.{table}"),
            )
            .await
            .unwrap();
            assert_eq!(seen, 0, "{attempt}: {table}");
        }
        login
            .execute(sqlx::raw_sql("ROLLBACK; RESET ALL"))
            .await
            .unwrap();
    }
    // Back to what the operator set, and its own rows are there again.
    assert_eq!(
        count(&mut login, "SELECT count(*) FROM orders")
            .await
            .unwrap(),
        1
    );
    let refused = [
        format!("SET ROLE {}", readers::role_of(globex)),
        "SET ROLE analytics_api".to_owned(),
        "SET SESSION AUTHORIZATION analytics_api".to_owned(),
        "SET row_security = off; SELECT count(*) FROM orders".to_owned(),
        "SELECT * FROM data_sources".to_owned(),
        "SELECT * FROM events".to_owned(),
        "SELECT * FROM idempotency_keys".to_owned(),
        "SELECT * FROM crm.leads".to_owned(),
        "SET default_transaction_read_only = off; DELETE FROM orders".to_owned(),
        "SET default_transaction_read_only = off; INSERT INTO reader_roles SELECT tenant_id, 'x', now() FROM reader_roles".to_owned(),
        "SET default_transaction_read_only = off; CREATE TABLE analytics.mine (n integer)".to_owned(),
        "SELECT * FROM analytics.events_after('0', 0, 10)".to_owned(),
    ];
    for attempt in &refused {
        assert!(
            login.execute(sqlx::raw_sql(attempt)).await.is_err(),
            "{attempt}"
        );
        login.execute(sqlx::raw_sql("RESET ALL")).await.unwrap();
    }
    // Even what it makes its own default opens nothing.
    let default = format!(
        "SET default_transaction_read_only = off; ALTER ROLE {} SET app.tenant_id = '{globex}'",
        readers::role_of(acme)
    );
    let _either = login.execute(sqlx::raw_sql(&default)).await;
    let mut next = log_in(&app, &readers::role_of(acme)).await;
    let theirs = format!("SELECT count(*) FROM orders WHERE tenant_id <> '{acme}'");
    assert_eq!(count(&mut next, &theirs).await.unwrap(), 0);
    // The statistics of columns hold values of everybody; they are not shown of tables under policies.
    let mut admin = app.database.admin().await;
    admin.execute("ANALYZE analytics.orders").await.unwrap();
    let statistics = "SELECT count(*) FROM pg_stats WHERE schemaname = 'analytics'";
    assert!(count(&mut admin, statistics).await.unwrap() > 0);
    assert_eq!(count(&mut login, statistics).await.unwrap(), 0);
    drop(&app, [acme, globex]).await;
}

#[tokio::test]
async fn a_login_that_was_dropped_is_gone_and_one_without_a_tenant_sees_nothing() {
    let (app, acme, globex, _turn) = arranged().await;
    let mut login = make(&app, acme).await;
    let mut admin = app.database.admin().await;
    // The tenant was erased: its rows here are gone, the login is still there.
    admin
        .execute("DELETE FROM analytics.reader_roles")
        .await
        .unwrap();
    assert_eq!(
        count(&mut login, "SELECT count(*) FROM orders")
            .await
            .unwrap(),
        0
    );
    drop(&app, [acme, globex]).await;
    let there = format!(
        "SELECT count(*) FROM pg_roles WHERE rolname = '{}'",
        readers::role_of(acme)
    );
    assert_eq!(count(&mut admin, &there).await.unwrap(), 0);
    readers::drop(&mut admin, acme).await.unwrap();
}
