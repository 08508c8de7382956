//! How often something may be done: by one address of a client, for one account, in one tenant, in all.
//!
//! Redis counts for all replicas together. While it does not answer, each process counts alone and allows half; what
//! guards one-time codes and resets is refused altogether. Where no Redis is configured there is one process, which
//! counts alone and allows all of it.

mod config;

use bz_http::Problem;
use bz_kernel::TenantId;
use bz_service::limiter::{self, Limiter, Quota, rate_limited};

pub(crate) use bz_service::limiter::{Bounded, lock, micros};

pub use self::config::LimitsConfig;
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
pub(crate) struct Limits(Limiter);

impl Limits {
    /// No bucket has anything in it.
    pub(crate) fn new() -> Self {
        Self(Limiter::new(MOST_BUCKETS))
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
    Some(limiter::network(ip))
}

/// Takes one of each, or none of any.
///
/// # Errors
/// As [`check`].
pub(crate) async fn check_all(app: &AppState, wanted: &[(Limit, &str)]) -> Result<(), Problem> {
    let config = &app.config.limits;
    let (limits, buckets): (Vec<Limit>, Vec<(String, Quota)>) = wanted
        .iter()
        .filter_map(|(limit, key)| {
            let quota = limit.quota(config)?;
            Some((*limit, (bucket(app, *limit, key), quota)))
        })
        .unzip();
    let Some(first) = limits.first() else {
        return Ok(());
    };
    let fails_closed = limits.iter().any(|limit| limit.fails_closed());
    let wait = app
        .limits
        .0
        .take(
            &app.core.redis,
            &buckets,
            micros(&app.core.sources),
            fails_closed,
        )
        .await
        .map_err(Problem::unavailable)?;
    if wait > 0 {
        metrics::counter!("identity_rate_limited_total", "limit" => first.name()).increment(1);
        return Err(rate_limited(wait));
    }
    Ok(())
}

/// The key of a bucket. What it is for is not readable in Redis: it may be somebody's address.
fn bucket(app: &AppState, limit: Limit, key: &str) -> String {
    limiter::anonymous_key(&app.core, limit.name(), key)
}
