//! What a tenant asks of those who work in it.

pub(crate) mod get;
pub(crate) mod put;
pub(crate) mod store;

use std::net::IpAddr;

use bz_auth::claims::TWO_FACTORS;
use bz_http::{Errors, Problem, Validate};
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{origin::Origin, users::Email};

/// The most entries of a list in a policy.
const MOST_ENTRIES: usize = 100;

/// Who may become a member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JoinMode {
    /// Whoever is invited.
    #[default]
    Invitation,
    /// Nobody at present: there are no invitations, and open ones wait.
    Closed,
}

/// The policy of a tenant, as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct Policy {
    /// Who may become a member.
    pub registration: JoinMode,
    /// Domains of the addresses that people may have who join or are made, or change theirs; empty: any.
    pub allowed_domains: Vec<String>,
    /// Whether a session needs a second factor.
    pub mfa_required: bool,
    /// How long a session lasts at most, in hours; the installation's default when null.
    pub session_hours: Option<u16>,
    /// How long a session may rest, in hours; the installation's default when null.
    pub session_idle_hours: Option<u16>,
    /// The fewest characters of a new password.
    pub password_min_length: u8,
    /// Networks from which a session may be started and refreshed (CIDR); empty: any.
    pub ip_allow: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            registration: JoinMode::Invitation,
            allowed_domains: Vec::new(),
            mfa_required: false,
            session_hours: None,
            session_idle_hours: None,
            password_min_length: 8,
            ip_allow: Vec::new(),
        }
    }
}

/// A policy to put in the place of the present one. What is left out has its default.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutPolicy {
    /// Who may become a member.
    #[serde(default)]
    registration: JoinMode,
    /// Domains of the addresses that people may have who join or are made, or change theirs; empty: any.
    #[serde(default)]
    #[schema(max_items = 100)]
    allowed_domains: Vec<String>,
    /// Whether a session needs a second factor.
    #[serde(default)]
    mfa_required: bool,
    /// How long a session lasts at most, in hours.
    #[schema(minimum = 1, maximum = 720)]
    session_hours: Option<u16>,
    /// How long a session may rest, in hours.
    #[schema(minimum = 1, maximum = 336)]
    session_idle_hours: Option<u16>,
    /// The fewest characters of a new password.
    #[schema(minimum = 8, maximum = 64)]
    password_min_length: Option<u8>,
    /// Networks from which a session may be started and refreshed (CIDR, or single addresses); empty: any.
    #[serde(default)]
    #[schema(max_items = 100)]
    ip_allow: Vec<String>,
}

impl Validate for PutPolicy {
    fn validate(&self, errors: &mut Errors) {
        let within = |value: Option<u16>, most: u16| value.is_none_or(|n| (1..=most).contains(&n));
        if !within(self.session_hours, 720) {
            errors.add("/session_hours", "out_of_range", "must be 1 to 720");
        }
        if !within(self.session_idle_hours, 336) {
            errors.add("/session_idle_hours", "out_of_range", "must be 1 to 336");
        }
        if !self
            .password_min_length
            .is_none_or(|n| (8..=64).contains(&n))
        {
            errors.add("/password_min_length", "out_of_range", "must be 8 to 64");
        }
        check_list(
            "/allowed_domains",
            &self.allowed_domains,
            errors,
            |domain| normalised_domain(domain).is_some(),
        );
        check_list("/ip_allow", &self.ip_allow, errors, |network| {
            parsed_network(network).is_some()
        });
    }
}

fn check_list(
    pointer: &'static str,
    entries: &[String],
    errors: &mut Errors,
    good: impl Fn(&str) -> bool,
) {
    if entries.len() > MOST_ENTRIES {
        errors.add(pointer, "too_many", "must have at most 100 entries");
    }
    for (at, entry) in entries.iter().take(MOST_ENTRIES).enumerate() {
        if !good(entry) {
            errors.add(format!("{pointer}/{at}"), "invalid_value", "cannot be used");
        }
    }
}

impl From<PutPolicy> for Policy {
    fn from(put: PutPolicy) -> Self {
        let domains = put.allowed_domains.iter();
        let networks = put.ip_allow.iter();
        Self {
            registration: put.registration,
            allowed_domains: domains
                .filter_map(|domain| normalised_domain(domain))
                .collect(),
            mfa_required: put.mfa_required,
            session_hours: put.session_hours,
            session_idle_hours: put.session_idle_hours,
            password_min_length: put.password_min_length.unwrap_or(8),
            ip_allow: networks
                .filter_map(|network| parsed_network(network))
                .map(|network| network.to_string())
                .collect(),
        }
    }
}

impl Policy {
    /// Whether an address may belong to somebody of the tenant.
    pub(crate) fn takes(&self, email: &Email) -> bool {
        let domain = email
            .as_str()
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain);
        self.allowed_domains.is_empty() || self.allowed_domains.iter().any(|one| one == domain)
    }

    /// Whether a session of this strength may do what its user may do.
    pub(crate) fn is_met_by(&self, acr: &str) -> bool {
        !self.mfa_required || acr == TWO_FACTORS
    }

    /// When a session ends at the latest that started then, if there is a limit.
    pub(crate) fn session_end(&self, started: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let hours = self.session_hours?;
        Some(started + TimeDelta::hours(hours.into()))
    }

    /// Whether a session may be started from there. An address that is not known is none of the allowed ones.
    pub(crate) fn takes_network(&self, ip: Option<IpAddr>) -> bool {
        let mut networks = self.ip_allow.iter().filter_map(|text| parsed_network(text));
        let ip = ip.map(|ip| ip.to_canonical());
        self.ip_allow.is_empty()
            || ip.is_some_and(|ip| networks.any(|network| network.contains(&ip)))
    }
}

/// Goes on if the tenant lets sessions start from there. Only for somebody who has shown who they are.
///
/// # Errors
/// 403 `ip_not_allowed`.
pub(crate) fn admit(policy: &Policy, origin: &Origin) -> Result<(), Problem> {
    if policy.takes_network(origin.ip) {
        return Ok(());
    }
    Err(ip_not_allowed())
}

/// 403: nobody gets in from there.
pub(crate) fn ip_not_allowed() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "ip_not_allowed",
        "The tenant lets nobody in from this network",
    )
    .detail("Use a network of the tenant's, or ask whoever manages the tenant.")
}

/// Goes on if the tenant lets somebody have this address.
///
/// # Errors
/// 422 `domain_not_allowed` at `pointer`.
pub(crate) fn admit_address(
    policy: &Policy,
    pointer: &'static str,
    email: &Email,
) -> Result<(), Problem> {
    if policy.takes(email) {
        return Ok(());
    }
    let message = "is of a domain that the tenant's policy does not allow";
    Err(Problem::invalid(pointer, "domain_not_allowed", message))
}

/// The domain as addresses have it.
fn normalised_domain(domain: &str) -> Option<String> {
    let email = Email::parse(&format!("x@{}", domain.trim().trim_start_matches('@'))).ok()?;
    let (_, domain) = email.as_str().rsplit_once('@')?;
    Some(domain.to_owned())
}

fn parsed_network(text: &str) -> Option<IpNet> {
    bz_http::network(text.trim()).map(|network| network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_networks_are_let_in_once_there_is_a_list() {
        let policy = |ip_allow: &[&str]| Policy {
            ip_allow: ip_allow.iter().map(ToString::to_string).collect(),
            ..Policy::default()
        };
        let ip = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        assert!(policy(&[]).takes_network(None));
        let office = policy(&["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]);
        for inside in [
            "192.0.2.77",
            "2001:db8:1::1",
            "198.51.100.7",
            "::ffff:192.0.2.1",
        ] {
            assert!(office.takes_network(ip(inside)), "{inside}");
        }
        for outside in ["192.0.3.1", "2001:db9::1", "198.51.100.8"] {
            assert!(!office.takes_network(ip(outside)), "{outside}");
        }
        assert!(!office.takes_network(None));
    }

    #[test]
    fn domains_are_compared_in_the_form_that_addresses_have() {
        let put = PutPolicy {
            registration: JoinMode::Invitation,
            allowed_domains: vec!["Example.COM".into(), "@b\u{fc}cher.example".into()],
            mfa_required: false,
            session_hours: None,
            session_idle_hours: None,
            password_min_length: None,
            ip_allow: Vec::new(),
        };
        let policy = Policy::from(put);
        let takes = |text: &str| policy.takes(&Email::parse(text).unwrap());
        assert!(takes("ada@EXAMPLE.com") && takes("ada@bücher.example"));
        assert!(!takes("ada@evil-example.com") && !takes("ada@sub.example.com"));
    }
}
