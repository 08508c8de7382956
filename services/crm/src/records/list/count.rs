//! How many records pass, for those who ask.

use bz_http::Problem;
use bz_tenant::TenantTx;
use serde_json::Value;

use super::{Count, Which};
use crate::records::sql::Sql;

/// Up to how many an estimate is a count.
const COUNTED: i64 = 10_000;

/// The number, if it was asked for.
pub(super) async fn of(
    tx: &mut TenantTx,
    which: Which<'_>,
    count: Count,
) -> Result<Option<i64>, Problem> {
    match count {
        Count::None => Ok(None),
        Count::Exact => {
            let sql = statement(which, "SELECT count(*)", "")?;
            let (count,): (i64,) = sql.fetch_one(tx).await?;
            Ok(Some(count))
        }
        Count::Estimate => estimate(tx, which).await.map(Some),
    }
}

async fn estimate(tx: &mut TenantTx, which: Which<'_>) -> Result<i64, Problem> {
    let limit = format!(" LIMIT {}) AS counted", COUNTED + 1);
    let sql = statement(which, "SELECT count(*) FROM (SELECT 1", &limit)?;
    let (count,): (i64,) = sql.fetch_one(tx).await?;
    if count <= COUNTED {
        return Ok(count);
    }
    let sql = statement(which, "EXPLAIN (FORMAT JSON) SELECT 1", "")?;
    let (plan,): (sqlx::types::Json<Value>,) = sql.fetch_one(tx).await?;
    let guess = plan.0[0]["Plan"]["Plan Rows"].as_f64().unwrap_or_default();
    // Rows of a plan are whole and far below what a float can tell apart.
    #[expect(clippy::cast_possible_truncation, reason = "a count of rows")]
    let guess = guess as i64;
    Ok(guess.max(count))
}

fn statement(which: Which<'_>, select: &str, end: &str) -> Result<Sql, Problem> {
    let table = which.context.record.table;
    let mut sql = Sql::new(format!("{select} FROM {table} WHERE true"));
    which.push(&mut sql)?;
    sql.push(end);
    Ok(sql)
}
