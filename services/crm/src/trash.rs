//! Empties the trash: what was deleted a month ago goes, with its changes.

use bz_kernel::TenantId;
use bz_service::{Job, retention};
use bz_tenant::{Db, DbError, TenantScope};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::query_scalar;
use uuid::Uuid;

use crate::{
    app::AppState,
    records::{ALL, RecordType, sql::Sql},
};

/// The job of the service.
pub(crate) fn job(app: &AppState, days: u16) -> Job {
    let core = app.core.clone();
    retention::job("retention-trash", move || {
        let core = core.clone();
        async move {
            let before = core.sources.now() - TimeDelta::days(i64::from(days));
            empty(&core.db, before).await
        }
    })
}

/// Deletes what was put into the trash before an instant, at most [`retention::BATCH`] records of each type and tenant.
/// Answers how many of one tenant went at most, so that it is known whether there is more.
///
/// # Errors
/// Any [`DbError`]; what was deleted by then stays deleted.
pub async fn empty(db: &Db, before: DateTime<Utc>) -> Result<i64, DbError> {
    let mut most = 0;
    for tenant in due(db, before).await? {
        let mut tx = db.tenant(&TenantScope::new(tenant, None)).await?;
        let mut deleted = 0;
        for record in ALL {
            let (count,): (i64,) = statement(record, before).fetch_one(&mut tx).await?;
            deleted = deleted.max(count);
        }
        tx.commit().await?;
        most = most.max(deleted);
    }
    Ok(most)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tenants of rows of this service, which its function answers"
)]
async fn due(db: &Db, before: DateTime<Utc>) -> Result<Vec<TenantId>, DbError> {
    let mut tx = db.system().await?;
    let tenants: Vec<Uuid> =
        query_scalar("-- crm.trash.due\nSELECT tenant FROM crm.trash_due($1, $2)")
            .bind(before)
            .bind(retention::BATCH)
            .fetch_all(tx.conn())
            .await?;
    tx.commit().await?;
    Ok(tenants.into_iter().map(TenantId::trusted).collect())
}

fn statement(record: &RecordType, before: DateTime<Utc>) -> Sql {
    let table = record.table;
    let mut sql = Sql::new(format!(
        "-- {table}.empty_trash\nWITH gone AS (DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE deleted_at < "
    ));
    sql.bind(before).push(" LIMIT ").bind(retention::BATCH);
    sql.push(
        ") RETURNING id), forgotten AS (DELETE FROM crm.record_changes AS c USING gone WHERE c.record_id = gone.id) \
         SELECT count(*) FROM gone",
    );
    sql
}
