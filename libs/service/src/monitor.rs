//! The background task behind `/health`: reaches the database, checks it once, then looks once a second.

use std::sync::Arc;
use std::time::Duration;

use bz_events::Redis;
use bz_tenant::migrate::Migrator;
use bz_tenant::{Db, DbError};
use serde_json::Map;
use tokio_util::sync::CancellationToken;

use crate::app::{Details, Probe, ProbeStatus};
use crate::health::{DatabaseState, Findings, Health};

/// Time between two looks at the database and Redis.
const INTERVAL: Duration = Duration::from_secs(1);
/// First pause while the database has not been reached; it doubles up to [`INTERVAL`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Further dependencies are looked at each so many rounds: siblings are not to be hammered.
const PROBE_ROUNDS: u32 = 5;
/// Longest time one probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// A ping that waits too long means a busy pool at first; after so many in a row it means a dead database.
const SLOW_PINGS: u32 = 3;

/// Watches the dependencies of one service.
pub struct Monitor {
    db: Db,
    redis: Redis,
    health: Arc<Health>,
    required_version: i64,
    probes: Vec<Probe>,
    details: Option<Details>,
    found: Findings,
    checked: bool,
    slow_pings: u32,
    round: u32,
}

impl Monitor {
    /// A monitor that keeps `health` up to date.
    ///
    /// # Errors
    /// When the embedded migrations are malformed.
    pub fn new(db: Db, redis: Redis, health: Arc<Health>) -> anyhow::Result<Self> {
        let migrations = Migrator::embedded()?.migrations(db.schema());
        Ok(Self {
            required_version: migrations.last().map_or(0, |newest| newest.version),
            db,
            redis,
            health,
            probes: Vec::new(),
            details: None,
            found: Findings::unknown(),
            checked: false,
            slow_pings: 0,
            round: 0,
        })
    }

    /// Adds what the service itself wants shown.
    pub fn add(&mut self, probes: Vec<Probe>, details: Option<Details>) {
        self.probes = probes;
        self.details = details;
        self.round = 0;
    }

    /// Waits until the database was reached and found in order. Ends only then; never gives up.
    pub async fn until_checked(&mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            self.refresh().await;
            if self.checked {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(INTERVAL);
        }
    }

    /// Looks once a second until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let watch = async {
            loop {
                self.refresh().await;
                tokio::time::sleep(INTERVAL).await;
            }
        };
        stop.run_until_cancelled(watch).await;
    }

    /// Looks at everything that is due and tells the result to `/health`.
    pub async fn refresh(&mut self) {
        let due = self.round % PROBE_ROUNDS == 0;
        self.round = self.round.wrapping_add(1);
        let redis = redis_status(&self.redis);
        let others = probe_all(if due { &self.probes } else { &[] });
        let (database, redis, others) = futures_util::future::join3(
            database_status(&self.db, self.required_version, self.checked),
            redis,
            others,
        )
        .await;
        let database = self.settle(database);
        self.checked |= database == DatabaseState::Connected;
        self.tell_change(database, &redis);
        self.found.database = database;
        self.found.redis = redis;
        if due {
            self.found.others = others;
        }
        self.found.details = self
            .details
            .as_ref()
            .map_or_else(Map::new, |details| details());
        self.health.update(&self.found);
    }

    fn settle(&mut self, looked: Looked) -> DatabaseState {
        self.slow_pings = if matches!(looked, Looked::Slow) {
            self.slow_pings + 1
        } else {
            0
        };
        match looked {
            // Nothing that happens later makes a service trust this database.
            _ if self.found.database == DatabaseState::TenancyViolation => {
                DatabaseState::TenancyViolation
            }
            Looked::At(state) => state,
            Looked::Slow if self.checked && self.slow_pings < SLOW_PINGS => self.found.database,
            Looked::Slow | Looked::Gone if self.checked => DatabaseState::Disconnected,
            Looked::Slow | Looked::Gone => DatabaseState::Connecting,
        }
    }

    /// One line for each change, none while nothing changes.
    fn tell_change(&self, database: DatabaseState, redis: &ProbeStatus) {
        let schema = self.db.schema();
        let (before, now) = (self.found.database, database);
        if before != now {
            match now {
                DatabaseState::Connected => {
                    tracing::info!(db.schema = schema, "database connected")
                }
                _ => tracing::warn!(
                    db.schema = schema,
                    db.state = now.text(),
                    "database is not usable"
                ),
            }
        } else if self.round == 1 && now != DatabaseState::Connected {
            tracing::warn!(
                db.schema = schema,
                db.state = now.text(),
                "waiting for the database"
            );
        }
        if self.round > 1 && self.found.redis.ok != redis.ok {
            tracing::info!(redis.state = &*redis.text, "redis changed");
        }
    }
}

/// What one look at the database showed.
enum Looked {
    At(DatabaseState),
    Slow,
    Gone,
}

async fn database_status(db: &Db, required_version: i64, checked: bool) -> Looked {
    let looked = if checked {
        db.ping().await.map(|()| DatabaseState::Connected)
    } else {
        check(db, required_version).await
    };
    match looked {
        Ok(state) => Looked::At(state),
        Err(error) if error.is_timeout() => Looked::Slow,
        Err(error) => {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "database does not answer"
            );
            Looked::Gone
        }
    }
}

/// The checks of a start: the schema is new enough, the role is weak, every table keeps tenants apart.
async fn check(db: &Db, required_version: i64) -> Result<DatabaseState, DbError> {
    let version = match db.schema_version().await {
        Ok(version) => version,
        // The list of migrations is not there or not readable: nobody migrated this schema yet.
        Err(DbError::Other(_)) => return Ok(DatabaseState::MigrationsPending),
        Err(error) => return Err(error),
    };
    if version < required_version {
        return Ok(DatabaseState::MigrationsPending);
    }
    let violations = db.self_check().await?;
    for violation in &violations {
        tracing::error!(db.schema = db.schema(), "refusing to serve: {violation}");
    }
    Ok(if violations.is_empty() {
        DatabaseState::Connected
    } else {
        DatabaseState::TenancyViolation
    })
}

async fn redis_status(redis: &Redis) -> ProbeStatus {
    if !redis.is_configured() {
        // Wake-ups and shared limits are missing: the platform is correct, but not whole.
        return ProbeStatus {
            ok: false,
            ..ProbeStatus::not_configured()
        };
    }
    ProbeStatus::of(redis.ping().await.is_ok())
}

async fn probe_all(probes: &[Probe]) -> Vec<(&'static str, ProbeStatus)> {
    let check = |probe: &Probe| {
        let (name, check) = (probe.name, (probe.check)());
        async move {
            let status = tokio::time::timeout(PROBE_TIMEOUT, check).await;
            (name, status.unwrap_or_else(|_| ProbeStatus::disconnected()))
        }
    };
    futures_util::future::join_all(probes.iter().map(check)).await
}
