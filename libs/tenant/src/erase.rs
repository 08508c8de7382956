//! Deleting everything that a tenant has in a schema.

use std::collections::BTreeSet;

use sqlx::{FromRow, query_as, query_scalar};

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
/// Tables on which the role has no right at all are left to functions of the schema: `forget_<table>(batch)` deletes a
/// batch of the transaction's tenant and answers how many rows went.
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
    for function in forgetting(db, scope).await? {
        erased += forget(db, scope, &function).await?;
    }
    Ok(erased)
}

/// The functions that delete from tables on which the service's role has no right: `forget_<table>(batch)`.
async fn forgetting(db: &Db, scope: &TenantScope) -> Result<Vec<String>, DbError> {
    let mut tx = db.read(scope).await?;
    let functions = query_scalar(
        "-- tenant.erase.forgetting\n\
         SELECT f.proname::text FROM pg_proc f \
         JOIN pg_namespace n ON n.oid = f.pronamespace \
         JOIN pg_class c ON c.relnamespace = n.oid AND 'forget_' || c.relname = f.proname \
         WHERE n.nspname = $1 AND f.pronargs = 1 AND has_function_privilege(f.oid, 'EXECUTE') ORDER BY f.proname",
    )
    .bind(db.schema())
    .fetch_all(tx.conn())
    .await?;
    Ok(functions)
}

async fn forget(db: &Db, scope: &TenantScope, function: &str) -> Result<u64, DbError> {
    let schema = db.schema();
    let sql = format!("-- {schema}.{function}\nSELECT {schema}.\"{function}\"({BATCH}::integer)");
    let mut erased = 0;
    loop {
        let deleted: i64 = db
            .run::<_, DbError>("tenant.erase", scope, async |tx| {
                Ok(query_scalar(&sql).fetch_one(tx.conn()).await?)
            })
            .await?;
        erased += deleted.unsigned_abs();
        if deleted < BATCH {
            return Ok(erased);
        }
    }
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
         WITH found AS (SELECT ctid FROM {name} LIMIT {BATCH}), \
         gone AS (DELETE FROM {name} WHERE ctid = ANY (ARRAY(SELECT ctid FROM found)) RETURNING 1) \
         SELECT (SELECT count(*) FROM found), (SELECT count(*) FROM gone)"
    );
    let mut erased = 0;
    loop {
        let (found, gone): (i64, i64) = db
            .run::<_, DbError>("tenant.erase", scope, async |tx| {
                Ok(query_as(&sql).fetch_one(tx.conn()).await?)
            })
            .await?;
        erased += gone.unsigned_abs();
        // A row that somebody else has just changed is another one by now, which the next turn finds.
        if found < BATCH && gone >= found {
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
