//! The handle to a service's schema.

use std::time::{Duration, Instant};

use bz_kernel::{ExposeSecret, SecretString, TenantId};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{Connection, FromRow, Postgres, query::QueryAs};
use tracing::Instrument;
use uuid::Uuid;

use crate::error::is_connection_lost;
use crate::pool::{self, Pool, Pooled};
use crate::tx::{self, Begin, OpenTx};
use crate::{DbError, SystemTx, TenantScope, TenantTx, Violation, catalog};

/// The name under which transactions without a name of their own are measured.
const UNNAMED: &str = "unnamed";

/// Where a service's schema is and how many connections it may use.
#[derive(Clone, Debug)]
pub struct DbConfig {
    /// `postgres://crm_api:password@host:port/database`.
    pub url: SecretString,
    /// The most connections that this process opens.
    pub pool_size: u32,
    /// How long a request waits for a connection before it answers that the database is unavailable.
    pub acquire_timeout: Duration,
    /// The service's schema, for example `crm`.
    pub schema: &'static str,
}

/// A service's database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pool: Pool,
    pool_size: u32,
    acquire_timeout: Duration,
    schema: &'static str,
}

/// How the pool is used right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// Open connections.
    pub size: u32,
    /// Open connections that nobody uses.
    pub idle: u32,
    /// The most that may be open.
    pub max: u32,
}

impl Db {
    /// Prepares the pool without connecting, so that a process can start before its database does.
    ///
    /// # Errors
    /// [`DbError::Config`] for an address that cannot be one.
    pub fn connect_lazy(cfg: &DbConfig) -> Result<Self, DbError> {
        if !catalog::is_plain_name(cfg.schema) {
            return Err(DbError::Config(format!(
                "{:?} is not a schema name",
                cfg.schema
            )));
        }
        let options = address(&cfg.url)?;
        let options = options.application_name(cfg.schema);
        let pool = pool::pool(options, cfg.pool_size)
            .map_err(|error| DbError::Config(error.to_string()))?;
        Ok(Self {
            pool,
            pool_size: cfg.pool_size,
            acquire_timeout: cfg.acquire_timeout,
            schema: cfg.schema,
        })
    }

    /// The schema of the service.
    #[must_use]
    pub const fn schema(&self) -> &'static str {
        self.schema
    }

    /// Opens a transaction that sees the rows of one tenant. One turn to the server.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when there is no connection in time.
    pub async fn tenant(&self, scope: &TenantScope) -> Result<TenantTx, DbError> {
        self.named_tenant(UNNAMED, scope).await
    }

    /// Opens a transaction that can only read the rows of one tenant. It is cheaper than [`Db::tenant`]: nobody waits for
    /// its end, so the next transaction on the connection ends it.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when there is no connection in time.
    pub async fn read(&self, scope: &TenantScope) -> Result<TenantTx, DbError> {
        self.open(&Begin::read(scope), UNNAMED)
            .await
            .map(|tx| TenantTx::new(tx, *scope))
    }

    /// Opens a transaction as [`Db::read`] does in which all statements see the same rows, whatever is written meanwhile.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when there is no connection in time.
    pub async fn snapshot(&self, scope: &TenantScope) -> Result<TenantTx, DbError> {
        self.open(&Begin::snapshot(scope), UNNAMED)
            .await
            .map(|tx| TenantTx::new(tx, *scope))
    }

    /// Opens a transaction that has no tenant: tenant tables are errors in it.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when there is no connection in time.
    pub async fn system(&self) -> Result<SystemTx, DbError> {
        self.open(&Begin::system(), UNNAMED)
            .await
            .map(SystemTx::new)
    }

    /// The first row that one statement answers, which begins without a tenant and is a transaction of its own: one turn to
    /// the server. It only reads, because it is sent again when its connection turns out to be dead. A function of the schema
    /// may set a tenant for itself, which ends with it.
    ///
    /// # Errors
    /// Any [`DbError`].
    pub async fn ask<'q, T>(
        &self,
        question: impl Fn() -> QueryAs<'q, Postgres, T, PgArguments>,
    ) -> Result<Option<T>, DbError>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut attempts = 0;
        loop {
            let conn = self.acquire().await?;
            match tx::ask(conn, question()).await {
                Err(error) if is_connection_lost(&error) && attempts < self.pool_size => {
                    self.count_stale();
                    attempts += 1;
                }
                answered => return Ok(answered?),
            }
        }
    }

    /// What is due of all tenants: whose it is and which, as a reviewed function of the schema answers (`crm.jobs_due`). What
    /// the function writes, a lease, stays.
    ///
    /// # Errors
    /// Any [`DbError`]; then nothing is taken.
    #[expect(
        clippy::disallowed_methods,
        reason = "the tenant of a row of this service, which its function answers"
    )]
    pub async fn due<'q>(
        &self,
        function: QueryAs<'q, Postgres, (Uuid, Uuid), PgArguments>,
    ) -> Result<Vec<(TenantId, Uuid)>, DbError> {
        let mut tx = self.system().await?;
        let rows = function.fetch_all(tx.conn()).await?;
        tx.commit().await?;
        let taken = |(tenant, id)| (TenantId::trusted(tenant), id);
        Ok(rows.into_iter().map(taken).collect())
    }

    /// Runs `f` in a transaction that is measured under `name` (`crm.lead.convert`), and commits when it answers `Ok`.
    ///
    /// # Errors
    /// What `f` answers, or the [`DbError`] of beginning and committing.
    pub async fn run<T, E>(
        &self,
        name: &'static str,
        scope: &TenantScope,
        f: impl AsyncFnOnce(&mut TenantTx) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<DbError>,
    {
        let span = tracing::debug_span!("db.transaction", db.transaction = name);
        let work = async {
            let mut tx = self.named_tenant(name, scope).await?;
            let value = f(&mut tx).await?;
            tx.commit().await?;
            Ok(value)
        };
        work.instrument(span).await
    }

    /// One turn to the server and back.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when there is no answer within the acquire timeout.
    pub async fn ping(&self) -> Result<(), DbError> {
        pool::drop_idle(&self.pool);
        let mut tx = self.system().await?;
        self.in_time(tx.raw().ping()).await?;
        Ok(())
    }

    /// Waits until the database answers, for ever, with a growing pause; `on_retry` is told each failure and the pause
    /// that follows it.
    pub async fn wait_until_reachable(&self, mut on_retry: impl FnMut(&DbError, Duration)) {
        let mut pause = Duration::from_millis(100);
        while let Err(error) = self.ping().await {
            on_retry(&error, pause);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Checks the role of this connection and the tables of the schema against the rules of tenancy. A service refuses
    /// to serve unless the answer is empty.
    ///
    /// # Errors
    /// Any [`DbError`].
    pub async fn self_check(&self) -> Result<Vec<Violation>, DbError> {
        let mut tx = self.system().await?;
        let mut violations = catalog::check_role(tx.raw(), self.schema).await?;
        violations.extend(catalog::check_schema(tx.raw(), self.schema).await?);
        Ok(violations)
    }

    /// The newest migration of the schema; 0 for an empty one.
    ///
    /// # Errors
    /// Any [`DbError`]; [`DbError::Other`] when the schema was never migrated.
    pub async fn schema_version(&self) -> Result<i64, DbError> {
        let mut tx = self.system().await?;
        let sql = format!(
            "-- {0}.schema_version\nSELECT coalesce(max(version), 0) FROM {0}._sqlx_migrations",
            self.schema
        );
        Ok(sqlx::query_scalar(&sql).fetch_one(tx.conn()).await?)
    }

    /// How the pool is used right now.
    #[must_use]
    pub fn pool_status(&self) -> PoolStatus {
        let status = self.pool.status();
        let count = |n| u32::try_from(n).unwrap_or(u32::MAX);
        PoolStatus {
            size: count(status.size),
            idle: count(status.available),
            max: self.pool_size,
        }
    }

    /// Closes all connections, after the work that uses them.
    pub async fn close(&self) {
        self.pool.close();
        while self.pool.status().size > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn named_tenant(
        &self,
        name: &'static str,
        scope: &TenantScope,
    ) -> Result<TenantTx, DbError> {
        self.open(&Begin::write(scope), name)
            .await
            .map(|tx| TenantTx::new(tx, *scope))
    }

    async fn open(&self, begin: &Begin, name: &'static str) -> Result<OpenTx, DbError> {
        let mut attempts = 0;
        loop {
            let conn = self.acquire().await?;
            match self
                .in_time(OpenTx::begin(conn, begin, self.schema, name))
                .await
            {
                // Nothing has happened yet, so BEGIN may go out again on another connection when the server closed
                // this one while it was idle. At worst all idle ones are dead.
                Err(error) if is_connection_lost(&error) && attempts < self.pool_size => {
                    self.count_stale();
                    attempts += 1;
                }
                opened => return Ok(opened?),
            }
        }
    }

    async fn acquire(&self) -> Result<Pooled, sqlx::Error> {
        let asked = Instant::now();
        let acquired = self
            .in_time(async { self.pool.get().await.map_err(pool::refusal) })
            .await;
        metrics::histogram!("db_pool_wait_seconds", "schema" => self.schema)
            .record(asked.elapsed().as_secs_f64());
        acquired
    }

    fn count_stale(&self) {
        metrics::counter!("db_stale_connections_total", "schema" => self.schema).increment(1);
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        tokio::time::timeout(self.acquire_timeout, work)
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}

/// Reads an address. The parser's own message may quote the password, and it takes any scheme.
fn address(url: &SecretString) -> Result<PgConnectOptions, DbError> {
    let url = url.expose_secret();
    let postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let parsed = postgres.then(|| url.parse().ok()).flatten();
    parsed.ok_or_else(|| {
        DbError::Config("the address is not of the form postgres://user:password@host/db".into())
    })
}
