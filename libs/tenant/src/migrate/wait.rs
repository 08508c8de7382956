//! Waiting for a database that starts at the same time as its migrator.

use std::io;
use std::time::Duration;

use bz_kernel::error_chain;
use sqlx::Connection;
use tokio::time::{Instant, timeout};

use super::{MigrateError, Target};
use crate::DbError;

/// Longest time for one attempt: a host that drops packets would take minutes.
const ATTEMPT: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Target {
    /// Connects as [`Target::connect`] does, again and again with a growing pause while the server is not there or just
    /// starts, for at most `limit`. `on_change` is told each new reason for waiting, and the end of the waiting. What
    /// waiting does not mend, a wrong password or a database that does not exist, fails at once.
    ///
    /// # Errors
    /// [`MigrateError`] of the last attempt.
    pub async fn wait_until_reachable(
        &self,
        limit: Duration,
        mut on_change: impl FnMut(&str),
    ) -> Result<(), MigrateError> {
        let deadline = Instant::now() + limit;
        let (mut reason, mut pause) = (String::new(), FIRST_PAUSE);
        loop {
            let error = match self.attempt().await {
                Ok(()) if reason.is_empty() => return Ok(()),
                Ok(()) => {
                    on_change("the database answers");
                    return Ok(());
                }
                Err(error) => error,
            };
            if !may_pass(&error) || Instant::now() + pause > deadline {
                return Err(error);
            }
            let now = error_chain(&error);
            if now != reason {
                on_change(&format!("waiting for the database: {now}"));
                reason = now;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(&self) -> Result<(), MigrateError> {
        let late = |_| {
            let error = sqlx::Error::Io(io::ErrorKind::TimedOut.into());
            Err(MigrateError::doing("connect to the database")(error))
        };
        let connected = timeout(ATTEMPT, self.connect()).await;
        connected
            .unwrap_or_else(late)?
            .close()
            .await
            .map_err(MigrateError::doing("close the connection"))
    }
}

/// Whether the same attempt may succeed later: nobody listens, no name is found, the server starts or is full.
fn may_pass(error: &MigrateError) -> bool {
    let MigrateError::Database {
        source: DbError::Unavailable(error),
        ..
    } = error
    else {
        return false;
    };
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            ["08", "53", "57P"]
                .iter()
                .any(|class| code.starts_with(class))
        }
        _ => false,
    }
}
