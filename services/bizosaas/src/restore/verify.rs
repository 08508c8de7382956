//! Is what was restored what was saved? Rows, migrations, roles, and the rules of tenancy: not only that they are
//! written down, also that they work.

use std::collections::{BTreeMap, BTreeSet};

use bz_tenant::catalog;
use bz_tenant::migrate::{Migrator, Target};
use sqlx::{Connection, Executor, PgConnection};

use super::tenancy;
use crate::backup::manifest::{Manifest, Schemas, Table};
use crate::backup::{roles, tables};

/// Everything that is not as it should be; one line each.
pub(super) async fn verify(target: &Target, manifest: &Manifest) -> anyhow::Result<Vec<String>> {
    let mut conn = target.connect().await?;
    let mut problems = compare(&manifest.tables, &tables::read(&mut conn).await?);
    problems.extend(migrations(target, &manifest.schemas).await?);
    problems.extend(attributes(&mut conn).await?);
    for (schema, applied) in &manifest.schemas {
        if applied.is_empty() {
            continue;
        }
        let broken = catalog::check_schema(&mut conn, schema).await?;
        problems.extend(broken.iter().map(ToString::to_string));
        problems.extend(api_role(&mut conn, schema).await?);
        problems.extend(tenancy::behaviour(&mut conn, schema).await?);
    }
    conn.close().await?;
    Ok(problems)
}

fn compare(saved: &BTreeMap<String, Table>, found: &BTreeMap<String, Table>) -> Vec<String> {
    let names: BTreeSet<&String> = saved.keys().chain(found.keys()).collect();
    let problem = |name: &String| match (saved.get(name), found.get(name)) {
        (Some(saved), Some(found)) if saved == found => None,
        (Some(saved), Some(found)) if saved.rows == found.rows => {
            Some(format!("{name} has {} rows, but not the same", saved.rows))
        }
        (Some(saved), Some(found)) => Some(format!(
            "{name} has {} rows instead of {}",
            found.rows, saved.rows
        )),
        (Some(_), None) => Some(format!("{name} is missing")),
        (None, _) => Some(format!("{name} was not in the backup")),
    };
    names.into_iter().filter_map(problem).collect()
}

async fn migrations(target: &Target, saved: &Schemas) -> anyhow::Result<Vec<String>> {
    let status = Migrator::embedded()?.status(target).await?;
    let nothing = Vec::new();
    let problems = status.iter().filter_map(|schema| {
        let found: Vec<i64> = schema.applied().collect();
        let saved = saved.get(&schema.schema).unwrap_or(&nothing);
        (found != *saved).then(|| {
            let name = &schema.schema;
            format!("schema {name} has the migrations {found:?} instead of {saved:?}")
        })
    });
    Ok(problems.collect())
}

/// The roles are there, log in or not as they should, and none is above row-level security.
async fn attributes(conn: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    let sql = "
        SELECT wanted.name || found.problem
        FROM unnest($1::text[]) AS wanted (name) LEFT JOIN pg_roles r ON r.rolname = wanted.name
        CROSS JOIN LATERAL (
          SELECT ' does not exist' AS problem WHERE r.oid IS NULL
          UNION ALL SELECT ' is a superuser' WHERE r.rolsuper
          UNION ALL SELECT ' has BYPASSRLS' WHERE r.rolbypassrls
          UNION ALL SELECT ' may create roles' WHERE r.rolcreaterole
          UNION ALL SELECT ' may create databases' WHERE r.rolcreatedb
          UNION ALL SELECT ' can log in' WHERE r.rolcanlogin AND wanted.name ~ '_(owner|relay)$'
          UNION ALL SELECT ' cannot log in' WHERE NOT r.rolcanlogin AND wanted.name ~ '_(api|migrator)$'
        ) AS found";
    sqlx::query_scalar(sql)
        .bind(roles::names())
        .fetch_all(conn)
        .await
}

/// The role that services have follows the rules in this database too.
async fn api_role(conn: &mut PgConnection, schema: &str) -> anyhow::Result<Vec<String>> {
    let sql = format!("SET ROLE {schema}_api");
    if let Err(error) = conn.execute(sql.as_str()).await {
        return Ok(vec![format!("nobody can become {schema}_api: {error}")]);
    }
    let broken = catalog::check_role(conn, schema).await;
    conn.execute("RESET ROLE").await?;
    Ok(broken?.iter().map(ToString::to_string).collect())
}
