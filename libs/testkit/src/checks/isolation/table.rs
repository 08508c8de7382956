//! What the catalog says of a table, and a row that fits it.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::candidates::candidates;

/// A tenant table of the schema.
pub(super) struct Table {
    /// `crm.leads`
    pub(super) name: String,
    columns: Vec<Column>,
    checks: Vec<Check>,
}

#[derive(sqlx::FromRow)]
pub(super) struct Column {
    number: i16,
    name: String,
    pub(super) type_name: String,
    pub(super) labels: Option<Vec<String>>,
    pub(super) nullable: bool,
    has_default: bool,
    computed: bool,
}

#[derive(sqlx::FromRow)]
struct Check {
    expression: String,
    columns: Vec<i16>,
}

/// Every table with a `tenant_id`, partitions aside: those have no rights of their own.
const TABLES: &str = "
    SELECT c.oid, format('%I.%I', n.nspname, c.relname)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY c.relname";

const COLUMNS: &str = "
    SELECT attnum AS number, quote_ident(attname) AS name, format_type(atttypid, atttypmod) AS type_name,
           (SELECT array_agg(enumlabel::text) FROM pg_enum WHERE enumtypid = atttypid) AS labels,
           NOT attnotnull AS nullable, atthasdef AS has_default, attidentity <> '' OR attgenerated <> '' AS computed
    FROM pg_attribute
    WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum";

const CHECKS: &str = "
    SELECT pg_get_expr(conbin, conrelid) AS expression, conkey AS columns
    FROM pg_constraint
    WHERE conrelid = $1 AND contype = 'c' AND cardinality(conkey) > 0
    ORDER BY conname";

/// The tenant tables of a schema.
pub(super) async fn tables(
    admin: &mut PgConnection,
    schema: &str,
) -> Result<Vec<Table>, sqlx::Error> {
    let found: Vec<(sqlx::postgres::types::Oid, String)> = sqlx::query_as(TABLES)
        .bind(schema)
        .fetch_all(&mut *admin)
        .await?;
    let mut tables = Vec::new();
    for (oid, name) in found {
        let columns = sqlx::query_as(COLUMNS)
            .bind(oid)
            .fetch_all(&mut *admin)
            .await?;
        let checks = sqlx::query_as(CHECKS)
            .bind(oid)
            .fetch_all(&mut *admin)
            .await?;
        tables.push(Table {
            name,
            columns,
            checks,
        });
    }
    Ok(tables)
}

impl Table {
    /// A statement that inserts one row for `{tenant}`. The server itself looks for values: each column that is
    /// required or that a `CHECK` names gets a list of candidates, and the `CHECK`s choose among them.
    pub(super) fn insert(&self) -> String {
        let checks = self.usable_checks();
        let checked: BTreeSet<i16> = checks
            .iter()
            .flat_map(|check| check.columns.iter().copied())
            .collect();
        let wanted = |column: &&Column| {
            let required = !column.nullable && !column.has_default;
            !column.computed
                && (required || checked.contains(&column.number) || column.name == "tenant_id")
        };
        let columns: Vec<&Column> = self.columns.iter().filter(wanted).collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let lists = columns
            .iter()
            .enumerate()
            .map(|(n, column)| list(n, column, &checks));
        let conditions = checks
            .iter()
            .map(|check| format!(" AND ({}) IS NOT FALSE", check.expression));
        format!(
            "INSERT INTO {table} ({names}) SELECT {names} FROM {lists} WHERE true{conditions} LIMIT 1",
            table = self.name,
            names = names.join(", "),
            lists = lists.collect::<Vec<_>>().join(" CROSS JOIN "),
            conditions = conditions.collect::<String>(),
        )
    }

    /// The checks that do not look at columns which the server computes.
    fn usable_checks(&self) -> Vec<&Check> {
        let computed = |number: &i16| {
            self.columns
                .iter()
                .any(|column| column.number == *number && column.computed)
        };
        self.checks
            .iter()
            .filter(|check| !check.columns.iter().any(computed))
            .collect()
    }
}

/// The candidates of one column as a joined list of values.
fn list(n: usize, column: &Column, checks: &[&Check]) -> String {
    let about = checks
        .iter()
        .filter(|check| check.columns.contains(&column.number));
    let expressions: Vec<&str> = about.map(|check| check.expression.as_str()).collect();
    let values = candidates(column, &expressions);
    let cast = |value: String| format!("(CAST({value} AS {}))", column.type_name);
    let values: Vec<String> = match column.name.as_str() {
        "tenant_id" => vec!["('{tenant}'::uuid)".to_owned()],
        _ => values.into_iter().map(cast).collect(),
    };
    format!(
        "(VALUES {}) AS list_{n} ({})",
        values.join(", "),
        column.name
    )
}
