//! The connections of one service. A connection comes back without a ping, which would cost a turn of the server for
//! every request; `Db::open` notices a dead one at its `BEGIN`. The one used last is used next, so that a quiet service
//! keeps few.

use std::fmt;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, PoolError, QueueMode, RecycleError, RecycleResult};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

/// A connection is closed at this age, so that servers behind a name can change.
const MAX_LIFETIME: Duration = Duration::from_mins(15);
/// A connection that nobody used for so long is closed.
const MAX_IDLE: Duration = Duration::from_mins(10);

/// Makes connections and decides how long they are kept.
pub(crate) struct Connector(PgConnectOptions);

/// Says nothing of the options, which hold the password.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector(..)")
    }
}

impl managed::Manager for Connector {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        self.0.connect().await
    }

    async fn recycle(&self, _: &mut PgConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if is_young(metrics) {
            Ok(())
        } else {
            Err(RecycleError::message("too old"))
        }
    }
}

fn is_young(metrics: &Metrics) -> bool {
    metrics.age() < MAX_LIFETIME && metrics.last_used() < MAX_IDLE
}

/// The pool.
pub(crate) type Pool = managed::Pool<Connector>;
/// A connection that goes back to the pool when it is dropped.
pub(crate) type Pooled = managed::Object<Connector>;

/// A pool that connects when it is asked to.
pub(crate) fn pool(
    options: PgConnectOptions,
    size: u32,
    patience: Duration,
) -> Result<Pool, managed::BuildError> {
    Pool::builder(Connector(options))
        .max_size(usize::try_from(size).unwrap_or(usize::MAX))
        .queue_mode(QueueMode::Lifo)
        .wait_timeout(Some(patience))
        .create_timeout(Some(patience))
        .runtime(Runtime::Tokio1)
        .build()
}

/// Closes the connections that nobody used for long.
pub(crate) fn drop_idle(pool: &Pool) {
    let _dropped = pool.retain(|_, metrics| is_young(&metrics));
}

/// Takes a connection out for good and closes it. Nothing is said to the server, which may still be at work for it.
pub(crate) fn close(conn: Pooled) {
    drop(Pooled::take(conn));
}

/// The pool's refusals, as sqlx's own pool words them.
pub(crate) fn refusal(error: PoolError<sqlx::Error>) -> sqlx::Error {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Closed => sqlx::Error::PoolClosed,
        PoolError::Timeout(_) | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            sqlx::Error::PoolTimedOut
        }
    }
}
