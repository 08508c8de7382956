//! SQL of the uses.

use bz_kernel::CrewId;
use bz_tenant::{DbError, TenantTx};
use chrono::NaiveDate;
use sqlx::{query, query_as};
use uuid::Uuid;

use super::{GroupBy, Sum};
use crate::llm::{Charge, Usage};

/// Adds a call.
pub(crate) async fn add(
    tx: &mut TenantTx,
    who: &Charge,
    day: NaiveDate,
    (provider, model): (&str, &str),
    usage: &Usage,
    cost: i64,
) -> Result<(), DbError> {
    let sql = "-- ai.usage_daily.add\n\
        INSERT INTO ai.usage_daily AS u (day, user_id, crew_id, provider, model, calls, prompt_tokens, completion_tokens, cost) \
        VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8) ON CONFLICT ON CONSTRAINT usage_daily_pkey DO UPDATE SET \
        calls = u.calls + 1, prompt_tokens = u.prompt_tokens + $6, completion_tokens = u.completion_tokens + $7, \
        cost = u.cost + $8";
    query(sql)
        .bind(day)
        .bind(who.user.as_uuid())
        .bind(who.crew.map_or(Uuid::nil(), CrewId::as_uuid))
        .bind(provider)
        .bind(model)
        .bind(i64::from(usage.prompt_tokens))
        .bind(i64::from(usage.completion_tokens))
        .bind(cost)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The sums over some days, in the order of their keys, from behind a key on.
pub(super) async fn sums(
    tx: &mut TenantTx,
    by: GroupBy,
    (from, to): (NaiveDate, NaiveDate),
    after: Option<String>,
    limit: u16,
) -> Result<Vec<Sum>, DbError> {
    let key = match by {
        GroupBy::Day => "day::text",
        GroupBy::User => "user_id::text",
        GroupBy::Crew => "crew_id::text",
        GroupBy::Provider => "provider",
        GroupBy::Model => "model",
    };
    let sql = format!(
        "-- ai.usage_daily.sums\n\
        SELECT {key} AS key, sum(calls)::bigint AS calls, sum(prompt_tokens)::bigint AS prompt_tokens, \
        sum(completion_tokens)::bigint AS completion_tokens, sum(cost)::bigint AS cost_micros \
        FROM ai.usage_daily WHERE day BETWEEN $1 AND $2 AND ($3::text IS NULL OR {key} > $3) \
        GROUP BY 1 ORDER BY 1 LIMIT $4"
    );
    Ok(query_as(&sql)
        .bind(from)
        .bind(to)
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(tx.conn())
        .await?)
}
