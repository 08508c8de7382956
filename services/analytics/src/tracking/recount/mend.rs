//! Writing counts that are stored otherwise than they should be, and no others.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use sqlx::query;

use super::Row;

/// The most rows of one statement.
const ROWS: usize = 20_000;

/// Rows column by column, as `unnest` takes them.
struct Columns<'a, T> {
    dims: Vec<&'a str>,
    names: Vec<&'a str>,
    times: Vec<T>,
    values: Vec<&'a str>,
    currencies: Vec<&'a str>,
    counts: Vec<i64>,
    amounts_minor: Vec<i64>,
}

impl<'a, T: Copy> Columns<'a, T> {
    fn of(rows: &'a [Row<T>]) -> Self {
        Self {
            dims: rows.iter().map(|row| row.dim.as_str()).collect(),
            names: rows.iter().map(|row| row.name.as_str()).collect(),
            times: rows.iter().map(|row| row.time).collect(),
            values: rows.iter().map(|row| row.value.as_str()).collect(),
            currencies: rows.iter().map(|row| row.currency.as_str()).collect(),
            counts: rows.iter().map(|row| row.sum.cnt).collect(),
            amounts_minor: rows.iter().map(|row| row.sum.amount_minor).collect(),
        }
    }
}

/// In the order of their key, which is also that of reading.
pub(super) async fn quarters(
    tx: &mut TenantTx,
    rows: &[Row<DateTime<Utc>>],
) -> Result<(), DbError> {
    for rows in rows.chunks(ROWS) {
        let columns = Columns::of(rows);
        query(
            "-- analytics.rollup_15m.mend\n\
             WITH d AS (SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::bigint[], \
                                             $7::bigint[]) AS d (dim, name, bucket, value, currency, cnt, amount_minor)), \
             gone AS ( \
               DELETE FROM analytics.rollup_15m AS r USING d WHERE d.cnt = 0 \
                 AND (r.dim, r.name, r.bucket, r.value, r.currency) = (d.dim, d.name, d.bucket, d.value, d.currency) \
             ) \
             INSERT INTO analytics.rollup_15m (tenant_id, dim, name, bucket, value, currency, cnt, amount_minor) \
             SELECT (SELECT current_setting('app.tenant_id')::uuid), d.* FROM d WHERE d.cnt <> 0 ORDER BY 2, 3, 4, 5, 6 \
             ON CONFLICT (tenant_id, dim, name, bucket, value, currency) \
               DO UPDATE SET cnt = excluded.cnt, amount_minor = excluded.amount_minor",
        )
        .bind(columns.dims)
        .bind(columns.names)
        .bind(columns.times)
        .bind(columns.values)
        .bind(columns.currencies)
        .bind(columns.counts)
        .bind(columns.amounts_minor)
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}

/// The same for the local days of a zone.
pub(super) async fn days(
    tx: &mut TenantTx,
    zone: Tz,
    rows: &[Row<NaiveDate>],
) -> Result<(), DbError> {
    for rows in rows.chunks(ROWS) {
        let columns = Columns::of(rows);
        query(
            "-- analytics.rollup_day.mend\n\
             WITH d AS (SELECT * FROM unnest($2::text[], $3::text[], $4::date[], $5::text[], $6::text[], $7::bigint[], \
                                             $8::bigint[]) AS d (dim, name, day, value, currency, cnt, amount_minor)), \
             gone AS ( \
               DELETE FROM analytics.rollup_day AS r USING d WHERE d.cnt = 0 AND r.zone = $1 \
                 AND (r.dim, r.name, r.day, r.value, r.currency) = (d.dim, d.name, d.day, d.value, d.currency) \
             ) \
             INSERT INTO analytics.rollup_day (tenant_id, zone, dim, name, day, value, currency, cnt, amount_minor) \
             SELECT (SELECT current_setting('app.tenant_id')::uuid), $1, d.* FROM d WHERE d.cnt <> 0 ORDER BY 3, 4, 5, 6, 7 \
             ON CONFLICT (tenant_id, zone, dim, name, day, value, currency) \
               DO UPDATE SET cnt = excluded.cnt, amount_minor = excluded.amount_minor",
        )
        .bind(zone.name())
        .bind(columns.dims)
        .bind(columns.names)
        .bind(columns.times)
        .bind(columns.values)
        .bind(columns.currencies)
        .bind(columns.counts)
        .bind(columns.amounts_minor)
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}
