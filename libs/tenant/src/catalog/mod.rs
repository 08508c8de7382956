//! The rules that a schema and a role must follow for tenancy to hold, as queries over the system catalogs.
//!
//! A service runs them at start and refuses to serve when one is broken; the tests of every service run them too. Each
//! rule is one file in `rules/`. What is allowed to break one is listed, with the reason, in `migrations/exceptions.toml`.

mod exceptions;

use sqlx::PgConnection;

pub use exceptions::{Exception, Exceptions, InvalidExceptions};

use crate::DbError;

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The rule, which is the name of its file.
    pub rule: &'static str,
    /// What breaks it: `crm.leads`, `crm.leads.some_policy`, `crm.some_index`, a role.
    pub object: String,
    /// What is wrong with it; reads on from the object.
    pub problem: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} (rule {})", self.object, self.problem, self.rule)
    }
}

macro_rules! rules {
    ($($name:ident),* $(,)?) => {
        &[$((stringify!($name), include_str!(concat!("rules/", stringify!($name), ".sql")))),*]
    };
}

/// Name and query of every rule for a schema. Each query takes the schema and answers `object` and `problem`.
const RULES: &[(&str, &str)] = rules![
    schema_exists,
    tenant_column,
    row_security,
    tenant_policy,
    open_policy,
    foreign_key,
    tenant_index,
    valid_index,
    view,
    partition_grant,
    security_definer,
    definer_form,
    public_grant,
    api_grant,
    owner,
];

/// The names of the rules for a schema.
pub fn rules() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|(name, _)| *name)
}

/// Checks `schema` against every rule, less the listed exceptions.
///
/// # Errors
/// Any [`DbError`] of reading the catalogs.
pub async fn check_schema(
    conn: &mut PgConnection,
    schema: &str,
) -> Result<Vec<Violation>, DbError> {
    let exceptions = Exceptions::embedded().map_err(|error| DbError::Config(error.to_string()))?;
    let mut violations = find_all(conn, schema).await?;
    violations.retain(|violation| !exceptions.allow(violation.rule, &violation.object));
    Ok(violations)
}

/// Checks `schema` against every rule and excuses nothing.
///
/// # Errors
/// Any [`DbError`] of reading the catalogs.
pub async fn find_all(conn: &mut PgConnection, schema: &str) -> Result<Vec<Violation>, DbError> {
    let mut violations = Vec::new();
    for (rule, sql) in RULES {
        violations.extend(query(conn, rule, sql, schema).await?);
    }
    Ok(violations)
}

/// Checks the role of this connection: no superuser, no BYPASSRLS, owner of nothing, member of nothing.
///
/// # Errors
/// Any [`DbError`] of reading the catalogs.
pub async fn check_role(conn: &mut PgConnection, schema: &str) -> Result<Vec<Violation>, DbError> {
    query(conn, "role", include_str!("rules/role.sql"), schema).await
}

async fn query(
    conn: &mut PgConnection,
    rule: &'static str,
    sql: &'static str,
    schema: &str,
) -> Result<Vec<Violation>, DbError> {
    let rows: Vec<(String, String)> = sqlx::query_as(sql)
        .persistent(false)
        .bind(schema)
        .fetch_all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(object, problem)| Violation {
            rule,
            object,
            problem,
        })
        .collect())
}

/// Whether `name` can stand in SQL without quotes: a lower-case letter, then letters, digits and underscores.
pub(crate) fn is_plain_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 40
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
