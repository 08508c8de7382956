//! The template that every test's database is a copy of: the whole schema with the production roles.
//!
//! It is named by the digest of all migrations and made once by whoever needs it first. Test processes that start
//! together wait for the one that makes it: advisory locks on the home database, shared while copying, exclusive while
//! making and clearing.

use bz_tenant::migrate::{Migrator, Target};
use sqlx::{Connection, PgConnection};

use super::server::{ROLE_PASSWORD, Server, execute, made_at, new_name, now, secret};

/// Any number, as long as nobody else locks it on the home database.
const LOCK: i64 = 0x62_7a_5f_74_65_73_74;
const TEST_LIFETIME_SECONDS: i64 = 60 * 60;
const TEMPLATE_LIFETIME_SECONDS: i64 = 24 * 60 * 60;

/// Makes a new copy of the template and answers its name.
pub(super) async fn copy(server: &Server) -> String {
    let migrator = Migrator::embedded().expect("the migrations are well named");
    let mut home = server.connect_home().await;
    loop {
        lock(&mut home, "pg_advisory_lock_shared").await;
        let databases = ours(&mut home).await;
        drop_leftovers(&mut home, &databases, "test", TEST_LIFETIME_SECONDS).await;
        if let Some(template) = usable(server, &databases, &migrator).await {
            let name = new_name("test");
            // Through the log, which is the default: STRATEGY FILE_COPY takes as long (90 ms) and makes everybody wait
            // for its checkpoints.
            let copy = format!("CREATE DATABASE {name} TEMPLATE {template}");
            execute(&mut home, &copy)
                .await
                .expect("the template can be copied");
            // Closing the connection frees the lock.
            home.close().await.expect("the connection closes");
            return name;
        }
        lock(&mut home, "pg_advisory_unlock_shared").await;
        lock(&mut home, "pg_advisory_lock").await;
        let databases = ours(&mut home).await;
        if usable(server, &databases, &migrator).await.is_none() {
            drop_leftovers(&mut home, &databases, "template", TEMPLATE_LIFETIME_SECONDS).await;
            drop_leftovers(&mut home, &databases, "making", TEST_LIFETIME_SECONDS).await;
            make(server, &mut home, &migrator).await;
        }
        lock(&mut home, "pg_advisory_unlock").await;
    }
}

/// Makes a new database with nothing in it and answers its name.
pub(super) async fn empty(server: &Server) -> String {
    let (mut home, name) = (server.connect_home().await, new_name("test"));
    execute(&mut home, &format!("CREATE DATABASE {name}"))
        .await
        .expect("a database can be made");
    name
}

async fn lock(home: &mut PgConnection, function: &str) {
    execute(home, &format!("SELECT {function}({LOCK})"))
        .await
        .expect("advisory locks work");
}

/// The databases that this crate made.
async fn ours(home: &mut PgConnection) -> Vec<String> {
    let sql = "SELECT datname::text FROM pg_database WHERE starts_with(datname, 'bizosaas_')";
    sqlx::query_scalar(sql)
        .fetch_all(home)
        .await
        .expect("databases can be listed")
}

fn find<'a>(databases: &'a [String], digest: &str) -> Option<&'a String> {
    databases
        .iter()
        .find(|name| made_at(name, "template").is_some() && name.ends_with(digest))
}

/// Whether the template is there and the roles have the tests' passwords. Roles belong to all databases of a server:
/// whoever started the platform on it has set others.
async fn usable(server: &Server, databases: &[String], migrator: &Migrator) -> Option<String> {
    let template = find(databases, &digest(migrator))?;
    let role = format!("{}_api", migrator.schemas().next()?);
    server.log_in(&role).await.ok()?;
    Some(template.clone())
}

fn digest(migrator: &Migrator) -> String {
    migrator.fingerprint().chars().take(16).collect()
}

/// Drops what processes that were killed left behind. Another process may be faster.
async fn drop_leftovers(home: &mut PgConnection, databases: &[String], kind: &str, lifetime: i64) {
    for name in databases {
        if made_at(name, kind).is_none_or(|made| made + lifetime >= now()) {
            continue;
        }
        let _ = execute(
            home,
            &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        )
        .await;
    }
}

/// Makes the template under another name first, so that a half-made one is never found.
async fn make(server: &Server, home: &mut PgConnection, migrator: &Migrator) {
    let name = new_name("making");
    execute(home, &format!("CREATE DATABASE {name}"))
        .await
        .expect("a database can be made");
    let api_password = |schema| (format!("{schema}_api"), ROLE_PASSWORD.to_owned().into());
    let target = Target::new(secret(&server.admin_url(&name)))
        .with_passwords(migrator.schemas().map(api_password));
    migrator
        .roles(&target)
        .await
        .expect("the roles can be made");
    migrator
        .run(&target)
        .await
        .expect("the migrations can be applied");
    let template = format!("bizosaas_template_{}_{}", now(), digest(migrator));
    for finish in [
        format!("{name} ALLOW_CONNECTIONS false"),
        format!("{name} RENAME TO {template}"),
    ] {
        execute(home, &format!("ALTER DATABASE {finish}"))
            .await
            .expect("the template can be finished");
    }
}
