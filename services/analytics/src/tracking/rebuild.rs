//! Making the counts of a day again from its events: after something was erased, when a comparison finds a difference, when
//! somebody orders it. Whether they are right is found out from a snapshot, which keeps nobody waiting; only what is wrong is made
//! again, with the tenant's lock, so that what comes in meanwhile is counted after it and once.

use bz_tenant::{Db, DbError, TenantScope, TenantTx};
use chrono::NaiveDate;
use sqlx::query;

use super::{
    fold,
    known::{self, Known},
    recount::{self, Span},
};

/// Makes the counts of these UTC days, and of the local days that overlap them, again from the events. Each day is a
/// transaction of its own; senders of the tenant wait for one whose counts are wrong, and others not at all.
///
/// # Errors
/// Any [`DbError`]; the days before it are done.
pub async fn rebuild(
    db: &Db,
    scope: &TenantScope,
    days: impl IntoIterator<Item = NaiveDate>,
) -> Result<(), DbError> {
    for day in days {
        if is_right(db, scope, day).await? {
            continue;
        }
        let mut tx = db.tenant(scope).await?;
        self::day(&mut tx, day).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Whether the counts of a UTC day, and of the local days that overlap it, are what its events say.
pub(super) async fn is_right(
    db: &Db,
    scope: &TenantScope,
    day: NaiveDate,
) -> Result<bool, DbError> {
    let mut tx = db.snapshot(scope).await?;
    let known = known::load(&mut tx).await?;
    let span = Span::of_day(day, &known.zones);
    Ok(recount::differences(&mut tx, &known, &span)
        .await?
        .is_empty())
}

/// The counts of a UTC day, and of the local days that overlap it, in the transaction at hand.
pub(super) async fn day(tx: &mut TenantTx, day: NaiveDate) -> Result<(), DbError> {
    let known = lock(tx).await?;
    span(tx, &known, &Span::of_day(day, &known.zones)).await
}

/// The counts of a span. The transaction has the tenant's lock.
pub(super) async fn span(tx: &mut TenantTx, known: &Known, span: &Span) -> Result<(), DbError> {
    let found = recount::differences(tx, known, span).await?;
    recount::mend(tx, &found).await
}

/// Locks the tenant's row, counts a rebuild and a version, and answers what is known of the tenant. What batches added is
/// in the rollups afterwards: none of it comes to counts that are made from the events.
pub(super) async fn lock(tx: &mut TenantTx) -> Result<Known, DbError> {
    query(
        "-- analytics.tenant_data.lock_to_rebuild\n\
         UPDATE analytics.tenant_data SET version = version + 1, rebuilds = rebuilds + 1",
    )
    .execute(tx.conn())
    .await?;
    fold::fold(tx, i64::MAX).await?;
    known::load(tx).await
}
