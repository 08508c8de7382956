//! What an administrator does once: roles, schemas, rights, the extension, passwords.

use std::time::Duration;

use bz_kernel::ExposeSecret;
use sqlx::{Connection, Executor, PgConnection};

use super::source::Source;
use super::{MigrateError, Target, scram};

/// How often the step is tried when another database's migrator changes the same roles at the same moment.
const ATTEMPTS: u32 = 20;

/// Runs the whole step in one transaction. Roles belong to all databases of a server and advisory locks to one, so two
/// migrators of two databases can still meet; the one that the server turns away starts again.
pub(super) async fn create(
    target: &Target,
    source: &Source,
    schemas: &[String],
) -> Result<(), MigrateError> {
    let mut conn = target.connect().await?;
    let mut attempt = 1;
    loop {
        match try_create(&mut conn, target, source, schemas).await {
            Err(error) if attempt < ATTEMPTS && met_another(&error) => {
                tokio::time::sleep(Duration::from_millis(25) * attempt).await;
                attempt += 1;
            }
            result => return result.map_err(MigrateError::doing("create the roles")),
        }
    }
}

/// Whether every schema and its roles are there.
pub(super) async fn exist(target: &Target, schemas: &[String]) -> Result<bool, MigrateError> {
    let sql = "SELECT count(*) = 0 FROM unnest($1::text[]) AS wanted (name)
               WHERE to_regnamespace(name) IS NULL OR to_regrole(name || '_owner') IS NULL
                  OR to_regrole(name || '_migrator') IS NULL OR to_regrole(name || '_api') IS NULL
                  OR to_regrole(name || '_relay') IS NULL";
    let mut conn = target.connect().await?;
    let read = sqlx::query_scalar(sql)
        .bind(schemas)
        .fetch_one(&mut conn)
        .await;
    read.map_err(MigrateError::doing("read the roles"))
}

async fn try_create(
    conn: &mut PgConnection,
    target: &Target,
    source: &Source,
    schemas: &[String],
) -> Result<(), sqlx::Error> {
    #[expect(
        clippy::disallowed_methods,
        reason = "an administrator's transaction has no tenant"
    )]
    let mut tx = conn.begin().await?;
    // Serialises the step within this database.
    tx.execute("SELECT pg_advisory_xact_lock(hashtext('bizosaas roles'))")
        .await?;
    for sql in source.roles(schemas) {
        tx.execute(sql.as_str()).await?;
    }
    for schema in schemas {
        for role in [format!("{schema}_api"), format!("{schema}_migrator")] {
            if let Some(password) = target.passwords().get(&role) {
                set_password(&mut tx, &role, password.expose_secret()).await?;
            }
        }
    }
    tx.commit().await
}

/// Gives `role` its password unless it has it. The statement, which may get into the server's log, has the verifier.
async fn set_password(
    conn: &mut PgConnection,
    role: &str,
    password: &str,
) -> Result<(), sqlx::Error> {
    let readable = "SELECT has_table_privilege('pg_authid', 'SELECT')";
    if sqlx::query_scalar(readable).fetch_one(&mut *conn).await? {
        let stored: Option<String> =
            sqlx::query_scalar("SELECT rolpassword FROM pg_authid WHERE rolname = $1")
                .bind(role)
                .fetch_one(&mut *conn)
                .await?;
        if stored.is_some_and(|stored| scram::is_of(&stored, password)) {
            return Ok(());
        }
    }
    let verifier = quoted(&scram::verifier(password)?);
    conn.execute(format!("ALTER ROLE {role} PASSWORD {verifier}").as_str())
        .await
        .map(|_| ())
}

/// "tuple concurrently updated" (XX000), and the errors of creating what somebody else has just created.
fn met_another(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(database) = error else {
        return false;
    };
    match &*database.code().unwrap_or_default() {
        "XX000" => database.message().contains("concurrently"),
        "23505" | "42710" | "42P06" | "40001" | "40P01" => true,
        _ => false,
    }
}

/// A string literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
