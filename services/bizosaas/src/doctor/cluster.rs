//! `bizosaas doctor --cluster`: what a pod of the platform needs, in the order in which it needs it.

use std::time::Instant;

use anyhow::{Context, bail};
use bz_events::Redis;
use bz_kernel::{Clock, ExposeSecret, ServiceInfo, platform::SERVICES};
use bz_service::config::{Env, SiblingUrls};
use bz_tenant::Db;
use bz_tenant::migrate::Migrator;
use serde_json::Value;
use sqlx::Connection;
use tokio::time::timeout;
use url::Url;

use super::checks::{self, PATIENCE};
use super::network::Place;
use crate::operator::Operator;
use crate::report::{Finding, Verdict};

/// The oldest server that the migrations are written for.
const OLDEST_POSTGRES: i32 = 160_000;
/// Tokens are judged with this leeway.
const MOST_SECONDS_APART: f64 = 60.0;

/// All checks.
pub(super) async fn checks(operator: &Operator, env: &Env, siblings: &SiblingUrls) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("configuration", "complete")];
    match operator.database_address() {
        Ok(url) => findings.extend(place("database", &url, 5432).checks().await),
        Err(error) => findings.push(Finding::of("database name", Err(error))),
    }
    match timeout(PATIENCE, server(operator)).await {
        Ok(Ok(found)) => findings.extend(found),
        Ok(Err(error)) => findings.push(Finding::of("database server", Err(error))),
        Err(_) => findings.push(Finding::of(
            "database server",
            Err(anyhow::anyhow!("no answer in {PATIENCE:?}")),
        )),
    }
    findings.push(Finding::of("database roles", checks::roles(operator).await));
    for service in SERVICES {
        findings.extend(schema(operator, service).await);
    }
    findings.extend(redis(operator).await);
    findings.extend(services(env, siblings).await);
    findings
}

fn place(what: &'static str, url: &Url, default_port: u16) -> Place {
    // An IPv6 address stands in brackets there.
    let host = url.host_str().unwrap_or("localhost");
    Place {
        what,
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(default_port),
    }
}

/// Version, extension and clock of the database server.
async fn server(operator: &Operator) -> anyhow::Result<Vec<Finding>> {
    let mut conn = operator.target().connect().await?;
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_user::text,
                      (SELECT extversion FROM pg_extension WHERE extname = 'vector'),
                      extract(epoch FROM clock_timestamp())::float8";
    let (number, version, user, vector, epoch): (i32, String, String, Option<String>, f64) =
        sqlx::query_as(sql).fetch_one(&mut conn).await?;
    let now = Clock::system().now().timestamp_millis() as f64 / 1000.0;
    conn.close().await?;

    let supported = match number >= OLDEST_POSTGRES {
        true => Ok(format!("Postgres {version}, logged in as {user}")),
        false => Err(format!("Postgres {version}; 16 or newer is needed")),
    };
    let vector = vector.map_or_else(
        || Err("vector is not installed; an administrator runs `bizosaas migrate --bootstrap-only`"),
        |version| Ok(format!("vector {version}")),
    );
    let apart = (now - epoch).abs();
    let clock = format!("{apart:.1} s from the database's");
    Ok(vec![
        Finding::of("database server", supported),
        Finding::of("database extension", vector),
        match apart <= MOST_SECONDS_APART {
            true => Finding::ok("clock", clock),
            false => Finding::new("clock", Verdict::Failed, clock),
        },
    ])
}

/// The login of a service, its schema's level and its rules.
async fn schema(operator: &Operator, service: &'static ServiceInfo) -> Vec<Finding> {
    let name = service.name;
    let login = format!("login of {name}");
    let db = match checks::log_in(operator, service) {
        Ok(db) => db,
        Err(error) => return vec![Finding::of(login, Err(error))],
    };
    if let Err(error) = db.ping().await {
        return vec![Finding::of(login, Err(anyhow::Error::new(error)))];
    }
    vec![
        Finding::ok(login, format!("{} is let in", service.api_role())),
        Finding::of(format!("schema of {name}"), level(&db).await),
        Finding::of(
            format!("tenancy of {name}"),
            checks::tenancy(&db, service).await,
        ),
    ]
}

/// A newer schema is fine: every release can serve the next one's.
async fn level(db: &Db) -> anyhow::Result<String> {
    let schema = db.schema();
    let known = Migrator::embedded()?.migrations(schema);
    let needed = known.last().map_or(0, |newest| newest.version);
    let level = db.schema_version().await?;
    match level.cmp(&needed) {
        std::cmp::Ordering::Less => {
            bail!(
                "{schema} is at {level:04}, this release needs {needed:04}: run `bizosaas migrate`"
            )
        }
        std::cmp::Ordering::Equal => Ok(format!("{schema} is at {level:04}")),
        std::cmp::Ordering::Greater => Ok(format!(
            "{schema} is at {level:04}, newer than this release's {needed:04}, which can serve it"
        )),
    }
}

/// Redis by name, port and command; the platform runs without it.
async fn redis(operator: &Operator) -> Vec<Finding> {
    let Some(url) = &operator.redis_url else {
        return vec![checks::redis(operator).await];
    };
    let mut findings = Vec::new();
    if let Ok(url) = Url::parse(url.expose_secret())
        && url.has_host()
    {
        findings.extend(place("redis", &url, 6379).checks().await);
    }
    findings.push(Finding::of("redis", ping(url).await));
    for finding in &mut findings {
        if finding.verdict == Verdict::Failed {
            finding.verdict = Verdict::Degraded;
        }
    }
    findings
}

async fn ping(url: &bz_kernel::SecretString) -> anyhow::Result<String> {
    let redis = Redis::connect_lazy(Some(url))?;
    redis.ping().await?;
    let began = Instant::now();
    redis.ping().await?;
    let took = began.elapsed().as_micros();
    Ok(format!("answers in {took} µs"))
}

/// The siblings, unless nobody says where they are.
async fn services(env: &Env, siblings: &SiblingUrls) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in SERVICES {
        let check = format!("health of {}", service.name);
        if env.is_set(service.url_variable) {
            let asked = health(siblings.of(service)).await;
            findings.push(match asked {
                Ok((verdict, detail)) => Finding::new(check, verdict, detail),
                Err(error) => Finding::of(check, Err(error)),
            });
        } else {
            let detail = format!("not asked: {} is not set", service.url_variable);
            findings.push(Finding::degraded(check, detail));
        }
    }
    findings
}

async fn health(base: &Url) -> anyhow::Result<(Verdict, String)> {
    let http = crate::http::client(PATIENCE)?;
    let url = base.join("/health")?;
    let answer = http.get(url.clone()).send().await;
    let answer = answer.with_context(|| format!("{url} does not answer"))?;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    let (state, version) = (text(&body["status"]), text(&body["version"]));
    if !status.is_success() {
        bail!("{url} answered {status}, {state}: {}", body["dependencies"]);
    }
    let detail = format!("{state}, version {version}");
    Ok(match state {
        "healthy" => (Verdict::Ok, detail),
        _ => {
            let why = format!("{detail}: {}", body["dependencies"]);
            (Verdict::Degraded, why)
        }
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("unknown")
}
