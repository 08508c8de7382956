//! What tables hold, in a form that is the same on every server: how many rows, and a digest of them.

use std::collections::BTreeMap;

use sqlx::{Executor, PgConnection};

use super::manifest::Table;

/// The forms in which values are written where the server lets one choose.
const FORMS: &str = "SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET timezone = 'UTC';
                     SET extra_float_digits = 1; SET bytea_output = 'hex'; SET search_path = pg_catalog, public";

/// Every table of the database that is not the system's or an extension's: its name, and the name for SQL.
const TABLES: &str = "
    SELECT n.nspname || '.' || c.relname, format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND NOT starts_with(n.nspname, 'pg_') AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1";

/// Reads every table once. The sum of the rows' digests does not depend on their order.
pub(crate) async fn read(conn: &mut PgConnection) -> sqlx::Result<BTreeMap<String, Table>> {
    conn.execute(FORMS).await?;
    let names: Vec<(String, String)> = sqlx::query_as(TABLES).fetch_all(&mut *conn).await?;
    let mut tables = BTreeMap::new();
    for (name, quoted) in names {
        let sql = format!(
            "SELECT count(*), coalesce(sum(
                      ('x' || left(encode(sha256(convert_to(bizosaas_row::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint), 0)::text
             FROM {quoted} AS bizosaas_row"
        );
        let (rows, digest) = sqlx::query_as(&sql).fetch_one(&mut *conn).await?;
        tables.insert(name, Table { rows, digest });
    }
    Ok(tables)
}
