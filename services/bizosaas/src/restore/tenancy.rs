//! Does row-level security work? As a service's role: with a tenant exactly its rows are seen, without one nothing.

use sqlx::{Executor, FromRow, PgConnection};
use uuid::Uuid;

/// The tables of tenants that the service's role may read.
const TABLES: &str = "
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND has_table_privilege($1 || '_api', c.oid, 'SELECT')
    ORDER BY 1";

/// A tenant and how many rows it has.
#[derive(FromRow)]
struct Tenant {
    tenant_id: Uuid,
    rows: i64,
}

/// What does not work; one line each.
pub(super) async fn behaviour(
    conn: &mut PgConnection,
    schema: &str,
) -> anyhow::Result<Vec<String>> {
    let tables: Vec<String> = sqlx::query_scalar(TABLES)
        .bind(schema)
        .fetch_all(&mut *conn)
        .await?;
    let mut problems = Vec::new();
    for table in tables {
        problems.extend(of_table(conn, schema, &table).await?);
    }
    Ok(problems)
}

async fn of_table(
    conn: &mut PgConnection,
    schema: &str,
    table: &str,
) -> anyhow::Result<Option<String>> {
    let largest = format!(
        "SELECT tenant_id, count(*) AS rows FROM {table} GROUP BY tenant_id ORDER BY rows DESC LIMIT 1"
    );
    let Some(tenant): Option<Tenant> = sqlx::query_as(&largest).fetch_optional(&mut *conn).await?
    else {
        return Ok(None);
    };
    let own = seen(conn, schema, table, Some(tenant.tenant_id)).await?;
    let foreign = seen(conn, schema, table, Some(Uuid::max())).await?;
    let anybody = seen(conn, schema, table, None).await?;
    let rows = tenant.rows;
    Ok(match (own, foreign, anybody) {
        (Some(own), Some(0), None | Some(0)) if own == rows => None,
        (own, Some(0), None | Some(0)) => Some(format!(
            "{table}: {schema}_api sees {} of the {rows} rows of a tenant",
            own.unwrap_or(0)
        )),
        _ => Some(format!(
            "{table}: {schema}_api sees rows of a tenant that is not its own"
        )),
    })
}

/// How many rows the service's role sees with this tenant, or with none; nothing when it is refused.
async fn seen(
    conn: &mut PgConnection,
    schema: &str,
    table: &str,
    tenant: Option<Uuid>,
) -> sqlx::Result<Option<i64>> {
    let tenant = tenant.map_or_else(String::new, |id| {
        format!("SET LOCAL app.tenant_id = '{id}'")
    });
    conn.execute(format!("BEGIN; SET LOCAL ROLE {schema}_api; {tenant}").as_str())
        .await?;
    let count = sqlx::query_scalar(&format!("SELECT count(*) FROM {table}"))
        .fetch_one(&mut *conn)
        .await;
    conn.execute("ROLLBACK").await?;
    match count {
        Ok(count) => Ok(Some(count)),
        Err(sqlx::Error::Database(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
