//! How much is allowed, as the operator sets it.

use bz_service::config::Env;

/// How much is allowed of what anybody may ask for. 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Logins a minute from one network, a third of them at once.
    pub login_per_ip: u32,
    /// Logins a minute that name the same tenant.
    pub login_per_tenant: u32,
    /// Logins a minute in all.
    pub login_total: u32,
    /// Registrations an hour from one network.
    pub registration_per_ip: u32,
    /// Mails an hour that one network may have sent, of each kind.
    pub mail_per_ip: u32,
    /// Mails an hour that one address may get unasked, of each kind.
    pub mail_per_address: u32,
    /// Refreshes a minute of one session.
    pub refresh_per_session: u32,
    /// Failed logins of one address before the next ones have to wait.
    pub login_failures: u32,
    /// Whether requests from the machine itself are not limited by where they come from: in development, where loads and
    /// tests come from there. In production a proxy may stand there.
    pub exempts_loopback: bool,
}

impl LimitsConfig {
    /// Reads all of them.
    pub(crate) fn read(env: &mut Env, is_development: bool) -> Option<Self> {
        let mut count = |name, doc, default: &str| env.number::<u32>(name, doc).or(default);
        let login_per_ip = count(
            "LOGIN_LIMIT_PER_IP",
            "Logins a minute from one IPv4 address or IPv6 /64, a third of them at once; 0 is no limit. With \
             `ENVIRONMENT=development` requests from the machine itself have no limit per address.",
            "30",
        );
        let login_per_tenant = count(
            "LOGIN_LIMIT_PER_TENANT",
            "Logins a minute that name the same tenant, by host or in the body; 0 is no limit.",
            "600",
        );
        let login_total = count(
            "LOGIN_LIMIT_TOTAL",
            "Logins a minute in all; 0 leaves it to the queue in front of the password hashing.",
            "0",
        );
        let registration_per_ip = count(
            "REGISTRATION_LIMIT_PER_IP",
            "Registrations an hour from one IPv4 address or IPv6 /64; 0 is no limit.",
            "10",
        );
        let mail_per_ip = count(
            "MAIL_LIMIT_PER_IP",
            "Mails an hour that one IPv4 address or IPv6 /64 may ask for, of each kind; 0 is no limit.",
            "5",
        );
        let mail_per_address = count(
            "MAIL_LIMIT_PER_ADDRESS",
            "Mails an hour that anybody may have sent to one address, of each kind; 0 is no limit.",
            "3",
        );
        let refresh_per_session = count(
            "REFRESH_LIMIT_PER_SESSION",
            "Refreshes a minute of one session; 0 is no limit.",
            "60",
        );
        let login_failures = count(
            "LOGIN_FAILURES",
            "Failed logins of one address before the next ones have to wait, each longer than the one before.",
            "5",
        );
        Some(Self {
            login_per_ip: login_per_ip?,
            login_per_tenant: login_per_tenant?,
            login_total: login_total?,
            registration_per_ip: registration_per_ip?,
            mail_per_ip: mail_per_ip?,
            mail_per_address: mail_per_address?,
            refresh_per_session: refresh_per_session?,
            login_failures: login_failures?.max(1),
            exempts_loopback: is_development,
        })
    }
}
