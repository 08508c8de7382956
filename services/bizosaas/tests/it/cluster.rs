use bz_testkit::redis_url;
use serde_json::Value;
use sqlx::Executor;

use crate::support::Installation;

fn checked(installation: &Installation, code: i32) -> Vec<Value> {
    let output = installation.run(&["doctor", "--cluster", "--json"]);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!shown.contains("not-the-password"), "{shown}");
    serde_json::from_str(&shown).unwrap()
}

fn with<'a>(findings: &'a [Value], verdict: &str) -> Vec<&'a str> {
    let with = findings.iter().filter(|found| found["verdict"] == verdict);
    with.map(|finding| finding["check"].as_str().unwrap())
        .collect()
}

const NONE: [&str; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_needs_no_administrator_to_find_everything_in_order() {
    let mut installation = Installation::migrated().await;
    installation.set("REDIS_URL", &redis_url());
    let _platform = installation.up().await;
    installation.anonymous().wait_for_health("healthy").await;
    installation.name_the_services();
    installation.without_administrator();
    let found = checked(&installation, 0);
    assert_eq!(with(&found, "failed"), NONE, "{found:?}");
    for check in [
        "database name",
        "database port",
        "database server",
        "database extension",
        "database roles",
        "clock",
        "login of crm",
        "schema of crm",
        "tenancy of crm",
        "redis port",
    ] {
        assert!(with(&found, "ok").contains(&check), "{check} in {found:?}");
    }

    installation.set("REDIS_URL", "redis://127.0.0.1:9");
    installation.set("CRM_DB_PASSWORD", "not-the-password");
    installation.set("ANALYTICS_URL", "http://127.0.0.1:9");
    let found = checked(&installation, 1);
    let degraded = with(&found, "degraded");
    assert!(degraded.starts_with(&["redis port", "redis"]), "{found:?}");
    let failed = with(&found, "failed");
    assert_eq!(failed, ["login of crm", "health of analytics"], "{found:?}");
}

#[tokio::test]
async fn a_newer_schema_is_fine_an_older_one_is_not_and_what_breaks_tenancy_is_named() {
    let installation = Installation::migrated().await;
    let mut admin = installation.database.admin().await;
    for sql in [
        "INSERT INTO crm._sqlx_migrations VALUES (9999, 'later', now(), true, '', 0)",
        "DELETE FROM analytics._sqlx_migrations WHERE version = (SELECT max(version) FROM analytics._sqlx_migrations)",
        "ALTER TABLE chat.messages NO FORCE ROW LEVEL SECURITY",
    ] {
        admin.execute(sql).await.unwrap();
    }
    let found = checked(&installation, 1);
    let failed = with(&found, "failed");
    assert_eq!(
        failed,
        ["tenancy of chatbot", "schema of analytics"],
        "{found:?}"
    );
    let shown = serde_json::to_string(&found).unwrap();
    assert!(shown.contains("newer than this release's"), "{shown}");
    assert!(shown.contains("chat.messages"), "{shown}");
    // Nobody said where the services and Redis are.
    assert_eq!(with(&found, "degraded").len(), 6, "{found:?}");
}

#[tokio::test]
async fn a_wrong_name_and_a_closed_port_of_the_database_are_told_apart() {
    let mut installation = Installation::empty().await;
    installation.unset("DATABASE_URL");
    installation.set("POSTGRES_HOST", "postgres.nowhere.invalid");
    let found = checked(&installation, 1);
    assert!(
        with(&found, "failed").contains(&"database name"),
        "{found:?}"
    );
    installation.set("POSTGRES_HOST", "127.0.0.1");
    installation.set("POSTGRES_PORT", "9");
    let found = checked(&installation, 1);
    assert!(with(&found, "ok").contains(&"database name"), "{found:?}");
    assert!(
        with(&found, "failed").contains(&"database port"),
        "{found:?}"
    );
}
