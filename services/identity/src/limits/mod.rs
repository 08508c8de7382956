//! How often something may be done: by one address of a client, for one account, in one tenant, in all.
//!
//! Redis counts for all replicas together. While it does not answer, each process counts alone and allows half; what
//! guards one-time codes and resets is refused altogether. Where no Redis is configured there is one process, which
//! counts alone and allows all of it.

mod bounded;
mod config;
mod quota;

use std::{net::IpAddr, sync::Mutex};

use bz_http::Problem;
use bz_kernel::{Sources, TenantId};
use http::StatusCode;
use redis::Script;

pub(crate) use self::bounded::{Bounded, lock};
pub use self::config::LimitsConfig;
use self::quota::Quota;
use crate::{app::AppState, origin::Origin};

/// Buckets that one process keeps while it counts alone.
const MOST_BUCKETS: usize = 50_000;

/// Something that is limited. The key that goes with it says for whom; what is asked must not depend on what exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Logins from one network.
    LoginPerIp,
    /// Logins that name the same tenant.
    LoginPerTenant,
    /// All logins.
    LoginTotal,
    /// Registrations from one network.
    RegistrationPerIp,
    /// Tokens from one network that were guessed wrong.
    WrongTokenPerIp,
    /// Refreshes of one session.
    RefreshPerSession,
    /// Forgotten passwords from one network.
    ForgotPerIp,
    /// Forgotten passwords of one address.
    ForgotPerAddress,
    /// Further verification mails asked for from one network.
    ResendPerIp,
    /// Further verification mails to one address.
    ResendPerAddress,
    /// Lists of tenants asked for from one network.
    DiscoverPerIp,
    /// Lists of tenants mailed to one address.
    DiscoverPerAddress,
    /// Mails to an address that somebody registered with, known or not.
    RegistrationPerAddress,
    /// Mails to an address that somebody wants to change theirs to.
    NewAddressPerAddress,
    /// Invitations, and mails about accounts that were made, of one tenant to one address.
    InvitationPerAddress,
}

impl Limit {
    const fn name(self) -> &'static str {
        match self {
            Self::LoginPerIp => "login-ip",
            Self::LoginPerTenant => "login-tenant",
            Self::LoginTotal => "login-total",
            Self::RegistrationPerIp => "registration-ip",
            Self::WrongTokenPerIp => "wrong-token-ip",
            Self::RefreshPerSession => "refresh-session",
            Self::ForgotPerIp => "forgot-ip",
            Self::ForgotPerAddress => "forgot-address",
            Self::ResendPerIp => "resend-ip",
            Self::ResendPerAddress => "resend-address",
            Self::DiscoverPerIp => "discover-ip",
            Self::DiscoverPerAddress => "discover-address",
            Self::RegistrationPerAddress => "registration-address",
            Self::NewAddressPerAddress => "new-address",
            Self::InvitationPerAddress => "invitation-address",
        }
    }

    /// What is allowed; `None` for anything.
    fn quota(self, config: &LimitsConfig) -> Option<Quota> {
        let (count, quota): (u32, fn(u32) -> Quota) = match self {
            Self::LoginPerIp => (config.login_per_ip, Quota::a_minute_in_thirds),
            Self::LoginPerTenant => (config.login_per_tenant, Quota::a_minute),
            Self::LoginTotal => (config.login_total, Quota::a_minute),
            Self::RegistrationPerIp => (config.registration_per_ip, Quota::an_hour),
            Self::WrongTokenPerIp => (config.login_per_ip, Quota::a_minute),
            Self::RefreshPerSession => (config.refresh_per_session, Quota::a_minute),
            Self::ForgotPerIp | Self::ResendPerIp | Self::DiscoverPerIp => {
                (config.mail_per_ip, Quota::an_hour)
            }
            Self::ForgotPerAddress
            | Self::ResendPerAddress
            | Self::DiscoverPerAddress
            | Self::RegistrationPerAddress
            | Self::NewAddressPerAddress
            | Self::InvitationPerAddress => (config.mail_per_address, Quota::an_hour),
        };
        (count > 0).then(|| quota(count))
    }

    /// Whether it guards something that few guesses would break, so that nothing is allowed while nobody can count.
    const fn fails_closed(self) -> bool {
        matches!(self, Self::ForgotPerIp | Self::ForgotPerAddress)
    }
}

/// The buckets of this process, and the script that fills those in Redis.
pub(crate) struct Limits {
    script: Script,
    alone: Mutex<Bounded<i64>>,
}

impl Limits {
    /// No bucket has anything in it.
    pub(crate) fn new() -> Self {
        Self {
            script: Script::new(include_str!("take.lua")),
            alone: Mutex::new(Bounded::new(MOST_BUCKETS)),
        }
    }
}

/// Takes one of what the limit allows for `key`.
///
/// # Errors
/// 429 `rate_limited` with the seconds to wait when it is used up; 503 when nobody can count and the limit must hold.
pub(crate) async fn check(app: &AppState, limit: Limit, key: &str) -> Result<(), Problem> {
    check_all(app, &[(limit, key)]).await
}

/// Takes one for the network that the request comes from. A request whose address the server does not know is let
/// through: the server knows all of its peers.
///
/// # Errors
/// As [`check`].
pub(crate) async fn check_ip(app: &AppState, limit: Limit, origin: &Origin) -> Result<(), Problem> {
    match network_of(app, origin) {
        Some(network) => check(app, limit, &network).await,
        None => Ok(()),
    }
}

/// Takes one of the mails that a tenant may have sent to an address which has not asked for any.
///
/// # Errors
/// As [`check`].
pub(crate) async fn check_invitation(
    app: &AppState,
    tenant: TenantId,
    address: &str,
) -> Result<(), Problem> {
    let key = format!("{tenant} {}", address.trim().to_lowercase());
    check(app, Limit::InvitationPerAddress, &key).await
}

/// The network that a request is counted for: the address itself, of IPv6 the /64 that one subscriber has. `None` for
/// requests that are not limited by where they come from.
pub(crate) fn network_of(app: &AppState, origin: &Origin) -> Option<String> {
    let ip = origin.ip?;
    if ip.is_loopback() && app.config.limits.exempts_loopback {
        return None;
    }
    Some(match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    })
}

/// Takes one of each, or none of any.
///
/// # Errors
/// As [`check`].
pub(crate) async fn check_all(app: &AppState, wanted: &[(Limit, &str)]) -> Result<(), Problem> {
    let config = &app.config.limits;
    let wanted: Vec<(Limit, String, Quota)> = wanted
        .iter()
        .filter_map(|(limit, key)| {
            let quota = limit.quota(config)?;
            Some((*limit, bucket(app, *limit, key), quota))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let now = micros(&app.core.sources);
    let wait = if app.core.redis.is_configured() {
        match take_in_redis(app, &wanted, now).await {
            Ok(wait) => wait,
            Err(error) if wanted.iter().any(|(limit, ..)| limit.fails_closed()) => {
                return Err(Problem::unavailable(error));
            }
            Err(_) => take_alone(app, wanted.iter().map(|(_, key, q)| (key, q.halved())), now),
        }
    } else {
        take_alone(app, wanted.iter().map(|(_, key, quota)| (key, *quota)), now)
    };
    if wait > 0 {
        let names: Vec<_> = wanted.iter().map(|(limit, ..)| limit.name()).collect();
        metrics::counter!("identity_rate_limited_total", "limit" => names[0]).increment(1);
        return Err(rate_limited(wait));
    }
    Ok(())
}

/// Microseconds of the service's clock. The replicas' clocks differ by little, and what is stored is cut to what this
/// one can have stored, so that a clock that was set back shuts nobody out.
pub(crate) fn micros(sources: &Sources) -> i64 {
    sources.now().timestamp_micros()
}

/// The key of a bucket. What it is for is not readable in Redis: it may be somebody's address.
fn bucket(app: &AppState, limit: Limit, key: &str) -> String {
    let digest = app.core.secret.hmac("limits", key.as_bytes());
    let digest = hex::encode(&digest[..16]);
    format!("bz:-:identity:limit-{}:{digest}", limit.name())
}

async fn take_in_redis(
    app: &AppState,
    wanted: &[(Limit, String, Quota)],
    now: i64,
) -> Result<i64, redis::RedisError> {
    let mut call = app.limits.script.prepare_invoke();
    call.arg(now);
    for (_, key, quota) in wanted {
        call.key(key).arg(quota.interval).arg(quota.burst);
    }
    call.invoke_async(&mut app.core.redis.clone()).await
}

fn take_alone<'a>(
    app: &AppState,
    wanted: impl Iterator<Item = (&'a String, Quota)>,
    now: i64,
) -> i64 {
    let mut alone = lock(&app.limits.alone);
    let mut longest = 0;
    let mut taken = Vec::new();
    for (key, quota) in wanted {
        match quota.take(alone.get(key).copied(), now) {
            Ok(full_at) => taken.push((key, full_at)),
            Err(wait) => longest = longest.max(wait),
        }
    }
    if longest == 0 {
        for (key, full_at) in taken {
            alone.insert(key.clone(), full_at);
        }
    }
    longest
}

fn rate_limited(wait_micros: i64) -> Problem {
    let seconds = u32::try_from(wait_micros.div_euclid(1_000_000) + 1).unwrap_or(u32::MAX);
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        "Too many requests",
    )
    .detail("Try again after the time that `Retry-After` names.")
    .retry_after(seconds)
}
