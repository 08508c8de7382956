//! Deletes what has served its time: a little each hour, in batches, so that requests get their turn.

use std::time::Duration;

use bz_tenant::DbError;
use chrono::TimeDelta;

use crate::app::Job;
use crate::core::Core;

const EVERY: Duration = Duration::from_secs(60 * 60);
const BETWEEN_BATCHES: Duration = Duration::from_millis(200);
/// The most rows that one transaction deletes.
pub const BATCH: i32 = 1000;
/// How long a consumer may be away without missing an event.
pub const EVENTS_KEPT: TimeDelta = TimeDelta::days(30);
/// How long a request with an `Idempotency-Key` may be sent again.
pub const ANSWERS_KEPT: TimeDelta = TimeDelta::days(2);

/// A job that deletes old rows. `purge` deletes at most [`BATCH`] and answers how many; it is called again until it finds
/// fewer.
pub fn job<F>(name: &'static str, purge: impl Fn() -> F + Send + Sync + 'static) -> Job
where
    F: Future<Output = Result<i64, DbError>> + Send + 'static,
{
    Job::new(name, async move |stop| {
        let mut pause = EVERY;
        // The first run has no hurry, and replicas that start at once do not all do it.
        while stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_some()
        {
            pause = match purge().await {
                Ok(deleted) => {
                    if deleted > 0 {
                        tracing::info!(
                            retention = name,
                            deleted_rows = deleted,
                            "deleted old rows"
                        );
                    }
                    if deleted < i64::from(BATCH) {
                        EVERY
                    } else {
                        BETWEEN_BATCHES
                    }
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(
                        retention = name,
                        error,
                        "old rows could not be deleted; the next run tries again"
                    );
                    EVERY
                }
            };
        }
        Ok(())
    })
}

/// The jobs for the tables that every schema has.
pub(crate) fn common(core: &Core) -> [Job; 2] {
    let (events, answers) = (core.clone(), core.clone());
    [
        job("retention-events", move || {
            purge(events.clone(), "events", EVENTS_KEPT)
        }),
        job("retention-idempotency-keys", move || {
            purge(answers.clone(), "idempotency_keys", ANSWERS_KEPT)
        }),
    ]
}

async fn purge(core: Core, table: &'static str, kept: TimeDelta) -> Result<i64, DbError> {
    let schema = core.db.schema();
    let sql = format!("-- {schema}.{table}.purge\nSELECT {schema}.purge_{table}($1, $2)");
    let mut tx = core.db.system().await?;
    let deleted = sqlx::query_scalar(&sql)
        .bind(core.sources.now() - kept)
        .bind(BATCH)
        .fetch_one(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(deleted)
}
