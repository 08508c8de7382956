//! The single checks.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use bz_events::Redis;
use bz_kernel::{PlatformSecret, ServiceInfo, platform::SERVICES};
use bz_service::config::Env;
use bz_tenant::Db;
use bz_tenant::migrate::{Migrator, State};

use crate::operator::Operator;
use crate::report::{Finding, Verdict};

/// Longest wait for one dependency. The rules of tenancy are a dozen queries, and a node that starts everything at once is
/// slow; what is down refuses long before.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The installation's secret is there and long enough.
pub(super) fn platform_secret(env: &mut Env) -> Finding {
    let read = env
        .secret("PLATFORM_SECRET", "The installation's secret.")
        .map(|secret| PlatformSecret::new(secret).map_err(|error| error.to_string()))
        .optional();
    match read.flatten() {
        Some(_) => Finding::new("platform secret", Verdict::Ok, "set"),
        None => Finding::new(
            "platform secret",
            Verdict::Failed,
            "PLATFORM_SECRET is not set, or too short",
        ),
    }
}

/// The folder of models, which is optional.
pub(super) fn models(env: &mut Env) -> Finding {
    let folder: Option<PathBuf> = env
        .text("MODEL_DIR", "Folder of models.")
        .optional()
        .flatten()
        .map(PathBuf::from);
    match folder {
        None => Finding::new(
            "models",
            Verdict::Ok,
            "MODEL_DIR is not set; the platform works without a model",
        ),
        Some(folder) => match std::fs::read_dir(&folder) {
            Ok(files) => Finding::new(
                "models",
                Verdict::Ok,
                format!("{} files in {}", files.count(), folder.display()),
            ),
            Err(error) => Finding::new(
                "models",
                Verdict::Degraded,
                format!("{}: {error}", folder.display()),
            ),
        },
    }
}

/// Redis answers; without it the platform is degraded.
pub(super) async fn redis(operator: &Operator) -> Finding {
    let Some(url) = &operator.redis_url else {
        return Finding::new(
            "redis",
            Verdict::Degraded,
            "REDIS_URL is not set; wake-ups and caches are off",
        );
    };
    let answered = match Redis::connect_lazy(Some(url)) {
        Ok(redis) => redis.ping().await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match answered {
        Ok(()) => Finding::new("redis", Verdict::Ok, "connected"),
        Err(error) => Finding::new("redis", Verdict::Degraded, error),
    }
}

/// Roles, migrations, and for each service its login and the rules of tenancy.
pub(super) async fn database(operator: &Operator) -> Vec<Finding> {
    let mut findings = vec![
        Finding::of("database roles", roles(operator).await),
        Finding::of("migrations", migrations(operator).await),
    ];
    for service in SERVICES {
        let checked = match log_in(operator, service) {
            Ok(db) => tenancy(&db, service).await,
            Err(error) => Err(error),
        };
        findings.push(Finding::of(format!("tenancy of {}", service.name), checked));
    }
    findings
}

/// The database as a service has it. Connects when it is used.
pub(super) fn log_in(operator: &Operator, service: &'static ServiceInfo) -> anyhow::Result<Db> {
    operator.log_in(service, PATIENCE)
}

pub(super) async fn roles(operator: &Operator) -> anyhow::Result<String> {
    if Migrator::embedded()?
        .roles_exist(&operator.target())
        .await?
    {
        Ok("there".to_owned())
    } else {
        bail!("missing; run `bizosaas migrate`")
    }
}

async fn migrations(operator: &Operator) -> anyhow::Result<String> {
    let status = Migrator::embedded()?.status(&operator.target()).await?;
    let all = status.iter().flat_map(|schema| &schema.migrations);
    let wrong: Vec<String> = status
        .iter()
        .flat_map(|schema| {
            schema
                .migrations
                .iter()
                .map(move |migration| (&schema.schema, migration))
        })
        .filter(|(_, (_, _, state))| !matches!(state, State::Applied | State::Newer))
        .map(|(schema, (version, _, state))| format!("{schema} {version:04} {state:?}"))
        .collect();
    if wrong.is_empty() {
        Ok(format!("{} applied", all.count()))
    } else {
        bail!("{}", wrong.join(", "))
    }
}

/// The service's login and its schema follow the rules. Ends the connection.
pub(super) async fn tenancy(db: &Db, service: &'static ServiceInfo) -> anyhow::Result<String> {
    let violations = tokio::time::timeout(PATIENCE, db.self_check()).await;
    db.close().await;
    let violations = violations.map_err(|_| anyhow::anyhow!("no answer in {PATIENCE:?}"))??;
    if violations.is_empty() {
        return Ok(format!("{} follows every rule", service.api_role()));
    }
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    bail!("{}", lines.join("; "))
}
