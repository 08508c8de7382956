//! The connections of one service. A connection comes back without a ping, which would cost a turn of the server for
//! every request; `Db::open` notices a dead one at its `BEGIN`. The one used last is used next, so that a quiet service
//! keeps few.
//!
//! A read leaves its transaction open for whoever uses the connection next ([`leave_open`]). The next read of the same tenant goes
//! on in it, which saves the turn of its `BEGIN`; everything else ends it with its own `BEGIN`, in the same message. A connection
//! that nobody takes is rolled back after [`LEFT_OPEN_LIMIT`].

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bz_kernel::TenantId;
use deadpool::Runtime;
use deadpool::managed::{
    self, Metrics, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::tx::{Access, rollback_in_background};

/// A connection is closed at this age, so that servers behind a name can change.
const MAX_LIFETIME: Duration = Duration::from_mins(15);
/// A connection that nobody used for so long is closed.
const MAX_IDLE: Duration = Duration::from_mins(10);
/// How long the transaction of a read stays open on a connection that nobody uses.
const LEFT_OPEN_LIMIT: Duration = Duration::from_millis(10);

/// How long reads go on in one transaction: that long a change of the schema may wait for it.
const GOES_ON_LIMIT: Duration = Duration::from_millis(100);

/// Makes connections and decides how long they are kept.
pub(crate) struct Connector {
    options: PgConnectOptions,
    /// Whether a sweep is on its way.
    sweeping: AtomicBool,
}

/// A connection as the pool keeps it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) conn: PgConnection,
    /// The transaction of a read that is still open on it.
    pub(crate) left_open: Option<LeftOpen>,
}

/// A transaction that a read has left open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftOpen {
    /// Whose next read may go on in it.
    tenant: Option<TenantId>,
    /// When Postgres began it.
    pub(crate) begun: Instant,
    /// When it was left.
    left: Instant,
}

impl LeftOpen {
    pub(crate) fn now(tenant: Option<TenantId>, begun: Instant) -> Self {
        let left = Instant::now();
        Self {
            tenant,
            begun,
            left,
        }
    }

    /// Whether what begins with this access may go on in it.
    pub(crate) fn goes_on_as(&self, access: Access) -> bool {
        let same = matches!(access, Access::Read(Some(tenant)) if self.tenant == Some(tenant));
        same && self.begun.elapsed() < GOES_ON_LIMIT
    }
}

/// Says nothing of the options, which hold the password.
impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector(..)")
    }
}

impl managed::Manager for Connector {
    type Type = Session;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Session, sqlx::Error> {
        Ok(Session {
            conn: self.options.connect().await?,
            left_open: None,
        })
    }

    async fn recycle(&self, _: &mut Session, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
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

/// A pool that connects when it is asked to. Who asks bounds the time.
pub(crate) fn pool(options: PgConnectOptions, size: u32) -> Result<Pool, managed::BuildError> {
    let connector = Connector {
        options,
        sweeping: AtomicBool::new(false),
    };
    Pool::builder(connector)
        .max_size(usize::try_from(size).unwrap_or(usize::MAX))
        .queue_mode(QueueMode::Lifo)
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

/// Gives a connection back with the transaction of a read still open on it. Such a transaction can only read, so it
/// holds nothing that somebody else waits for, and sees no snapshot between two statements.
pub(crate) fn leave_open(mut conn: Pooled, left: LeftOpen) {
    // A read that was dropped in the middle of a statement leaves an answer on its way, which the next user of the
    // connection would have to wait for.
    let answered = pin!(conn.conn.flush()).poll(&mut Context::from_waker(Waker::noop()));
    if !matches!(answered, Poll::Ready(Ok(()))) {
        return rollback_in_background(Some(conn));
    }
    let (Some(pool), Ok(runtime)) = (Pooled::pool(&conn), tokio::runtime::Handle::try_current())
    else {
        return close(conn);
    };
    conn.left_open = Some(left);
    drop(conn);
    if !pool.manager().sweeping.swap(true, Ordering::AcqRel) {
        runtime.spawn(sweep(pool));
    }
}

/// Rolls back what idle connections were left with for long.
async fn sweep(pool: Pool) {
    loop {
        tokio::time::sleep(LEFT_OPEN_LIMIT).await;
        // What is left open from here on gets a sweep of its own.
        pool.manager().sweeping.store(false, Ordering::Release);
        let young = sweep_once(&pool).await;
        if !young || pool.manager().sweeping.swap(true, Ordering::AcqRel) {
            return;
        }
    }
}

/// Answers whether there are some that were left just now.
async fn sweep_once(pool: &Pool) -> bool {
    let at_once = Timeouts {
        wait: Some(Duration::ZERO),
        create: Some(Duration::ZERO),
        recycle: None,
    };
    let mut idle = Vec::new();
    for _ in 0..pool.status().available {
        let Ok(conn) = pool.timeout_get(&at_once).await else {
            break;
        };
        idle.push(conn);
    }
    let mut young = false;
    for conn in idle.into_iter().rev() {
        match conn.left_open {
            Some(left) if left.left.elapsed() >= LEFT_OPEN_LIMIT => {
                rollback_in_background(Some(conn));
            }
            left => young |= left.is_some(),
        }
    }
    young
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
