//! The isolation check passes on the real schemas and fails on every way to break a table.

use bz_testkit::{TestDb, checks::isolation::leaks};
use sqlx::Executor;

const TABLE: &str = "
    SET ROLE crm_owner;
    CREATE TABLE crm.broken (
      tenant_id uuid NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
      id        uuid NOT NULL,
      kind      text NOT NULL,
      size      integer NOT NULL,
      from_at   timestamptz,
      until_at  timestamptz,
      CONSTRAINT broken_pkey PRIMARY KEY (tenant_id, id),
      CONSTRAINT broken_kind_check CHECK (kind IN ('small', 'large')),
      CONSTRAINT broken_size_check CHECK ((kind = 'large') = (size > 1000)),
      CONSTRAINT broken_span_check CHECK (until_at > from_at AND from_at IS NOT NULL)
    );
    ALTER TABLE crm.broken ENABLE ROW LEVEL SECURITY;
    ALTER TABLE crm.broken FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant_isolation ON crm.broken
      USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
      WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));";

/// The leaks of a good table after `break_it`.
async fn leaks_after(break_it: &str) -> Vec<String> {
    let database = TestDb::new().await;
    let mut admin = database.admin().await;
    admin.execute(TABLE).await.unwrap();
    admin.execute(break_it).await.unwrap();
    let all = leaks(&database, "crm", &[]).await;
    all.into_iter()
        .filter(|leak| leak.starts_with("crm.broken: "))
        .collect()
}

async fn assert_leaks(break_it: &str, expected: &[&str]) {
    let found = leaks_after(break_it).await;
    for part in expected {
        assert!(
            found.iter().any(|leak| leak.contains(part)),
            "no leak says {part:?}: {found:#?}"
        );
    }
}

#[tokio::test]
async fn the_schemas_of_all_services_are_tight() {
    let database = TestDb::new().await;
    for service in bz_kernel::platform::SERVICES {
        assert_eq!(
            leaks(&database, service.schema, &[]).await,
            [""; 0],
            "{}",
            service.schema
        );
    }
}

#[tokio::test]
async fn a_good_table_with_checks_that_depend_on_each_other_gets_a_row_and_passes() {
    assert_eq!(leaks_after("SELECT").await, [""; 0]);
}

#[tokio::test]
async fn a_table_without_row_security_leaks_everything() {
    let all = [
        "another tenant sees rows",
        "another tenant updates rows",
        "another tenant deletes rows",
        "a tenant inserts for another tenant",
        "a tenant gives a row to another tenant",
        "SELECT works without a tenant",
        "UPDATE works without a tenant",
        "DELETE works without a tenant",
        "INSERT works without a tenant",
    ];
    assert_leaks("ALTER TABLE crm.broken DISABLE ROW LEVEL SECURITY", &all).await;
}

#[tokio::test]
async fn a_second_policy_that_shows_everything_is_found() {
    let policy = "CREATE POLICY open ON crm.broken FOR SELECT USING (true)";
    assert_leaks(
        policy,
        &["another tenant sees rows", "SELECT works without a tenant"],
    )
    .await;
}

#[tokio::test]
async fn a_policy_that_does_not_check_what_is_written_is_found() {
    let policy = "
        DROP POLICY tenant_isolation ON crm.broken;
        CREATE POLICY tenant_isolation ON crm.broken
          USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid)) WITH CHECK (true)";
    assert_leaks(
        policy,
        &[
            "a tenant inserts for another tenant",
            "a tenant gives a row to another tenant",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_policy_that_forgives_a_missing_tenant_is_found() {
    let policy = "
        DROP POLICY tenant_isolation ON crm.broken;
        CREATE POLICY tenant_isolation ON crm.broken
          USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid))";
    assert_leaks(
        policy,
        &[
            "SELECT works without a tenant",
            "DELETE works without a tenant",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_policy_that_shows_nothing_to_anybody_is_found() {
    let policy = "CREATE POLICY never ON crm.broken AS RESTRICTIVE USING (false)";
    assert_leaks(policy, &["does not show a tenant its own row"]).await;
}

#[tokio::test]
async fn a_table_that_takes_no_guessed_row_asks_for_one_and_takes_it() {
    let check = "ALTER TABLE crm.broken ADD CONSTRAINT broken_hard_check CHECK (md5(kind) = md5('small') AND size = 7 * 6)";
    assert_leaks(check, &["give the check an INSERT for it"]).await;

    let database = TestDb::new().await;
    let mut admin = database.admin().await;
    admin.execute(TABLE).await.unwrap();
    admin.execute(check).await.unwrap();
    let row = "INSERT INTO crm.broken (tenant_id, id, kind, size, from_at, until_at)
               VALUES ('{tenant}', gen_random_uuid(), 'small', 42, '2026-03-02', '2026-03-03')";
    assert_eq!(
        leaks(&database, "crm", &[("crm.broken", row)]).await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_schema_without_tables_is_not_taken_for_a_tight_one() {
    let database = TestDb::new().await;
    assert_eq!(
        leaks(&database, "public", &[]).await,
        ["public has no table with a tenant"]
    );
}
