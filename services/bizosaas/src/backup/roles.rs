//! The roles of a database as SQL. Roles belong to all databases of a server, so `pg_dump` leaves them out; what a
//! backup needs are the services' own and whoever else owns something here or has a right on it. Never a password, and
//! never a superuser.

use bz_kernel::platform::SERVICES;
use sqlx::{FromRow, PgConnection};

/// The services' roles that there have to be, by kind.
pub(crate) const KINDS: [&str; 4] = ["owner", "migrator", "api", "relay"];

/// Settings whose value is a list that is quoted already.
const LISTS: [&str; 5] = [
    "search_path",
    "temp_tablespaces",
    "local_preload_libraries",
    "session_preload_libraries",
    "unix_socket_directories",
];

/// The names of all roles that the services have.
pub(crate) fn names() -> Vec<String> {
    let of = |schema: &str| KINDS.map(|kind| format!("{schema}_{kind}"));
    SERVICES
        .iter()
        .flat_map(|service| of(service.schema))
        .collect()
}

#[derive(FromRow)]
struct Role {
    rolname: String,
    rolinherit: bool,
    rolcreaterole: bool,
    rolcreatedb: bool,
    rolcanlogin: bool,
    rolreplication: bool,
    rolbypassrls: bool,
    rolconnlimit: i32,
    settings: Vec<String>,
}

/// Those of `$1`, those that something in this database depends on, and the roles that they are members of.
const INVOLVED: &str = "
    WITH RECURSIVE involved AS (
      SELECT oid FROM pg_roles WHERE rolname = ANY ($1)
      UNION
      SELECT d.refobjid FROM pg_shdepend d JOIN pg_database b ON b.oid = d.dbid
      WHERE b.datname = current_database() AND d.refclassid = 'pg_authid'::regclass
      UNION
      SELECT m.roleid FROM pg_auth_members m JOIN involved ON involved.oid = m.member
    ), roles AS (
      SELECT r.* FROM pg_roles r JOIN involved USING (oid) WHERE NOT r.rolsuper AND NOT starts_with(r.rolname, 'pg_')
    )";

/// Statements that make what is missing and leave alone what is there.
pub(super) async fn sql(conn: &mut PgConnection) -> sqlx::Result<String> {
    let roles = format!(
        "{INVOLVED}
         SELECT rolname::text, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit,
                coalesce((SELECT setconfig FROM pg_db_role_setting WHERE setrole = roles.oid AND setdatabase = 0), '{{}}')
                  AS settings
         FROM roles ORDER BY rolname"
    );
    let memberships = format!(
        "{INVOLVED}
         SELECT DISTINCT strong.rolname::text, weak.rolname::text
         FROM pg_auth_members m JOIN roles strong ON strong.oid = m.roleid JOIN roles weak ON weak.oid = m.member
         ORDER BY 1, 2"
    );
    let mut text = String::from(
        "-- The roles of the platform, without passwords. Makes what is missing and leaves alone what is there.\n",
    );
    let roles: Vec<Role> = sqlx::query_as(&roles)
        .bind(names())
        .fetch_all(&mut *conn)
        .await?;
    for role in &roles {
        text.push_str(&role.sql());
    }
    let memberships: Vec<(String, String)> = sqlx::query_as(&memberships)
        .bind(names())
        .fetch_all(conn)
        .await?;
    for (strong, weak) in &memberships {
        text.push_str(&unless(
            &format!(
                "pg_has_role({}, {}, 'MEMBER')",
                literal(weak),
                literal(strong)
            ),
            &[format!(
                "GRANT {} TO {}",
                identifier(strong),
                identifier(weak)
            )],
        ));
    }
    Ok(text)
}

impl Role {
    fn sql(&self) -> String {
        let name = identifier(&self.rolname);
        let word = |has: bool, word: &str| {
            let no = if has { "" } else { "NO" };
            format!(" {no}{word}")
        };
        let mut create = format!("CREATE ROLE {name} NOSUPERUSER");
        for (has, attribute) in [
            (self.rolinherit, "INHERIT"),
            (self.rolcreaterole, "CREATEROLE"),
            (self.rolcreatedb, "CREATEDB"),
            (self.rolcanlogin, "LOGIN"),
            (self.rolreplication, "REPLICATION"),
            (self.rolbypassrls, "BYPASSRLS"),
        ] {
            create.push_str(&word(has, attribute));
        }
        create.push_str(&format!(" CONNECTION LIMIT {}", self.rolconnlimit));
        let mut statements = vec![create];
        for (setting, value) in self.settings.iter().filter_map(|line| line.split_once('=')) {
            let value = match LISTS.contains(&setting) {
                true => value.to_owned(),
                false => literal(value),
            };
            statements.push(format!(
                "ALTER ROLE {name} SET {} TO {value}",
                identifier(setting)
            ));
        }
        let there = format!(
            "EXISTS (SELECT FROM pg_roles WHERE rolname = {})",
            literal(&self.rolname)
        );
        unless(&there, &statements)
    }
}

fn unless(condition: &str, statements: &[String]) -> String {
    let statements = statements.join(";\n    ");
    format!("DO $do$ BEGIN\n  IF NOT {condition} THEN\n    {statements};\n  END IF;\nEND $do$;\n")
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
