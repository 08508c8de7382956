//! The zones whose days are kept counted. A new one is first wanted: from then on ingestion counts its days too, while a job
//! makes the days before again, some at a time. When all are whole it becomes one of the tenant's zones.

use std::time::Duration;

use bz_service::{Core, Job, Pace};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use sqlx::{query, query_scalar};
use uuid::Uuid;

use super::{rebuild, recount::Span, tenants};

/// The most zones of a tenant.
const MAX_ZONES: i32 = 8;
/// How soon a wanted zone is noticed.
const IDLE: Duration = Duration::from_secs(2);
const FAILED: Duration = Duration::from_secs(10);

const DUE: &str = "-- analytics.tenant_data.zones_due\nSELECT * FROM analytics.zones_due($1)";

/// Asks for the days of a zone to be kept. Answers `false` when the tenant has as many zones as it may; numbers in other
/// zones are made from quarters of an hour, which is as exact and slower.
///
/// # Errors
/// Any [`DbError`].
pub async fn want(tx: &mut TenantTx, zone: Tz) -> Result<bool, DbError> {
    let is_kept: bool = query_scalar(
        "-- analytics.tenant_data.want_zone\n\
         INSERT INTO analytics.tenant_data AS d (version, wanted_zones) VALUES (1, array_remove(ARRAY[$1::text], 'UTC')) \
         ON CONFLICT (tenant_id) DO UPDATE SET wanted_zones = CASE \
           WHEN $1::text = ANY (d.zones || d.wanted_zones) OR cardinality(d.zones || d.wanted_zones) >= $2 THEN d.wanted_zones \
           ELSE d.wanted_zones || $1::text END \
         RETURNING $1::text = ANY (zones || wanted_zones)",
    )
    .bind(zone.name())
    .bind(MAX_ZONES)
    .fetch_one(tx.conn())
    .await?;
    Ok(is_kept)
}

/// The job that builds wanted zones.
pub(crate) fn job(core: Core) -> Job {
    let pace = Pace {
        idle: IDLE,
        failed: FAILED,
    };
    Job::in_turns("build-zones", pace, move |_| {
        let core = core.clone();
        async move { Ok(build_next(&core).await?) }
    })
}

/// Builds the wanted zones of one tenant; answers whether there was one.
async fn build_next(core: &Core) -> Result<bool, DbError> {
    let Some(tenant) = tenants::behind(core, DUE, Uuid::nil()).await? else {
        return Ok(false);
    };
    build(core, &TenantScope::new(tenant, None)).await?;
    Ok(true)
}

/// Builds the wanted zones of a tenant.
///
/// # Errors
/// Any [`DbError`]; the next try begins anew, which does no harm.
pub async fn build(core: &Core, scope: &TenantScope) -> Result<(), DbError> {
    let mut tx = core.db.read(scope).await?;
    let wanted: Option<Vec<String>> = query_scalar(
        "-- analytics.tenant_data.wanted\nSELECT wanted_zones FROM analytics.tenant_data",
    )
    .fetch_optional(tx.conn())
    .await?;
    drop(tx);
    for name in wanted.unwrap_or_default() {
        if let Ok(zone) = name.parse() {
            build_days(core, scope, zone).await?;
        }
        let mut tx = core.db.tenant(scope).await?;
        query(
            "-- analytics.tenant_data.zone_is_whole\n\
             UPDATE analytics.tenant_data SET version = version + 1, wanted_zones = array_remove(wanted_zones, $1::text), \
               zones = CASE WHEN $1::text = ANY (zones) THEN zones ELSE zones || $1::text END \
             WHERE $1::text = ANY (wanted_zones)",
        )
        .bind(&name)
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

/// All days of which there are counts, the newest first: they are looked at most.
async fn build_days(core: &Core, scope: &TenantScope, zone: Tz) -> Result<(), DbError> {
    let mut tx = core.db.read(scope).await?;
    let span: (Option<DateTime<Utc>>, Option<DateTime<Utc>>) = sqlx::query_as(
        "-- analytics.counts_15m.span\nSELECT min(bucket), max(bucket) FROM analytics.counts_15m WHERE dim = ''",
    )
    .fetch_one(tx.conn())
    .await?;
    drop(tx);
    let (Some(first), Some(last)) = span else {
        return Ok(());
    };
    let local = |instant: DateTime<Utc>| instant.with_timezone(&zone).date_naive();
    let days: Vec<NaiveDate> = local(first)
        .iter_days()
        .take_while(|day| *day <= local(last))
        .collect();
    // A transaction each: senders wait for one day.
    for day in days.into_iter().rev() {
        let mut tx = core.db.tenant(scope).await?;
        let known = rebuild::lock(&mut tx).await?;
        rebuild::span(&mut tx, &known, &Span::of_zone(zone, day, day)).await?;
        tx.commit().await?;
    }
    Ok(())
}
