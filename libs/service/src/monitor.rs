//! The background task behind `/health`: reaches the database, checks it once, then looks once a second.

use std::sync::Arc;
use std::time::Duration;

use bz_events::Redis;
use bz_tenant::migrate::Migrator;
use bz_tenant::{Db, DbError};
use serde_json::Map;
use tokio::time::MissedTickBehavior;
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
            match self.found.database {
                DatabaseState::Connected => return,
                // Nothing that happens later makes this process trust the database.
                DatabaseState::TenancyViolation => std::future::pending().await,
                _ => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(INTERVAL);
        }
    }

    /// Looks once a second until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watch = async {
            loop {
                ticks.tick().await;
                self.refresh().await;
            }
        };
        stop.run_until_cancelled(watch).await;
    }

    /// Looks at everything that is due and tells the result to `/health`.
    pub async fn refresh(&mut self) {
        let due = self.round.is_multiple_of(PROBE_ROUNDS);
        self.round = self.round.wrapping_add(1);
        let redis = redis_status(&self.redis);
        let others = probe_all(if due { &self.probes } else { &[] });
        let (database, redis, others) = futures_util::future::join3(
            database_status(&self.db, self.required_version, self.checked),
            redis,
            others,
        )
        .await;
        let state = self.settle(&database);
        self.checked |= state == DatabaseState::Connected;
        self.tell_change(state, &database, &redis);
        self.found.database = state;
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

    fn settle(&mut self, looked: &Looked) -> DatabaseState {
        self.slow_pings = if matches!(looked, Looked::Slow(_)) {
            self.slow_pings + 1
        } else {
            0
        };
        match looked {
            Looked::At(state) => *state,
            Looked::Slow(_) if self.checked && self.slow_pings < SLOW_PINGS => self.found.database,
            Looked::Slow(_) | Looked::Gone(_) if self.checked => DatabaseState::Disconnected,
            Looked::Slow(_) | Looked::Gone(_) => DatabaseState::Connecting,
        }
    }

    /// One line for each change, none while nothing changes.
    fn tell_change(&self, state: DatabaseState, looked: &Looked, redis: &ProbeStatus) {
        let (db_schema, db_state) = (self.db.schema(), state.text());
        if self.round == 1 || self.found.database != state {
            let error = match looked {
                Looked::At(_) => None,
                Looked::Slow(error) | Looked::Gone(error) => Some(error as &dyn std::error::Error),
            };
            match state {
                DatabaseState::Connected => tracing::info!(db_schema, "database connected"),
                _ => tracing::warn!(db_schema, db_state, error, "waiting for the database"),
            }
        }
        if self.round > 1 && self.found.redis.ok != redis.ok {
            tracing::info!(redis_state = &*redis.text, "redis changed");
        }
    }
}

/// What one look at the database showed.
enum Looked {
    At(DatabaseState),
    /// No answer in time although the pool has no room: it may be only busy.
    Slow(DbError),
    Gone(DbError),
}

async fn database_status(db: &Db, required_version: i64, checked: bool) -> Looked {
    let looked = if checked {
        db.ping().await.map(|()| DatabaseState::Connected)
    } else {
        check(db, required_version).await
    };
    match looked {
        Ok(state) => Looked::At(state),
        Err(error) => {
            let pool = db.pool_status();
            let busy = error.is_timeout() && pool.size == pool.max;
            if busy {
                Looked::Slow(error)
            } else {
                Looked::Gone(error)
            }
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
