//! SQL of ingestion.

use std::{collections::BTreeSet, sync::LazyLock};

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};
use serde_json::{Map, Value};
use sqlx::{FromRow, query_as, types::Json};
use uuid::Uuid;

use super::{
    TrackedEvent,
    known::Known,
    sums::{bounded, sums},
};

/// What became of a batch.
#[derive(Debug, FromRow)]
pub(crate) struct Ingested {
    /// How many events were new.
    pub(crate) new: i64,
    /// The zones whose days had to be counted; none when nothing was new.
    pub(crate) zones: Option<Vec<String>>,
    /// How often the tenant's counts were made again.
    pub(crate) rebuilds: Option<i64>,
}

/// Events column by column, as `unnest` takes them.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    instants: Vec<DateTime<Utc>>,
    names: Vec<&'a str>,
    actors: Vec<Option<&'a str>>,
    sessions: Vec<Option<&'a str>>,
    dimensions: [Vec<Option<&'a str>>; 6],
    amounts: Vec<Option<i64>>,
    currencies: Vec<Option<&'a str>>,
    props: Vec<Json<&'a Map<String, Value>>>,
}

impl<'a> Columns<'a> {
    fn of(events: &'a [TrackedEvent]) -> Self {
        let mut events: Vec<_> = events.iter().collect();
        events.sort_by_key(|event| event.event_id);
        let mut columns = Self::default();
        for event in events {
            columns.ids.push(event.event_id.as_uuid());
            columns.instants.push(event.ts);
            columns.names.push(&event.name);
            columns.actors.push(event.actor_id.as_deref());
            columns.sessions.push(event.session_id.as_deref());
            for (column, value) in columns.dimensions.iter_mut().zip(event.dimensions()) {
                column.push(value);
            }
            columns.amounts.push(event.value_minor);
            columns.currencies.push(event.currency.as_deref());
            columns.props.push(Json(&event.props));
        }
        columns
    }
}

/// The local days of the quarters of an hour that events are in, by zone. One time zone database, ours, says which.
#[derive(Default)]
struct LocalDays {
    zones: Vec<&'static str>,
    buckets: Vec<DateTime<Utc>>,
    days: Vec<NaiveDate>,
}

impl LocalDays {
    fn of(events: &[TrackedEvent], known: &Known) -> Self {
        let quarter = |event: &TrackedEvent| event.ts.duration_trunc(TimeDelta::minutes(15)).ok();
        let buckets: BTreeSet<_> = events.iter().filter_map(quarter).collect();
        let mut days = Self::default();
        for zone in &known.zones {
            for bucket in &buckets {
                days.zones.push(zone.name());
                days.buckets.push(*bucket);
                days.days.push(bucket.with_timezone(zone).date_naive());
            }
        }
        days
    }
}

/// The statement, for batches without and with values that are counted together.
static STATEMENTS: LazyLock<[String; 2]> = LazyLock::new(|| {
    [
        statement(&sums("agg")),
        statement(&format!("{}, {}", sums("sums"), bounded())),
    ]
});

/// The tenant is given though it is the default of the column, which would be worked out for every row.
///
/// The rows go in first, and what is new of them is added up. Only then is the tenant's row locked, which tells the zones as they
/// are then: senders of one tenant follow one another from there, so they cannot wait for each other, and what is left is short.
fn statement(agg: &str) -> String {
    format!(
        "-- analytics.tracked_events.ingest\n\
         WITH ins AS ( \
           INSERT INTO analytics.tracked_events (tenant_id, event_id, ts, name, actor_id, session_id, source, medium, \
                                                 campaign, country, device, path, value_minor, currency, props, received_at) \
           SELECT (SELECT current_setting('app.tenant_id')::uuid), e.*, $15 \
           FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], \
                       $9::text[], $10::text[], $11::text[], $12::bigint[], $13::text[], $14::jsonb[]) AS e \
           ON CONFLICT DO NOTHING \
           RETURNING ts, name, source, medium, campaign, country, device, path, value_minor, currency \
         ), {agg}, tenant AS ( \
           INSERT INTO analytics.tenant_data AS d (version) SELECT 1 FROM agg HAVING count(*) > 0 \
           ON CONFLICT (tenant_id) DO UPDATE SET version = d.version + 1 \
           RETURNING tenant_id, version, zones || wanted_zones AS zones, rebuilds \
         ), days AS ( \
           SELECT l.zone, agg.dim, agg.name, l.day, agg.value, agg.currency, sum(agg.cnt)::bigint AS cnt, \
                  sum(agg.amount_minor)::bigint AS amount_minor \
           FROM tenant \
           JOIN unnest($16::text[], $17::timestamptz[], $18::date[]) AS l (zone, bucket, day) ON l.zone = ANY (tenant.zones) \
           JOIN agg ON agg.bucket = l.bucket \
           GROUP BY 1, 2, 3, 4, 5, 6 \
         ), delta AS ( \
           INSERT INTO analytics.rollup_deltas ( \
             tenant_id, version, dims, names, buckets, vals, currencies, counts, amounts_minor, \
             day_zones, day_dims, day_names, days, day_vals, day_currencies, day_counts, day_amounts_minor) \
           SELECT tenant.tenant_id, tenant.version, q.*, d.* FROM tenant, \
             (SELECT array_agg(dim), array_agg(name), array_agg(bucket), array_agg(value), array_agg(currency), \
                     array_agg(cnt), array_agg(amount_minor) FROM agg) AS q, \
             (SELECT array_agg(zone), array_agg(dim), array_agg(name), array_agg(day), array_agg(value), array_agg(currency), \
                     array_agg(cnt), array_agg(amount_minor) FROM days) AS d \
         ) \
         SELECT (SELECT count(*) FROM ins) AS new, tenant.zones, tenant.rebuilds \
         FROM (VALUES (1)) AS one LEFT JOIN tenant ON true \
         WHERE $19::text[] IS NOT NULL AND $20::text[] IS NOT NULL"
    )
}

/// Inserts events and counts the new ones in the same statement: an event that is there already changes nothing. Rows go
/// in by id, in one order everywhere, so that two batches cannot wait for each other.
pub(super) async fn ingest(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    known: &Known,
    events: &[TrackedEvent],
) -> Result<Ingested, DbError> {
    let days = LocalDays::of(events, known);
    let (dimensions, values) = known.others(events);
    let statement = &STATEMENTS[usize::from(!values.is_empty())];
    let columns = Columns::of(events);
    let [source, medium, campaign, country, device, path] = columns.dimensions;
    Ok(query_as(statement)
        .bind(columns.ids)
        .bind(columns.instants)
        .bind(columns.names)
        .bind(columns.actors)
        .bind(columns.sessions)
        .bind(source)
        .bind(medium)
        .bind(campaign)
        .bind(country)
        .bind(device)
        .bind(path)
        .bind(columns.amounts)
        .bind(columns.currencies)
        .bind(columns.props)
        .bind(now)
        .bind(days.zones)
        .bind(days.buckets)
        .bind(days.days)
        .bind(dimensions)
        .bind(values)
        .fetch_one(tx.conn())
        .await?)
}
