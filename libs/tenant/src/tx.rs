//! Transactions that own their connection.
//!
//! An HTTP server drops a handler's future when the client goes away. sqlx's own `Transaction` can then hand a
//! connection with an open transaction, and with another tenant's setting, to the next request (docs/adr/0001). So a
//! connection whose state is unknown is closed here, and a transaction that was not committed is rolled back after the
//! answer has left.

use std::time::{Duration, Instant};

use bz_kernel::TenantId;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::QueryAs;
use sqlx::{Executor, FromRow, PgConnection, Postgres};

use crate::error::is_connection_lost;
use crate::pool::{self, LeftOpen, Pooled};
use crate::statements::Statements;
use crate::{DbError, TenantScope};

/// It leaves only in commit and drop, which end the value.
const HAS_CONNECTION: &str = "an open transaction has its connection";

/// How long a rollback may take before its connection is closed instead.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(2);

/// A `COMMIT` of a transaction in which a statement failed answers success and rolls back. The statement before it is
/// refused in that state, so that a swallowed error cannot pass for a commit; it costs no turn.
const COMMIT: &str = "SET CONSTRAINTS ALL IMMEDIATE; COMMIT";

/// A transaction pinned to one tenant: the only way to reach tenant tables. Writes end with [`TenantTx::commit`]; a
/// dropped one is rolled back off the request path, which is what a read wants.
#[must_use = "a transaction that is dropped at once does nothing"]
#[derive(Debug)]
pub struct TenantTx {
    tx: OpenTx,
    scope: TenantScope,
}

impl TenantTx {
    pub(crate) fn new(tx: OpenTx, scope: TenantScope) -> Self {
        Self { tx, scope }
    }

    /// The connection, for a statement of a store function.
    pub fn conn(&mut self) -> Statements<'_> {
        self.tx.statements()
    }

    /// Whom the transaction works for.
    #[must_use]
    pub const fn scope(&self) -> &TenantScope {
        &self.scope
    }

    /// The schema of the service that opened the transaction.
    #[must_use]
    pub const fn schema(&self) -> &'static str {
        self.tx.schema
    }

    /// No other read goes on in this transaction: for those whose statements set something to its end, as functions do that ask
    /// the planner for an index.
    pub fn ends_here(&mut self) {
        if let Access::Read(tenant) = &mut self.tx.access {
            *tenant = None;
        }
    }

    /// Makes the changes durable.
    ///
    /// # Errors
    /// Any [`DbError`]; after [`DbError::Unavailable`] it is unknown whether the changes were made.
    pub async fn commit(self) -> Result<(), DbError> {
        self.tx.commit().await
    }
}

/// A transaction without a tenant: tenant tables answer with an error in it. For tables that have none and for the
/// reviewed functions that cross tenants (`migrations/exceptions.toml`).
#[must_use = "a transaction that is dropped at once does nothing"]
#[derive(Debug)]
pub struct SystemTx {
    tx: OpenTx,
}

impl SystemTx {
    pub(crate) fn new(tx: OpenTx) -> Self {
        Self { tx }
    }

    /// The connection, for a statement of a store function.
    pub fn conn(&mut self) -> Statements<'_> {
        self.tx.statements()
    }

    pub(crate) fn raw(&mut self) -> &mut PgConnection {
        self.tx.raw()
    }

    /// The schema of the service that opened the transaction.
    #[must_use]
    pub const fn schema(&self) -> &'static str {
        self.tx.schema
    }

    /// Makes the changes durable.
    ///
    /// # Errors
    /// Any [`DbError`]; after [`DbError::Unavailable`] it is unknown whether the changes were made.
    pub async fn commit(self) -> Result<(), DbError> {
        self.tx.commit().await
    }
}

/// How a transaction begins.
#[derive(Debug)]
pub(crate) struct Begin {
    /// One or several statements, one turn.
    pub(crate) sql: String,
    pub(crate) access: Access,
}

impl Begin {
    pub(crate) fn write(scope: &TenantScope) -> Self {
        Self {
            sql: for_tenant("BEGIN", scope),
            access: Access::Write,
        }
    }

    pub(crate) fn read(scope: &TenantScope) -> Self {
        Self {
            sql: for_tenant("BEGIN READ ONLY", scope),
            access: Access::Read(Some(scope.tenant())),
        }
    }

    pub(crate) fn snapshot(scope: &TenantScope) -> Self {
        Self {
            sql: for_tenant("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", scope),
            access: Access::Read(None),
        }
    }

    pub(crate) fn system() -> Self {
        Self {
            sql: "BEGIN".to_owned(),
            access: Access::Write,
        }
    }
}

/// `BEGIN` and the tenant in one message. The only value in the text is a UUID printed by its own `Display`. `SET LOCAL`
/// is `set_config(.., true)` without a query to plan and a row to send.
fn for_tenant(begin: &str, scope: &TenantScope) -> String {
    format!("{begin}; SET LOCAL app.tenant_id = '{}'", scope.tenant())
}

/// What a transaction may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading only, which Postgres sees to. Another read of the same rows, those of the tenant, may go on in it, unless it
    /// sees one state of them to its end.
    Read(Option<TenantId>),
    /// Anything.
    Write,
}

/// An open transaction and the connection it lives on.
#[derive(Debug)]
pub(crate) struct OpenTx {
    /// Empty only inside `commit` and `drop`, which end the value.
    conn: Option<Pooled>,
    access: Access,
    /// When Postgres began it.
    begun: Instant,
    /// Whether the last statement was answered, and not with an error.
    answered: bool,
    schema: &'static str,
    name: &'static str,
    started: Instant,
}

impl OpenTx {
    /// Begins on a connection that nobody else uses, or goes on in what a read of the same tenant has left open there.
    pub(crate) async fn begin(
        mut conn: Pooled,
        begin: &Begin,
        schema: &'static str,
        name: &'static str,
    ) -> Result<Self, sqlx::Error> {
        let left = conn.left_open.take();
        let mut guard = InFlight(Some(conn));
        let begun = match left {
            Some(left) if left.goes_on_as(begin.access) => Some(left.begun),
            Some(_) => {
                // Not `AND CHAIN`: after a statement that failed, it forgets `READ ONLY`.
                let begin = format!("ROLLBACK; {}", begin.sql);
                guard.conn().execute(&*begin).await?;
                None
            }
            None => {
                guard.conn().execute(&*begin.sql).await?;
                None
            }
        };
        let started = Instant::now();
        Ok(Self {
            conn: guard.0.take(),
            access: begin.access,
            begun: begun.unwrap_or(started),
            answered: true,
            schema,
            name,
            started,
        })
    }

    #[expect(clippy::expect_used, reason = "HAS_CONNECTION")]
    fn statements(&mut self) -> Statements<'_> {
        let session = self.conn.as_mut().expect(HAS_CONNECTION);
        Statements::new(&mut session.conn, &mut self.answered)
    }

    #[expect(clippy::expect_used, reason = "HAS_CONNECTION")]
    fn raw(&mut self) -> &mut PgConnection {
        &mut self.conn.as_mut().expect(HAS_CONNECTION).conn
    }

    async fn commit(mut self) -> Result<(), DbError> {
        let mut guard = InFlight(self.conn.take());
        match guard.conn().execute(COMMIT).await {
            Ok(_) => {
                self.record("committed");
                drop(guard.0.take());
                Ok(())
            }
            Err(error) => {
                self.record("failed");
                if !is_connection_lost(&error) && matches!(error, sqlx::Error::Database(_)) {
                    rollback_in_background(guard.0.take());
                }
                Err(error.into())
            }
        }
    }

    fn record(&self, outcome: &'static str) {
        metrics::histogram!("db_transaction_seconds", "schema" => self.schema, "name" => self.name, "outcome" => outcome)
            .record(self.started.elapsed().as_secs_f64());
    }
}

impl Drop for OpenTx {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.record("rolled_back");
            match self.access {
                Access::Read(tenant) => {
                    let tenant = tenant.filter(|_| self.answered);
                    pool::leave_open(conn, LeftOpen::now(tenant, self.begun));
                }
                Access::Write => rollback_in_background(Some(conn)),
            }
        }
    }
}

/// Asks one statement outside of any transaction, and gives the connection back.
pub(crate) async fn ask<T>(
    mut conn: Pooled,
    question: QueryAs<'_, Postgres, T, PgArguments>,
) -> Result<Option<T>, sqlx::Error>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let left = conn.left_open.take();
    let mut guard = InFlight(Some(conn));
    if left.is_some() {
        guard.conn().execute("ROLLBACK").await?;
    }
    let answer = question.fetch_optional(guard.conn()).await;
    if matches!(answer, Ok(_) | Err(sqlx::Error::Database(_))) {
        drop(guard.0.take());
    }
    answer
}

/// A connection while a command is on its way. Dropped in that state it is closed, because nobody knows what the server
/// has done by then.
struct InFlight(Option<Pooled>);

impl InFlight {
    #[expect(
        clippy::expect_used,
        reason = "the connection leaves only when the command has been answered"
    )]
    fn conn(&mut self) -> &mut PgConnection {
        let session = self.0.as_mut();
        &mut session
            .expect("a command in flight has its connection")
            .conn
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            pool::close(conn);
        }
    }
}

/// Ends the transaction without anybody waiting for it, within [`ROLLBACK_LIMIT`].
pub(crate) fn rollback_in_background(conn: Option<Pooled>) {
    // The guard exists before the task does: a runtime that is shutting down drops the task unpolled.
    let mut guard = InFlight(conn);
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return;
    };
    runtime.spawn(async move {
        match tokio::time::timeout(ROLLBACK_LIMIT, guard.conn().execute("ROLLBACK")).await {
            Ok(Ok(_)) => {
                let mut conn = guard.0.take();
                if let Some(session) = &mut conn {
                    session.left_open = None;
                }
            }
            Ok(Err(error)) => tracing::debug!(%error, "rollback failed, the connection is closed"),
            Err(_) => tracing::warn!("rollback took too long, the connection is closed"),
        }
    });
}
