//! SQL of ingestion.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::query_scalar;
use uuid::Uuid;

use super::TrackedEvent;

/// Events column by column, as `unnest` takes them.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    instants: Vec<DateTime<Utc>>,
    names: Vec<String>,
    actors: Vec<Option<String>>,
    sessions: Vec<Option<String>>,
    amounts: Vec<Option<i64>>,
    currencies: Vec<Option<String>>,
    props: Vec<Value>,
}

impl Columns {
    fn of(events: Vec<TrackedEvent>) -> Self {
        let mut columns = Self::default();
        for event in events {
            columns.ids.push(event.event_id.as_uuid());
            columns.instants.push(event.ts);
            columns.names.push(event.name);
            columns.actors.push(event.actor_id);
            columns.sessions.push(event.session_id);
            columns.amounts.push(event.value_minor);
            columns.currencies.push(event.currency);
            columns.props.push(Value::Object(event.props));
        }
        columns
    }
}

/// Inserts events and counts the new ones in the same statement: an event that is there already changes nothing.
/// Returns how many were new. Rows go in by id and counts by key, in one order everywhere, so that two batches cannot
/// wait for each other.
pub(crate) async fn ingest(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    mut events: Vec<TrackedEvent>,
) -> Result<u64, DbError> {
    events.sort_by_key(|event| event.event_id);
    let columns = Columns::of(events);
    let new: i64 = query_scalar(
        "-- analytics.tracked_events.ingest\n\
         WITH ins AS ( \
           INSERT INTO analytics.tracked_events \
             (event_id, ts, name, actor_id, session_id, value_minor, currency, props, received_at) \
           SELECT e.*, $9 FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::bigint[], \
                                      $7::text[], $8::jsonb[]) AS e \
           ON CONFLICT DO NOTHING RETURNING ts, name, coalesce(currency, '') AS currency, coalesce(value_minor, 0) AS amount \
         ), agg AS ( \
           SELECT date_bin('15 minutes', ts, '2000-01-01T00:00:00Z') AS bucket, name, currency, count(*) AS cnt, \
                  sum(amount)::bigint AS amount_minor \
           FROM ins GROUP BY 1, 2, 3 ORDER BY 2, 1, 3 \
         ), counted AS ( \
           INSERT INTO analytics.rollup_15m AS r (dim, name, bucket, value, currency, cnt, amount_minor) \
           SELECT '', name, bucket, '', currency, cnt, amount_minor FROM agg \
           ON CONFLICT (tenant_id, dim, name, bucket, value, currency) \
             DO UPDATE SET cnt = r.cnt + excluded.cnt, amount_minor = r.amount_minor + excluded.amount_minor \
         ) \
         SELECT count(*) FROM ins",
    )
    .bind(columns.ids)
    .bind(columns.instants)
    .bind(columns.names)
    .bind(columns.actors)
    .bind(columns.sessions)
    .bind(columns.amounts)
    .bind(columns.currencies)
    .bind(columns.props)
    .bind(now)
    .fetch_one(tx.conn())
    .await?;
    Ok(new.unsigned_abs())
}
