//! The migrator, on databases in which the crm schema has not been made yet.

use std::path::Path;
use std::time::Duration;

use bz_tenant::migrate::{MigrateError, Migrator, State, Target};
use bz_testkit::{TestDb, wait_until};
use sqlx::{Executor, PgConnection};

const A: (&str, &str) = ("crm/0100_a.sql", "CREATE TABLE a (id int PRIMARY KEY)");
const B: (&str, &str) = ("crm/0101_b.sql", "CREATE TABLE b (id int PRIMARY KEY)");
const INDEX: (&str, &str) = (
    "crm/0102_index.sql",
    "-- no-transaction\nCREATE INDEX CONCURRENTLY a_idx ON crm.a (id, id)",
);
/// Waits until nobody holds lock 7 exclusively.
const WAITS: (&str, &str) = (
    "crm/0101_b.sql",
    "CREATE TABLE b (id int PRIMARY KEY); SELECT pg_advisory_xact_lock_shared(7)",
);

/// A migrator of the crm schema with the platform's roles and these files.
fn migrator(files: &[(&str, &str)]) -> Migrator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/roles");
    let roles = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (
            format!("roles/{name}"),
            std::fs::read_to_string(path).unwrap(),
        )
    });
    let files = files
        .iter()
        .map(|(path, sql)| ((*path).to_owned(), (*sql).to_owned()));
    Migrator::from_files(roles.chain(files), ["crm"]).unwrap()
}

/// A database without the crm schema.
async fn without_crm() -> (TestDb, Target, PgConnection) {
    let test = TestDb::new().await;
    let mut admin = test.admin().await;
    admin.execute("DROP SCHEMA crm CASCADE").await.unwrap();
    let target = Target::new(test.admin_url());
    (test, target, admin)
}

/// A database with an empty crm schema.
async fn with_roles() -> (TestDb, Target, PgConnection) {
    let (test, target, admin) = without_crm().await;
    migrator(&[]).roles(&target).await.unwrap();
    (test, target, admin)
}

async fn tables(admin: &mut PgConnection) -> Vec<String> {
    let sql = "SELECT relname::text FROM pg_class
               WHERE relnamespace = to_regnamespace('crm') AND relkind = 'r' AND relname <> '_sqlx_migrations'
               ORDER BY 1";
    sqlx::query_scalar(sql).fetch_all(admin).await.unwrap()
}

fn states(status: &[bz_tenant::migrate::SchemaStatus]) -> Vec<(i64, State)> {
    status
        .iter()
        .flat_map(|schema| &schema.migrations)
        .map(|(version, _, state)| (*version, *state))
        .collect()
}

#[tokio::test]
async fn migrations_run_once_in_order_and_belong_to_the_owner() {
    let (_test, target, mut admin) = with_roles().await;
    let migrator = migrator(&[B, A, INDEX]);
    let applied = migrator.run(&target).await.unwrap();
    assert_eq!(
        applied.iter().map(|one| one.version).collect::<Vec<_>>(),
        [100, 101, 102]
    );
    assert_eq!(migrator.run(&target).await.unwrap(), []);
    assert_eq!(tables(&mut admin).await, ["a", "b"]);
    let owners = "SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class
                  WHERE relnamespace = 'crm'::regnamespace";
    let owners: Vec<String> = sqlx::query_scalar(owners)
        .fetch_all(&mut admin)
        .await
        .unwrap();
    assert_eq!(owners, ["crm_owner"]);
}

/// Pitfall 18: the owner of a table sees all rows.
#[tokio::test]
async fn a_migration_changes_the_rows_of_all_tenants_only_by_lifting_force() {
    let (_test, target, mut admin) = with_roles().await;
    let table = (
        "crm/0100_a.sql",
        "CREATE TABLE a (tenant_id uuid NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid), n int);
         INSERT INTO a VALUES (gen_random_uuid(), 1), (gen_random_uuid(), 1);
         ALTER TABLE a ENABLE ROW LEVEL SECURITY;
         ALTER TABLE a FORCE ROW LEVEL SECURITY;
         CREATE POLICY tenant_isolation ON a USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))",
    );
    let plain = ("crm/0101_b.sql", "UPDATE a SET n = 2");
    let lifted = (
        "crm/0101_b.sql",
        "ALTER TABLE a NO FORCE ROW LEVEL SECURITY; UPDATE a SET n = 2; ALTER TABLE a FORCE ROW LEVEL SECURITY",
    );
    migrator(&[table, plain]).run(&target).await.unwrap_err();
    migrator(&[table, lifted]).run(&target).await.unwrap();
    let changed: i64 = sqlx::query_scalar("SELECT count(*) FROM crm.a WHERE n = 2")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(changed, 2);
}

#[tokio::test]
async fn two_migrators_at_once_both_succeed_and_each_migration_runs_once() {
    let (_test, target, mut admin) = with_roles().await;
    let migrator = migrator(&[A, B, INDEX]);
    let (one, other) = tokio::join!(migrator.run(&target), migrator.run(&target));
    assert_eq!(one.unwrap().len() + other.unwrap().len(), 3);
    assert_eq!(tables(&mut admin).await, ["a", "b"]);
}

#[tokio::test]
async fn a_migrator_that_is_killed_half_way_leaves_whole_migrations_and_the_next_one_goes_on() {
    let (_test, target, mut admin) = with_roles().await;
    admin.execute("SELECT pg_advisory_lock(7)").await.unwrap();
    let migrator = migrator(&[A, WAITS]);
    let killed = {
        let (migrator, target) = (migrator.clone(), target.clone());
        tokio::spawn(async move { migrator.run(&target).await })
    };
    kill(&mut admin, "%pg_advisory_xact_lock_shared%").await;
    let error = killed.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "migration crm/0101_b failed");
    assert_eq!(
        tables(&mut admin).await,
        ["a"],
        "the second one was rolled back"
    );

    admin.execute("SELECT pg_advisory_unlock(7)").await.unwrap();
    assert_eq!(migrator.run(&target).await.unwrap().len(), 1);
    assert_eq!(tables(&mut admin).await, ["a", "b"]);
}

/// Pitfall 66: an index that blocks, or was never finished.
#[tokio::test]
async fn an_index_whose_concurrent_build_was_killed_is_built_again() {
    let (test, target, mut admin) = with_roles().await;
    migrator(&[A]).run(&target).await.unwrap();
    // The build waits for this transaction, with the index already in the catalog.
    let mut writer = test.admin().await;
    writer
        .execute("BEGIN; INSERT INTO crm.a VALUES (1)")
        .await
        .unwrap();
    let migrator = migrator(&[A, INDEX]);
    let killed = {
        let (migrator, target) = (migrator.clone(), target.clone());
        tokio::spawn(async move { migrator.run(&target).await })
    };
    kill(&mut admin, "%CREATE INDEX CONCURRENTLY%").await;
    killed.await.unwrap().unwrap_err();
    writer.execute("COMMIT").await.unwrap();
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('crm.a_idx')";
    let left: Option<bool> = sqlx::query_scalar(valid)
        .fetch_optional(&mut admin)
        .await
        .unwrap();
    assert_eq!(left, Some(false), "the interrupted build is in the catalog");

    migrator.run(&target).await.unwrap();
    assert!(
        sqlx::query_scalar::<_, bool>(valid)
            .fetch_one(&mut admin)
            .await
            .unwrap()
    );
}

/// Waits for a statement that waits and ends its connection.
async fn kill(admin: &mut PgConnection, statement: &str) {
    let sql = "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE $1
                 AND wait_event_type = 'Lock'";
    let kill = async || {
        sqlx::query_scalar(sql)
            .bind(statement)
            .fetch_one(&mut *admin)
            .await
            .unwrap()
    };
    wait_until(kill, Duration::from_secs(10)).await;
}

/// Pitfall 66: a migration that is skipped, or another one than it was.
#[tokio::test]
async fn an_edited_migration_is_refused_and_named() {
    let (_test, target, mut admin) = with_roles().await;
    migrator(&[A]).run(&target).await.unwrap();
    let edited = migrator(&[
        ("crm/0100_a.sql", "CREATE TABLE a (id bigint PRIMARY KEY)"),
        B,
    ]);
    for error in [
        edited.run(&target).await.unwrap_err(),
        edited.plan(&target).await.unwrap_err(),
    ] {
        assert!(matches!(error, MigrateError::Edited { .. }), "{error:?}");
        assert!(
            error
                .to_string()
                .starts_with("migration crm/0100_a was changed after it had been applied")
        );
    }
    assert_eq!(tables(&mut admin).await, ["a"]);
    assert_eq!(
        states(&edited.status(&target).await.unwrap()),
        [(100, State::Edited), (101, State::Pending)]
    );
}

#[tokio::test]
async fn a_removed_migration_is_refused_and_a_newer_one_is_not() {
    let (_test, target, _admin) = with_roles().await;
    migrator(&[A, B]).run(&target).await.unwrap();
    let removed = migrator(&[B]);
    let error = removed.run(&target).await.unwrap_err();
    assert!(
        matches!(error, MigrateError::Missing { version: 100, .. }),
        "{error:?}"
    );
    assert_eq!(
        states(&removed.status(&target).await.unwrap()),
        [(100, State::Missing), (101, State::Applied)]
    );

    let previous_release = migrator(&[A]);
    assert_eq!(previous_release.run(&target).await.unwrap(), []);
    let status = previous_release.status(&target).await.unwrap();
    assert_eq!(
        states(&status),
        [(100, State::Applied), (101, State::Newer)]
    );
    assert!(status[0].is_current());
}

#[tokio::test]
async fn a_plan_says_everything_and_changes_nothing() {
    let (_test, target, mut admin) = without_crm().await;
    let all = migrator(&[A, B]);
    let plan = all.plan(&target).await.unwrap();
    assert!(plan.creates_roles);
    assert_eq!(
        plan.steps
            .iter()
            .map(|step| step.version)
            .collect::<Vec<_>>(),
        [100, 101]
    );
    let exists: bool = sqlx::query_scalar("SELECT to_regnamespace('crm') IS NOT NULL")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert!(!exists, "the plan made the schema");
    assert!(matches!(
        all.run(&target).await.unwrap_err(),
        MigrateError::NoRoles(_)
    ));

    all.roles(&target).await.unwrap();
    migrator(&[A]).run(&target).await.unwrap();
    let plan = all.plan(&target).await.unwrap();
    assert!(!plan.creates_roles);
    assert_eq!(
        plan.steps
            .iter()
            .map(|step| step.name.as_str())
            .collect::<Vec<_>>(),
        ["b"]
    );
    assert_eq!(
        states(&all.status(&target).await.unwrap()),
        [(100, State::Applied), (101, State::Pending)]
    );
    assert_eq!(tables(&mut admin).await, ["a"]);
}

#[tokio::test]
async fn roles_made_at_the_same_moment_in_two_databases_are_made_once() {
    let (_one, first, _) = without_crm().await;
    let (_two, second, _) = without_crm().await;
    let migrator = migrator(&[]);
    let passwords = [("crm_api".to_owned(), "test".to_owned().into())];
    let (first, second) = (
        first.with_passwords(passwords.clone()),
        second.with_passwords(passwords),
    );
    let made = tokio::join!(
        migrator.roles(&first),
        migrator.roles(&second),
        migrator.roles(&first),
        migrator.roles(&second)
    );
    for result in [made.0, made.1, made.2, made.3] {
        result.unwrap();
    }
}

#[tokio::test]
async fn the_api_role_reads_the_list_of_migrations_and_cannot_change_it() {
    let test = TestDb::new().await;
    let db = test.db("crm");
    assert!(db.schema_version().await.unwrap() >= 100);
    let mut tx = db.system().await.unwrap();
    let refused = tx
        .conn()
        .execute("DELETE FROM crm._sqlx_migrations")
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("permission denied"),
        "{refused}"
    );
}

#[tokio::test]
async fn the_api_role_has_its_timeouts_without_a_statement() {
    let test = TestDb::new().await;
    let db = test.db("crm");
    let mut tx = db.system().await.unwrap();
    for (name, value) in [
        ("statement_timeout", "5s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ] {
        let setting: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(name)
            .fetch_one(tx.conn())
            .await
            .unwrap();
        assert_eq!(setting, value, "{name}");
    }
}

#[test]
fn files_out_of_place_are_refused() {
    for (path, problem) in [
        ("crm/leads.sql", "not named like"),
        ("crm/0100_Leads.sql", "not named like"),
        ("crm/0001_leads.sql", "out of place"),
        ("common/0100_events.sql", "out of place"),
        ("nowhere/0100_a.sql", "out of place"),
    ] {
        let error = Migrator::from_files([(path.to_owned(), String::new())], ["crm"]).unwrap_err();
        assert!(error.to_string().contains(problem), "{path}: {error}");
    }
    let twice = ["crm/0100_a.sql", "crm/0100_b.sql"].map(|path| (path.to_owned(), String::new()));
    assert!(
        Migrator::from_files(twice, ["crm"])
            .unwrap_err()
            .to_string()
            .contains("two files with number 100")
    );
}

#[test]
fn the_embedded_migrations_are_in_place_for_every_service() {
    let embedded = Migrator::embedded().unwrap();
    for service in bz_kernel::platform::SERVICES {
        assert!(
            embedded
                .migrations(service.schema)
                .iter()
                .any(|file| file.name == "events")
        );
    }
    assert_eq!(
        embedded.fingerprint(),
        Migrator::embedded().unwrap().fingerprint()
    );
    assert_ne!(
        embedded.fingerprint(),
        embedded.clone().only(&["crm"]).unwrap().fingerprint()
    );
}
