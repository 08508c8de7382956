//! Deleting everything that a tenant has in a schema.

use std::collections::BTreeSet;

use sqlx::{FromRow, query, query_as};

use crate::{Db, DbError, TenantScope};

/// The most rows that one transaction deletes from one table, beside what hangs on them.
const BATCH: i64 = 1000;

/// A table with a tenant, and the tables that it refers to.
#[derive(FromRow)]
struct Table {
    name: String,
    refers_to: Vec<String>,
}

/// Deletes the rows of the scope's tenant from every table of the schema, but for the tables in `except` and for those from
/// which the service's role may not delete: an outbox, whose rows wait for their readers and go by their age, is one.
/// Answers how many rows went, without those that went with the rows they belong to.
///
/// Works under the tenant's own policy, in batches with a transaction each. Tables that come later are found by
/// themselves. Doing it again does no harm.
///
/// # Errors
/// Any [`DbError`]; what was deleted by then stays deleted.
pub async fn erase(db: &Db, scope: &TenantScope, except: &[&str]) -> Result<u64, DbError> {
    let mut erased = 0;
    for table in children_first(tables(db, scope).await?) {
        if !except.contains(&table.as_str()) {
            erased += erase_table(db, scope, &table).await?;
        }
    }
    Ok(erased)
}

async fn tables(db: &Db, scope: &TenantScope) -> Result<Vec<Table>, DbError> {
    let mut tx = db.read(scope).await?;
    let tables = query_as(
        "-- tenant.erase.tables\n\
         SELECT c.relname::text AS name, \
                coalesce(array_agg(p.relname::text) FILTER (WHERE p.oid IS NOT NULL), '{}') AS refers_to \
         FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped \
         LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid \
         LEFT JOIN pg_class p ON p.oid = k.confrelid \
         WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition \
           AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'DELETE') \
         GROUP BY c.oid, c.relname ORDER BY c.relname",
    )
    .bind(db.schema())
    .fetch_all(tx.conn())
    .await?;
    Ok(tables)
}

/// The names in an order in which no table comes before one that refers to it; in a circle, any.
fn children_first(mut tables: Vec<Table>) -> Vec<String> {
    let mut order = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let parents: BTreeSet<&String> = tables.iter().flat_map(|table| &table.refers_to).collect();
        let next = tables
            .iter()
            .position(|table| !parents.contains(&table.name))
            .unwrap_or(0);
        order.push(tables.remove(next).name);
    }
    order
}

async fn erase_table(db: &Db, scope: &TenantScope, table: &str) -> Result<u64, DbError> {
    let schema = db.schema();
    // The name comes from the catalog; quoted all the same.
    let name = format!("{schema}.\"{}\"", table.replace('"', "\"\""));
    let sql = format!(
        "-- {schema}.{table}.erase\n\
         DELETE FROM {name} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {name} LIMIT {BATCH}))"
    );
    let mut erased = 0;
    loop {
        let deleted = db
            .run::<_, DbError>("tenant.erase", scope, async |tx| {
                Ok(query(&sql).execute(tx.conn()).await?.rows_affected())
            })
            .await?;
        erased += deleted;
        if deleted < BATCH.unsigned_abs() {
            return Ok(erased);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_refers_to_something_goes_before_it() {
        let table = |name: &str, refers_to: &[&str]| Table {
            name: name.to_owned(),
            refers_to: refers_to.iter().map(ToString::to_string).collect(),
        };
        let order = children_first(vec![
            table("a_tenant", &[]),
            table("b_user", &["a_tenant"]),
            table("c_membership", &["b_user"]),
            table("d_alone", &[]),
            table("e_chicken", &["f_egg"]),
            table("f_egg", &["e_chicken"]),
        ]);
        let at = |name: &str| order.iter().position(|other| other == name).unwrap();
        assert!(at("c_membership") < at("b_user") && at("b_user") < at("a_tenant"));
        assert_eq!(order.len(), 6);
    }
}
