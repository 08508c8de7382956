//! The configuration of identity, beside what all services share.

use std::collections::HashMap;

use bz_http::egress::EgressPolicy;
use bz_mail::MailConfig;
use bz_service::config::{Config, Env, egress};
use http::Uri;
use url::Url;

use crate::{
    limits::LimitsConfig, passkeys::RelyingParty, passwords::Priority,
    registration::RegistrationPolicy,
};

/// The configuration of identity.
#[derive(Debug, Clone)]
pub struct IdentityConfig {
    /// Who may register.
    pub registration: RegistrationPolicy,
    /// Slug of the tenant by the host that is called, in lower case.
    pub tenant_hosts: HashMap<String, String>,
    /// What API keys of this installation are marked with: `live` or `dev`.
    pub key_environment: &'static str,
    /// Passwords that are hashed at once; 0 for the default.
    pub password_threads: usize,
    /// Whom passkeys belong to.
    pub relying_party: RelyingParty,
    /// What links in mails start with.
    pub public_url: Url,
    /// How mail leaves.
    pub(crate) mail: MailConfig,
    /// Where webhooks may lead.
    pub egress: EgressPolicy,
    /// Their priority.
    pub password_priority: Priority,
    /// How often something may be done.
    pub limits: LimitsConfig,
    /// Origins whose pages may have the refresh token in a cookie.
    pub cookie_origins: Vec<String>,
}

impl Config for IdentityConfig {
    fn read(env: &mut Env) -> Option<Self> {
        let environment = env
            .text(
                "ENVIRONMENT",
                "`development` or `production`; chooses the defaults of what is open to anybody.",
            )
            .check(|name| match name.as_str() {
                "development" | "production" => Ok(()),
                _ => Err("must be development or production".to_owned()),
            })
            .or("production");
        let registration = env
            .text(
                "REGISTRATION_POLICY",
                "Who may register: `auto_login` (anybody, with tokens at once; the default in development), `verified` \
                 (after the address was verified; the default in production), `disabled`.",
            )
            .map(|text| text.parse::<RegistrationPolicy>())
            .optional();
        let tenant_hosts = env
            .list(
                "TENANT_HOSTS",
                "Hosts that belong to one tenant, as `host=slug`, separated by commas.",
            )
            .map(hosts)
            .or("");
        let password_threads = env
            .number(
                "PASSWORD_THREADS",
                "Passwords hashed at once, each with 19 MiB; 0 is one per core, at most 4.",
            )
            .within(0, 256)
            .or("0");
        let password_priority = env
            .parsed(
                "PASSWORD_PRIORITY",
                "auto, low or idle",
                "Priority of password hashing: `low` (nice 10), `idle` (SCHED_IDLE: no request ever waits for a hash, and no hash \
                 runs while requests want all cores), or `auto`: idle as long as that gets on.",
            )
            .or("auto");
        let cookie_origins = env
            .list(
                "COOKIE_ORIGINS",
                "Origins of the front ends whose pages may have the refresh token in a cookie, such as \
                 `https://app.example.com`; none when empty.",
            )
            .map(origins)
            .or("");
        let relying_party = relying_party(env);
        let public_url = env
            .url(
                "PUBLIC_URL",
                "Address of identity as people's browsers reach it; links in mails start with it.",
            )
            .or("http://localhost:8001");
        let is_development = environment? == "development";
        let limits = LimitsConfig::read(env, is_development);
        let mail = MailConfig::read(env, is_development);
        let egress = egress(env);
        let (default, key_environment) = if is_development {
            (RegistrationPolicy::AutoLogin, "dev")
        } else {
            (RegistrationPolicy::Verified, "live")
        };
        Some(Self {
            registration: registration?.unwrap_or(default),
            tenant_hosts: tenant_hosts?,
            key_environment,
            password_threads: password_threads?,
            relying_party: relying_party?,
            public_url: public_url?,
            mail: mail?,
            egress: egress?,
            password_priority: password_priority?,
            limits: limits?,
            cookie_origins: cookie_origins?,
        })
    }
}

fn relying_party(env: &mut Env) -> Option<RelyingParty> {
    let id = env
        .text(
            "PASSKEY_DOMAIN",
            "Domain that passkeys belong to; the host of the first of `PASSKEY_ORIGINS` when left out.",
        )
        .optional();
    let id = id?;
    env.list(
        "PASSKEY_ORIGINS",
        "Origins of the pages where passkeys are used, separated by commas: `https://app.example.com`.",
    )
    .map(move |origins| RelyingParty::new(&origins, id.clone()))
    .or("http://localhost:3000")
}

/// Origins as browsers write them.
fn origins(items: Vec<String>) -> Result<Vec<String>, String> {
    for item in &items {
        let proper = item.parse::<Uri>().ok().filter(|uri| {
            let scheme = uri.scheme_str().unwrap_or_default();
            let host = uri.authority().map_or("", |authority| authority.as_str());
            *item == format!("{scheme}://{host}").to_ascii_lowercase() && scheme.starts_with("http")
        });
        if proper.is_none() {
            return Err(format!(
                "{item:?} is not an origin such as https://app.example.com"
            ));
        }
    }
    Ok(items)
}

fn hosts(items: Vec<String>) -> Result<HashMap<String, String>, String> {
    let mut hosts = HashMap::new();
    for item in items {
        let (host, slug) = item
            .split_once('=')
            .ok_or_else(|| format!("{item:?} is not host=slug"))?;
        if hosts
            .insert(
                host.trim().to_ascii_lowercase(),
                slug.trim().to_ascii_lowercase(),
            )
            .is_some()
        {
            return Err(format!("{host:?} is there twice"));
        }
    }
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Option<IdentityConfig> {
        IdentityConfig::read(&mut Env::from_map(values.iter().copied()))
    }

    #[test]
    fn registration_is_open_in_development_only() {
        let policy = |values: &[(&str, &str)]| read(values).map(|config| config.registration);
        assert_eq!(policy(&[]), Some(RegistrationPolicy::Verified));
        assert_eq!(
            policy(&[("ENVIRONMENT", "development")]),
            Some(RegistrationPolicy::AutoLogin)
        );
        assert_eq!(
            policy(&[
                ("ENVIRONMENT", "development"),
                ("REGISTRATION_POLICY", "disabled")
            ]),
            Some(RegistrationPolicy::Disabled)
        );
        assert_eq!(policy(&[("ENVIRONMENT", "staging")]), None);
        assert_eq!(policy(&[("REGISTRATION_POLICY", "open")]), None);
    }

    #[test]
    fn cookies_are_for_origins_and_for_nothing_else() {
        let read = |value: &str| read(&[("COOKIE_ORIGINS", value)]);
        assert!(read("https://app.example.com, http://localhost:3000").is_some());
        for wrong in [
            "*",
            "app.example.com",
            "https://App.example.com",
            "https://a.example/",
            "ftp://a.example",
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn hosts_name_their_tenants() {
        let config = read(&[(
            "TENANT_HOSTS",
            "Acme.Example.com=acme, globex.example.com = globex",
        )])
        .unwrap();
        assert_eq!(
            config
                .tenant_hosts
                .get("acme.example.com")
                .map(String::as_str),
            Some("acme")
        );
        assert_eq!(
            config
                .tenant_hosts
                .get("globex.example.com")
                .map(String::as_str),
            Some("globex")
        );
        assert!(read(&[("TENANT_HOSTS", "acme.example.com")]).is_none());
        assert!(read(&[("TENANT_HOSTS", "a.example=a,a.example=b")]).is_none());
    }
}
