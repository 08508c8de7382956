//! What a service may log in as.

use std::time::Duration;

use bz_tenant::{Db, DbConfig, catalog};
use bz_testkit::TestDb;
use sqlx::Executor;

#[tokio::test]
async fn the_api_role_of_every_service_passes_the_self_check() {
    let test = TestDb::new().await;
    for service in bz_kernel::platform::SERVICES {
        let violations = test.db(service.schema).self_check().await.unwrap();
        assert_eq!(violations, [], "{}", service.schema);
        assert!(test.db(service.schema).schema_version().await.unwrap() > 0);
    }
}

/// Pitfall 19: a role that no policy binds serves requests.
#[tokio::test]
async fn the_self_check_refuses_a_superuser() {
    let test = TestDb::new().await;
    let config = DbConfig {
        url: test.admin_url(),
        pool_size: 1,
        acquire_timeout: Duration::from_secs(5),
        schema: "crm",
    };
    let violations = Db::connect_lazy(&config)
        .unwrap()
        .self_check()
        .await
        .unwrap();
    let problems: Vec<_> = violations
        .iter()
        .map(|violation| violation.problem.as_str())
        .collect();
    assert!(
        problems.contains(&"is a superuser: row-level security does not apply to it"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_role_that_is_stronger_than_it_must_be_is_refused() {
    let test = TestDb::new().await;
    let mut admin = test.admin().await;
    for (make, problem) in [
        ("ALTER ROLE weak BYPASSRLS", "has BYPASSRLS"),
        ("ALTER ROLE weak CREATEROLE", "may create roles"),
        ("ALTER ROLE weak CREATEDB", "may create databases"),
        ("ALTER ROLE weak REPLICATION", "may replicate"),
        ("GRANT crm_owner TO weak", "is a member of crm_owner"),
        // The table and its sequence.
        ("ALTER TABLE crm.events OWNER TO weak", "owns 2 objects"),
        (
            "GRANT CREATE ON SCHEMA crm TO weak",
            "may create objects in schema crm",
        ),
    ] {
        // Roles belong to all databases of the server, so this one lives in a transaction only.
        let weak = format!("weak_{}", test.name());
        admin.execute("BEGIN").await.unwrap();
        admin
            .execute(format!("CREATE ROLE {weak}").as_str())
            .await
            .unwrap();
        admin
            .execute(make.replace("weak", &weak).as_str())
            .await
            .unwrap();
        admin
            .execute(format!("SET LOCAL ROLE {weak}").as_str())
            .await
            .unwrap();
        let violations = catalog::check_role(&mut admin, "crm").await.unwrap();
        admin.execute("ROLLBACK").await.unwrap();
        let problems: Vec<_> = violations
            .iter()
            .map(|violation| violation.problem.as_str())
            .collect();
        assert!(problems.contains(&problem), "{make}: {problems:?}");
    }
}
