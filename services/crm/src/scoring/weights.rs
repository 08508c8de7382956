//! The rules: what a field says about a lead, as weights in log-odds. +0.7 doubles the odds, -0.7 halves them.

use chrono::{DateTime, Utc};

use super::Evidence;
use crate::leads::{Lead, LeadStatus};

/// Words in a source, with the weight of a lead that came that way. The first match counts.
const SOURCES: &[(&str, f64)] = &[
    ("referral", 1.0),
    ("partner", 0.8),
    ("inbound", 0.6),
    ("demo", 0.6),
    ("website", 0.4),
    ("web", 0.4),
    ("form", 0.4),
    ("event", 0.3),
    ("webinar", 0.3),
    ("ads", 0.1),
    ("cold", -0.6),
    ("purchased", -0.9),
    ("list", -0.6),
];

/// Words in a job title, with the weight of the say that such a person has. The first match counts.
const TITLES: &[(&str, f64)] = &[
    ("chief", 0.7),
    ("ceo", 0.7),
    ("cto", 0.7),
    ("cfo", 0.7),
    ("cmo", 0.7),
    ("founder", 0.7),
    ("owner", 0.7),
    ("president", 0.7),
    ("vp", 0.6),
    ("director", 0.5),
    ("head", 0.5),
    ("manager", 0.3),
    ("lead", 0.2),
    ("intern", -0.6),
    ("student", -0.8),
];

/// Mail providers that anybody can have an address at.
const FREE_MAIL: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "yahoo.com",
    "icloud.com",
    "aol.com",
    "gmx.de",
    "gmx.net",
    "web.de",
    "mail.ru",
    "proton.me",
    "protonmail.com",
    "abv.bg",
];

/// Everything that the rules say about a lead.
pub(super) fn evidence(lead: &Lead, now: DateTime<Utc>) -> Vec<Evidence> {
    vec![
        worded("source", "Source", lead.source.as_deref(), SOURCES),
        worded("title", "Job title", lead.title.as_deref(), TITLES),
        email(lead.email.as_deref()),
        present("phone", "Phone number", lead.phone.as_deref(), 0.3, -0.1),
        present(
            "company_name",
            "Company",
            lead.company_name.as_deref(),
            0.3,
            -0.2,
        ),
        employees(lead.employees),
        status(lead.status),
        recency(now.signed_duration_since(lead.updated_at).num_days().max(0)),
    ]
}

fn worded(
    feature: &'static str,
    label: &'static str,
    value: Option<&str>,
    weights: &[(&str, f64)],
) -> Evidence {
    let words = value.unwrap_or_default().to_lowercase();
    let has = |word: &str| {
        words
            .split(|c: char| !c.is_alphanumeric())
            .any(|part| part == word)
    };
    let log_odds = weights
        .iter()
        .find(|(word, _)| has(word))
        .map_or(0.0, |(_, weight)| *weight);
    Evidence {
        feature,
        label,
        value: value.map(str::to_owned),
        log_odds,
    }
}

fn present(
    feature: &'static str,
    label: &'static str,
    value: Option<&str>,
    there: f64,
    missing: f64,
) -> Evidence {
    let log_odds = if value.is_some() { there } else { missing };
    Evidence {
        feature,
        label,
        value: value.map(str::to_owned),
        log_odds,
    }
}

fn email(address: Option<&str>) -> Evidence {
    let domain = address
        .and_then(|address| address.rsplit_once('@'))
        .map(|(_, domain)| domain.to_lowercase());
    let log_odds = match &domain {
        None => -0.4,
        Some(domain) if FREE_MAIL.contains(&domain.as_str()) => -0.2,
        Some(_) => 0.5,
    };
    Evidence {
        feature: "email_domain",
        label: "E-mail domain",
        value: domain,
        log_odds,
    }
}

fn employees(count: Option<i32>) -> Evidence {
    let log_odds = match count {
        None => 0.0,
        Some(..10) => -0.2,
        Some(10..50) => 0.1,
        Some(50..1000) => 0.4,
        Some(1000..) => 0.2,
    };
    Evidence {
        feature: "employees",
        label: "Company size",
        value: count.map(|count| count.to_string()),
        log_odds,
    }
}

fn status(status: LeadStatus) -> Evidence {
    let log_odds = match status {
        LeadStatus::New | LeadStatus::Nurturing => 0.0,
        LeadStatus::Working => 0.4,
        LeadStatus::Qualified => 1.4,
        LeadStatus::Unqualified => -5.0,
        LeadStatus::Converted => 4.0,
    };
    Evidence {
        feature: "status",
        label: "Status",
        value: Some(status.as_str().to_owned()),
        log_odds,
    }
}

fn recency(days: i64) -> Evidence {
    let log_odds = match days {
        ..=7 => 0.2,
        8..=30 => 0.0,
        31..=90 => -0.3,
        91.. => -0.8,
    };
    Evidence {
        feature: "days_since_update",
        label: "Days since the last change",
        value: Some(days.to_string()),
        log_odds,
    }
}
