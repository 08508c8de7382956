//! Taking events in, as a whole: counts, sketches, and who is told.

use std::sync::Arc;

use bz_http::Problem;
use bz_tenant::{Db, DbError, TenantScope, TenantTx};
use chrono::{DateTime, Utc};

use super::{TrackedEvent, known, store, uniques};

/// How often a batch is tried that others were in the way of.
const ATTEMPTS: usize = 4;

/// What ingestion remembers of tenants, for the whole process.
#[derive(Default)]
pub(crate) struct Tracking {
    known: known::Memory,
    sketches: uniques::Memory,
}

/// Why a batch was not taken in.
#[derive(Debug)]
pub(crate) enum NotRecorded {
    /// What was known of the tenant is no longer true: the transaction is to be made again.
    Outdated,
    /// Something else.
    Because(Box<Problem>),
}


impl From<DbError> for NotRecorded {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Serialization(_) => Self::Outdated,
            error => Self::Because(Box::new(error.into())),
        }
    }
}

impl Tracking {
    /// Takes in events that have no faults, in a transaction of their own, and answers how many were new. The same id with
    /// the same instant counts once, also within the batch.
    ///
    /// # Errors
    /// Any problem of the database; nothing was taken in then, or it is unknown.
    pub(crate) async fn record(
        &self,
        db: &Db,
        now: DateTime<Utc>,
        scope: &TenantScope,
        events: &[TrackedEvent],
    ) -> Result<u64, Problem> {
        let mut attempt = 1;
        loop {
            let known = self.known(db, scope, events).await?;
            match self.try_once(db, now, scope, &known, events).await {
                Ok(new) => return Ok(new),
                Err(why) => self.again(scope, &mut attempt, why)?,
            }
        }
    }

    async fn try_once(
        &self,
        db: &Db,
        now: DateTime<Utc>,
        scope: &TenantScope,
        known: &known::Known,
        events: &[TrackedEvent],
    ) -> Result<u64, NotRecorded> {
        let mut tx = db.tenant(scope).await?;
        let (new, written) = self.record_in(&mut tx, now, known, events).await?;
        tx.commit().await?;
        self.keep(written);
        Ok(new)
    }

    /// What is known of the tenant.
    pub(super) async fn known(
        &self,
        db: &Db,
        scope: &TenantScope,
        events: &[TrackedEvent],
    ) -> Result<Arc<known::Known>, DbError> {
        self.known.of(db, scope, events).await
    }

    /// Goes on if it may be tried again: when what was known is outdated, or another transaction was in the way.
    pub(super) fn again(
        &self,
        scope: &TenantScope,
        attempt: &mut usize,
        why: NotRecorded,
    ) -> Result<(), Problem> {
        match why {
            NotRecorded::Because(problem) => Err(*problem),
            NotRecorded::Outdated if *attempt < ATTEMPTS => {
                self.known.forget(scope.tenant());
                *attempt += 1;
                Ok(())
            }
            NotRecorded::Outdated => {
                let cause = std::io::Error::other("other transactions were in the way");
                Err(Problem::unavailable(cause))
            }
        }
    }

    /// The work inside the transaction.
    pub(super) async fn record_in(
        &self,
        tx: &mut TenantTx,
        now: DateTime<Utc>,
        known: &known::Known,
        events: &[TrackedEvent],
    ) -> Result<(u64, uniques::Written), NotRecorded> {
        let additions = uniques::additions(events, known);
        let ingested = store::ingest(tx, now, known, events.to_vec()).await?;
        let is_known = |zone: &String| known.zones.iter().any(|known| known.name() == zone);
        if !ingested.zones.iter().flatten().all(is_known) {
            return Err(NotRecorded::Outdated);
        }
        // Nothing new: whoever is in these events was counted when they came first.
        let additions = if ingested.new > 0 { additions } else { uniques::Additions::new() };
        let rebuilds = ingested.rebuilds.unwrap_or(0);
        let written = self.sketches.add(tx, rebuilds, additions).await?;
        Ok((ingested.new.unsigned_abs(), written))
    }

    /// Remembers sketches that were committed.
    pub(super) fn keep(&self, written: uniques::Written) {
        self.sketches.keep(written);
    }
}
