//! One schema's migrations against one database. sqlx keeps the list of what was applied (`_sqlx_migrations`).

use std::time::Duration;

use sqlx::migrate::Migrate;
use sqlx::{Connection, Executor, PgConnection};

use super::source::{FIRST_OWN_VERSION, MigrationFile};
use super::{MigrateError, Target};

/// A migration that was applied just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The schema.
    pub schema: String,
    /// The migration's number.
    pub version: i64,
    /// The migration's name.
    pub name: String,
    /// How long it took.
    pub took: Duration,
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whether roles or schemas are missing, for which an administrator is needed.
    pub creates_roles: bool,
    /// The migrations that would be applied, in order.
    pub steps: Vec<Step>,
}

/// A migration that would be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The schema.
    pub schema: String,
    /// The migration's number.
    pub version: i64,
    /// The migration's name.
    pub name: String,
}

/// Where one schema stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaStatus {
    /// The schema.
    pub schema: String,
    /// Number, name and state of each migration, by number. One that only the database knows has no name.
    pub migrations: Vec<(i64, Option<String>, State)>,
}

impl SchemaStatus {
    /// Whether nothing is left to do and nothing is wrong.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.migrations
            .iter()
            .all(|(_, _, state)| matches!(state, State::Applied | State::Newer))
    }

    /// The numbers of the migrations that the database has, in order.
    pub fn applied(&self) -> impl Iterator<Item = i64> {
        let there = |state| !matches!(state, State::Pending);
        let applied = self.migrations.iter();
        let applied = applied.filter(move |(_, _, state)| there(*state));
        applied.map(|(version, _, _)| *version)
    }

    /// The newest migration of the database; 0 when there is none.
    #[must_use]
    pub fn level(&self) -> i64 {
        self.applied().max().unwrap_or(0)
    }

    /// The newest migration that this build knows; 0 when there is none.
    #[must_use]
    pub fn known_level(&self) -> i64 {
        let known = self.migrations.iter().filter(|(_, name, _)| name.is_some());
        known.map(|(version, _, _)| *version).max().unwrap_or(0)
    }
}

/// Where one migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Applied as it is.
    Applied,
    /// Not yet applied.
    Pending,
    /// Applied with another text.
    Edited,
    /// Applied, and its file is gone although newer ones are there.
    Missing,
    /// Applied by a newer release than this one.
    Newer,
}

/// Applies what is missing in `schema`.
pub(super) async fn run(
    target: &Target,
    schema: &str,
    files: &[MigrationFile],
) -> Result<Vec<Applied>, MigrateError> {
    let mut conn = target.connect_for(schema).await?;
    if !become_owner(&mut conn, schema).await? {
        return Err(MigrateError::NoRoles(schema.to_owned()));
    }
    let doing = "make the list of applied migrations";
    conn.ensure_migrations_table()
        .await
        .map_err(|error| MigrateError::doing(doing)(error.into()))?;
    let only_read = format!("REVOKE INSERT, UPDATE, DELETE ON _sqlx_migrations FROM {schema}_api");
    conn.execute(only_read.as_str())
        .await
        .map_err(MigrateError::doing("protect the list of migrations"))?;

    let states = states(files, &applied(&mut conn, schema).await?);
    refuse_wrong(schema, &states)?;
    let mut done = Vec::new();
    for file in files
        .iter()
        .filter(|file| is_pending(&states, file.version))
    {
        let took = apply_one(&mut conn, schema, file).await?;
        done.push(Applied {
            schema: schema.to_owned(),
            version: file.version,
            name: file.name.clone(),
            took,
        });
    }
    conn.close()
        .await
        .map_err(MigrateError::doing("close the connection"))?;
    Ok(done)
}

/// The migrations that [`run`] would apply.
pub(super) async fn pending(
    target: &Target,
    schema: &str,
    files: &[MigrationFile],
) -> Result<Vec<Step>, MigrateError> {
    let status = status(target, schema, files).await?;
    refuse_wrong(schema, &status.migrations)?;
    let step = |file: &MigrationFile| Step {
        schema: schema.to_owned(),
        version: file.version,
        name: file.name.clone(),
    };
    Ok(files
        .iter()
        .filter(|file| is_pending(&status.migrations, file.version))
        .map(step)
        .collect())
}

/// Where each migration of `schema` stands.
pub(super) async fn status(
    target: &Target,
    schema: &str,
    files: &[MigrationFile],
) -> Result<SchemaStatus, MigrateError> {
    let mut conn = target.connect_to_read(schema).await?;
    let applied = applied(&mut conn, schema).await?;
    Ok(SchemaStatus {
        schema: schema.to_owned(),
        migrations: states(files, &applied),
    })
}

/// Becomes the schema's owner, so that names without a schema land in it and belong to the owner. `false` when there is
/// no such role or schema.
async fn become_owner(conn: &mut PgConnection, schema: &str) -> Result<bool, MigrateError> {
    let exists =
        "SELECT to_regnamespace($1) IS NOT NULL AND to_regrole($1 || '_owner') IS NOT NULL";
    let doing = || format!("become the owner of schema {schema}");
    let exists: bool = sqlx::query_scalar(exists)
        .bind(schema)
        .fetch_one(&mut *conn)
        .await
        .map_err(MigrateError::doing(doing()))?;
    if exists {
        let sql = format!("SET ROLE {schema}_owner; SET search_path = {schema}, public");
        conn.execute(sql.as_str())
            .await
            .map_err(MigrateError::doing(doing()))?;
    }
    Ok(exists)
}

/// Number and checksum of what was applied, oldest first; nothing when the list does not exist.
async fn applied(
    conn: &mut PgConnection,
    schema: &str,
) -> Result<Vec<(i64, Vec<u8>)>, MigrateError> {
    let table = format!("{schema}._sqlx_migrations");
    let doing = || format!("read {table}");
    let exists: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(&table)
        .fetch_one(&mut *conn)
        .await
        .map_err(MigrateError::doing(doing()))?;
    if !exists {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT version, checksum FROM {table} ORDER BY version");
    sqlx::query_as(&sql)
        .fetch_all(conn)
        .await
        .map_err(MigrateError::doing(doing()))
}

/// Compares the files with what was applied.
fn states(
    files: &[MigrationFile],
    applied: &[(i64, Vec<u8>)],
) -> Vec<(i64, Option<String>, State)> {
    let mut all: Vec<_> = files
        .iter()
        .map(|file| {
            let state = match applied.iter().find(|(version, _)| *version == file.version) {
                None => State::Pending,
                Some((_, checksum)) if **checksum == *file.to_sqlx().checksum => State::Applied,
                Some(_) => State::Edited,
            };
            (file.version, Some(file.name.clone()), state)
        })
        .collect();
    for (version, _) in applied
        .iter()
        .filter(|(version, _)| !files.iter().any(|file| file.version == *version))
    {
        let same_series = |file: &&MigrationFile| {
            (file.version < FIRST_OWN_VERSION) == (*version < FIRST_OWN_VERSION)
        };
        let newest = files
            .iter()
            .filter(same_series)
            .map(|file| file.version)
            .max()
            .unwrap_or(0);
        let state = if *version > newest {
            State::Newer
        } else {
            State::Missing
        };
        all.push((*version, None, state));
    }
    all.sort_by_key(|(version, _, _)| *version);
    all
}

fn is_pending(states: &[(i64, Option<String>, State)], version: i64) -> bool {
    states
        .iter()
        .any(|(known, _, state)| *known == version && *state == State::Pending)
}

fn refuse_wrong(schema: &str, states: &[(i64, Option<String>, State)]) -> Result<(), MigrateError> {
    for (version, name, state) in states {
        let schema = schema.to_owned();
        match state {
            State::Edited => {
                return Err(MigrateError::Edited {
                    schema,
                    version: *version,
                    name: name.clone().unwrap_or_default(),
                });
            }
            State::Missing => {
                return Err(MigrateError::Missing {
                    schema,
                    version: *version,
                });
            }
            State::Applied | State::Pending | State::Newer => {}
        }
    }
    Ok(())
}

async fn apply_one(
    conn: &mut PgConnection,
    schema: &str,
    file: &MigrationFile,
) -> Result<Duration, MigrateError> {
    if file.no_transaction() {
        drop_interrupted_indexes(conn, schema)
            .await
            .map_err(MigrateError::doing("drop interrupted indexes"))?;
    } else {
        // A migration that waits for a table's lock makes every later query of that table wait behind it.
        conn.execute("SET lock_timeout = '5s'")
            .await
            .map_err(MigrateError::doing("set the lock timeout"))?;
    }
    let took = conn
        .apply(&file.to_sqlx())
        .await
        .map_err(|source| MigrateError::Failed {
            schema: schema.to_owned(),
            version: file.version,
            name: file.name.clone(),
            source,
        })?;
    tracing::info!(migration.schema = schema, migration.version = file.version, migration.name = %file.name,
        took_ms = took.as_millis(), "applied a migration");
    Ok(took)
}

/// A `CREATE INDEX CONCURRENTLY` that was interrupted leaves an invalid index of that name behind.
async fn drop_interrupted_indexes(
    conn: &mut PgConnection,
    schema: &str,
) -> Result<(), sqlx::Error> {
    conn.execute("SET lock_timeout = 0").await?;
    let invalid: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', $1, i.relname) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
         WHERE i.relnamespace = to_regnamespace($1) AND NOT x.indisvalid",
    )
    .bind(schema)
    .fetch_all(&mut *conn)
    .await?;
    for index in invalid {
        conn.execute(format!("DROP INDEX CONCURRENTLY {index}").as_str())
            .await?;
    }
    Ok(())
}
