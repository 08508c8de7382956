//! One migrator at a time.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};

use super::{MigrateError, Target};

/// Number of the advisory lock: "bizosaas" in ASCII.
const KEY: i64 = 0x6269_7a6f_7361_6173;
/// How often a waiting migrator asks again.
const POLL: Duration = Duration::from_millis(100);
/// How long it waits; long index builds are normal.
const PATIENCE: Duration = Duration::from_mins(15);

/// The lock that a migrator holds while it works, on a connection of its own. A backup holds it too, so that no table
/// changes its form meanwhile. It ends when it is released or the connection ends.
#[derive(Debug)]
pub struct Lock(PgConnection);

impl Lock {
    /// Waits by asking again and again. A waiting `pg_advisory_lock()` would hold a snapshot, for which the other
    /// migrator's `CREATE INDEX CONCURRENTLY` would wait in turn: a deadlock.
    ///
    /// # Errors
    /// [`MigrateError`], also when somebody has held it for a quarter of an hour.
    pub async fn take(target: &Target) -> Result<Self, MigrateError> {
        let mut conn = target.connect().await?;
        let started = Instant::now();
        loop {
            let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                .bind(KEY)
                .fetch_one(&mut conn)
                .await
                .map_err(MigrateError::doing("take the migration lock"))?;
            if taken {
                return Ok(Self(conn));
            }
            if started.elapsed() > PATIENCE {
                return Err(MigrateError::Locked(PATIENCE.as_secs()));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Fails when the connection, and with it the lock, is gone.
    pub(super) async fn still_held(&mut self) -> Result<(), MigrateError> {
        self.0.ping().await.map_err(|_| MigrateError::LockLost)
    }

    /// Lets the next one work.
    ///
    /// # Errors
    /// [`MigrateError`] when the connection had been lost.
    pub async fn release(self) -> Result<(), MigrateError> {
        self.0
            .close()
            .await
            .map_err(MigrateError::doing("release the migration lock"))
    }
}
