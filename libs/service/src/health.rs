//! `/health`, `/health/live`, `/health/ready`: answered from a state that a background task refreshes, so that they
//! cost microseconds and never touch a dependency.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use bz_kernel::{Clock, ServiceInfo};
use chrono::SecondsFormat;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

use crate::app::{ProbeStatus, WarmUp};

/// The longest that a service waits for what it warms up; whatever is late then comes later.
const WARM_UP: Duration = Duration::from_secs(30);

/// How the database stands with this service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseState {
    /// Not reached since the start.
    Connecting,
    /// Reached, but older than this binary: `bizosaas migrate` has not run.
    MigrationsPending,
    /// The role or a table breaks the rules of tenancy; nothing is served.
    TenancyViolation,
    /// Checked and answering.
    Connected,
    /// Was checked; does not answer now.
    Disconnected,
}

impl DatabaseState {
    /// The text in `/health`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::MigrationsPending => "migrations_pending",
            Self::TenancyViolation => "tenancy_violation",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
        }
    }
}

/// What the background task found out.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The database.
    pub database: DatabaseState,
    /// Redis.
    pub redis: ProbeStatus,
    /// Further dependencies.
    pub others: Vec<(&'static str, ProbeStatus)>,
    /// Further members of the body.
    pub details: Map<String, Value>,
}

impl Findings {
    /// Nothing is known yet.
    #[must_use]
    pub fn unknown() -> Self {
        let redis = ProbeStatus {
            text: Cow::Borrowed("connecting"),
            ok: false,
        };
        Self {
            database: DatabaseState::Connecting,
            redis,
            others: Vec::new(),
            details: Map::new(),
        }
    }
}

/// The state behind the three health endpoints. One per service.
pub struct Health {
    info: &'static ServiceInfo,
    clock: Clock,
    started: Instant,
    built: OnceLock<Built>,
    draining: AtomicBool,
    rendered: RwLock<Arc<Rendered>>,
}

/// A service whose routes are there.
struct Built {
    at: Instant,
    warm: AtomicBool,
    warm_up: Option<WarmUp>,
}

impl Built {
    /// What it is busy with before it is ready for the first time.
    fn warms_up(&self) -> Option<&'static str> {
        if self.warm.load(Ordering::Acquire) {
            return None;
        }
        let busy = self.warm_up.as_ref().and_then(|busy| busy());
        let busy = busy.filter(|_| self.at.elapsed() < WARM_UP);
        self.warm.store(busy.is_none(), Ordering::Release);
        busy
    }
}

/// The parts of the body that change at most once a second.
struct Rendered {
    database: DatabaseState,
    status: StatusCode,
    head: String,
    tail: String,
}

impl Health {
    /// Health of a service that has just started.
    #[must_use]
    pub fn new(info: &'static ServiceInfo, clock: Clock) -> Self {
        let rendered = RwLock::new(Arc::new(Rendered::new(info, &Findings::unknown())));
        let (built, draining) = (OnceLock::new(), AtomicBool::new(false));
        Self {
            info,
            clock,
            started: Instant::now(),
            built,
            draining,
            rendered,
        }
    }

    /// Takes over what the background task found.
    pub fn update(&self, findings: &Findings) {
        let rendered = Arc::new(Rendered::new(self.info, findings));
        *self
            .rendered
            .write()
            .unwrap_or_else(PoisonError::into_inner) = rendered;
    }

    /// The routes are there; from now on the service can be ready, once it is warm.
    pub fn set_built(&self, warm_up: Option<WarmUp>) {
        let _first_counts = self.built.set(Built {
            at: Instant::now(),
            warm: AtomicBool::new(false),
            warm_up,
        });
    }

    /// The service is stopping; from now on it is not ready.
    pub fn set_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Why traffic should go elsewhere, if it should.
    #[must_use]
    pub fn not_ready(&self) -> Option<&'static str> {
        let database = self.rendered().database;
        if self.draining.load(Ordering::Acquire) {
            Some("draining")
        } else if database != DatabaseState::Connected {
            Some(database.text())
        } else {
            let built = self.built.get();
            built.map_or(Some("starting"), Built::warms_up)
        }
    }

    /// The answer to a path under `/health`, if it is one.
    pub fn answer(&self, path: &str) -> Option<Response<Body>> {
        match path.strip_suffix('/').unwrap_or(path) {
            "/health" => Some(self.whole()),
            "/health/live" => Some(json(StatusCode::OK, r#"{"status":"alive"}"#)),
            "/health/ready" => Some(match self.not_ready() {
                None => json(StatusCode::OK, r#"{"status":"ready"}"#),
                Some(reason) => not_ready(reason),
            }),
            _ => None,
        }
    }

    fn whole(&self) -> Response<Body> {
        let rendered = self.rendered();
        let now = self
            .clock
            .now()
            .to_rfc3339_opts(SecondsFormat::Millis, true);
        let uptime = self.started.elapsed().as_secs();
        let mut body = String::with_capacity(rendered.head.len() + rendered.tail.len() + 64);
        let _infallible = write!(
            body,
            r#"{}"{now}","uptime_seconds":{uptime}{}"#,
            rendered.head, rendered.tail
        );
        json(rendered.status, body)
    }

    fn rendered(&self) -> Arc<Rendered> {
        Arc::clone(&self.rendered.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Rendered {
    fn new(info: &ServiceInfo, findings: &Findings) -> Self {
        let whole = findings.redis.ok && findings.others.iter().all(|(_, probe)| probe.ok);
        let (status, word) = match (findings.database, whole) {
            (DatabaseState::Connected, true) => (StatusCode::OK, "healthy"),
            (DatabaseState::Connected, false) => (StatusCode::OK, "degraded"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
        };
        let mut dependencies = Map::new();
        dependencies.insert("database".to_owned(), findings.database.text().into());
        dependencies.insert("redis".to_owned(), findings.redis.text.as_ref().into());
        for (name, probe) in &findings.others {
            dependencies.insert((*name).to_owned(), probe.text.as_ref().into());
        }
        let mut tail = format!(r#","dependencies":{}"#, Value::Object(dependencies));
        for (name, value) in &findings.details {
            let _infallible = write!(tail, ",{}:{value}", Value::from(name.as_str()));
        }
        tail.push('}');
        let head = format!(
            r#"{{"status":"{word}","service":"{}","version":"{}","timestamp":"#,
            info.health_name,
            env!("CARGO_PKG_VERSION"),
        );
        Self {
            database: findings.database,
            status,
            head,
            tail,
        }
    }
}

fn not_ready(reason: &str) -> Response<Body> {
    let body = format!(r#"{{"status":"not_ready","reason":"{reason}"}}"#);
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, body);
    let soon = HeaderValue::from_static("1");
    response.headers_mut().insert(header::RETRY_AFTER, soon);
    response
}

fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use bz_kernel::platform::CRM;
    use chrono::DateTime;

    use super::*;

    async fn body(health: &Health, path: &str) -> (u16, Value) {
        let response = health.answer(path).unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    fn health() -> Health {
        Health::new(
            &CRM,
            Clock::fixed(DateTime::from_timestamp(1_790_000_000, 0).unwrap()).0,
        )
    }

    fn connected() -> Findings {
        let redis = ProbeStatus::connected();
        Findings {
            database: DatabaseState::Connected,
            redis,
            ..Findings::unknown()
        }
    }

    #[tokio::test]
    async fn a_whole_service_is_healthy_in_the_documented_form() {
        let health = health();
        health.update(&connected());
        let (status, body) = body(&health, "/health").await;
        assert_eq!(status, 200);
        assert_eq!(
            body,
            serde_json::json!({
                "status": "healthy", "service": "crm-service", "version": env!("CARGO_PKG_VERSION"),
                "timestamp": "2026-09-21T14:13:20.000Z", "uptime_seconds": 0,
                "dependencies": {"database": "connected", "redis": "connected"},
            })
        );
    }

    #[tokio::test]
    async fn a_lost_extra_is_degraded_and_a_lost_database_is_unhealthy() {
        let health = health();
        health.update(&Findings {
            redis: ProbeStatus::disconnected(),
            ..connected()
        });
        let (status, answer) = body(&health, "/health/").await;
        assert_eq!((status, &answer["status"]), (200, &"degraded".into()));

        health.update(&Findings {
            database: DatabaseState::TenancyViolation,
            ..connected()
        });
        let (status, answer) = body(&health, "/health").await;
        assert_eq!((status, &answer["status"]), (503, &"unhealthy".into()));
        assert_eq!(answer["dependencies"]["database"], "tenancy_violation");
    }

    #[tokio::test]
    async fn ready_needs_the_database_and_the_routes_and_ends_with_the_drain() {
        let health = health();
        assert_eq!(body(&health, "/health/live").await.0, 200);
        assert_eq!(
            body(&health, "/health/ready").await.1["reason"],
            "connecting"
        );
        health.update(&connected());
        assert_eq!(body(&health, "/health/ready").await.1["reason"], "starting");
        health.set_built(None);
        assert_eq!(body(&health, "/health/ready").await.0, 200);
        health.set_draining();
        assert_eq!(
            body(&health, "/health/ready").await,
            (
                503,
                serde_json::json!({"status": "not_ready", "reason": "draining"})
            )
        );
        assert_eq!(body(&health, "/health/live").await.0, 200);
    }

    #[tokio::test]
    async fn a_service_that_warms_up_is_ready_when_it_is_warm_and_stays_so() {
        let (health, busy) = (health(), Arc::new(AtomicBool::new(true)));
        health.update(&connected());
        let warming = Arc::clone(&busy);
        health.set_built(Some(Arc::new(move || {
            warming.load(Ordering::Relaxed).then_some("loading_models")
        })));
        let refused = health.answer("/health/ready").unwrap();
        assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
        let (status, answer) = body(&health, "/health/ready").await;
        assert_eq!((status, &answer["reason"]), (503, &"loading_models".into()));
        assert_eq!(body(&health, "/health").await.0, 200);
        busy.store(false, Ordering::Relaxed);
        assert_eq!(body(&health, "/health/ready").await.0, 200);
        busy.store(true, Ordering::Relaxed);
        assert_eq!(body(&health, "/health/ready").await.0, 200);
    }

    #[test]
    fn other_paths_are_not_its_business() {
        assert!(health().answer("/healthy").is_none());
        assert!(health().answer("/health/x").is_none());
    }
}
