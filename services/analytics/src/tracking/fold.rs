//! Adding what batches brought to the rollups. A batch writes its counts as one row, which the views `counts_15m` and
//! `counts_day` read along with the rollups; once a second those of all batches together become rows of the rollups. A row that
//! forty batches count in is written once instead of forty times.

use std::time::Duration;

use bz_service::{Core, Job, Pace};
use bz_tenant::{DbError, TenantScope, TenantTx};
use sqlx::{query, query_scalar};
use uuid::Uuid;

use super::tenants;

/// How often the tenants that have deltas are gone through.
const EVERY: Duration = Duration::from_secs(1);
const FAILED: Duration = Duration::from_secs(10);
/// The most batches that are added in one transaction.
const BATCHES: i64 = 200;

const DUE: &str = "-- analytics.rollup_deltas.due\nSELECT * FROM analytics.deltas_due($1)";

/// The job that adds.
pub(super) fn job(core: Core) -> Job {
    let pace = Pace {
        idle: EVERY,
        failed: FAILED,
    };
    Job::in_turns("fold-counts", pace, move |_| {
        let core = core.clone();
        async move {
            fold_all(&core).await?;
            Ok(false)
        }
    })
}

/// Adds what there is of every tenant to its rollups. One whose batches cannot be added keeps the others from nothing.
///
/// # Errors
/// The first [`DbError`]; what was not added stays where it is, and is counted there.
pub async fn fold_all(core: &Core) -> Result<(), DbError> {
    let (mut after, mut done) = (Uuid::nil(), Ok(()));
    while let Some(tenant) = tenants::behind(core, DUE, after).await? {
        after = tenant.as_uuid();
        let folded = fold_of(core, &TenantScope::new(tenant, None)).await;
        if let Err(error) = &folded {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, tenant.id = %tenant, "counts of a tenant could not be added to its rollups");
        }
        done = done.and(folded);
    }
    done
}

/// Adds what there is of one tenant.
async fn fold_of(core: &Core, scope: &TenantScope) -> Result<(), DbError> {
    loop {
        let mut tx = core.db.tenant(scope).await?;
        let folded = fold(&mut tx, BATCHES).await?;
        tx.commit().await?;
        if folded < BATCHES {
            return Ok(());
        }
    }
}

/// Adds at most `most` of the tenant's batches to its rollups, the oldest first; answers how many.
///
/// Two who do it follow one another, because both begin with the oldest. Rows go in by key, as they do when the counts are made
/// again from the events.
pub(super) async fn fold(tx: &mut TenantTx, most: i64) -> Result<i64, DbError> {
    Ok(query_scalar(
        "-- analytics.rollup_deltas.fold\n\
         WITH taken AS ( \
           DELETE FROM analytics.rollup_deltas \
           WHERE version IN (SELECT version FROM analytics.rollup_deltas ORDER BY version LIMIT $1) RETURNING * \
         ), quarters AS ( \
           INSERT INTO analytics.rollup_15m AS r (tenant_id, dim, name, bucket, value, currency, cnt, amount_minor) \
           SELECT d.tenant_id, c.dim, c.name, c.bucket, c.value, c.currency, sum(c.cnt), sum(c.amount_minor) \
           FROM taken AS d \
           CROSS JOIN LATERAL unnest(d.dims, d.names, d.buckets, d.vals, d.currencies, d.counts, d.amounts_minor) \
             AS c (dim, name, bucket, value, currency, cnt, amount_minor) \
           GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6 \
           ON CONFLICT (tenant_id, dim, name, bucket, value, currency) \
             DO UPDATE SET cnt = r.cnt + excluded.cnt, amount_minor = r.amount_minor + excluded.amount_minor \
         ), days AS ( \
           INSERT INTO analytics.rollup_day AS r (tenant_id, zone, dim, name, day, value, currency, cnt, amount_minor) \
           SELECT d.tenant_id, c.zone, c.dim, c.name, c.day, c.value, c.currency, sum(c.cnt), sum(c.amount_minor) \
           FROM taken AS d \
           CROSS JOIN LATERAL unnest(d.day_zones, d.day_dims, d.day_names, d.days, d.day_vals, d.day_currencies, d.day_counts, \
                                     d.day_amounts_minor) \
             AS c (zone, dim, name, day, value, currency, cnt, amount_minor) \
           GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7 \
           ON CONFLICT (tenant_id, zone, dim, name, day, value, currency) \
             DO UPDATE SET cnt = r.cnt + excluded.cnt, amount_minor = r.amount_minor + excluded.amount_minor \
         ) \
         SELECT count(*) FROM taken",
    )
    .bind(most)
    .fetch_one(tx.conn())
    .await?)
}

/// Deletes what is not added yet: of a tenant that is gone nothing may come to a table that is empty already.
pub(crate) async fn forget(core: &Core, scope: &TenantScope) -> Result<(), DbError> {
    let mut tx = core.db.tenant(scope).await?;
    query("-- analytics.rollup_deltas.forget\nDELETE FROM analytics.rollup_deltas")
        .execute(tx.conn())
        .await?;
    tx.commit().await
}
