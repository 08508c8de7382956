//! The rules that a tenant starts with: weights that a salesperson would defend. 70 points double the odds.

use super::rule_set::{Group, Rule, RuleSet, Test, When};

/// Words in a source, with the points of a lead that came that way.
const SOURCES: &[(&str, f64)] = &[
    ("referral", 100.0),
    ("partner", 80.0),
    ("inbound", 60.0),
    ("demo", 60.0),
    ("website", 40.0),
    ("web", 40.0),
    ("form", 40.0),
    ("event", 30.0),
    ("webinar", 30.0),
    ("ads", 10.0),
    ("cold", -60.0),
    ("purchased", -90.0),
    ("list", -60.0),
];

/// Words in a job title, with the points of the say that such a person has.
const TITLES: &[(&[&str], f64)] = &[
    (
        &[
            "chief",
            "ceo",
            "cto",
            "cfo",
            "cmo",
            "founder",
            "owner",
            "president",
        ],
        70.0,
    ),
    (&["vp"], 60.0),
    (&["director", "head"], 50.0),
    (&["manager"], 30.0),
    (&["lead"], 20.0),
    (&["intern"], -60.0),
    (&["student"], -80.0),
];

/// Mail providers that anybody can have an address at.
pub(super) const FREE_MAIL: &[&str] = &[
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

/// Where a lead stands, with its points.
const STATUSES: &[(&str, f64)] = &[
    ("working", 40.0),
    ("qualified", 140.0),
    ("unqualified", -500.0),
    ("converted", 400.0),
];

/// From so many days without a change, and the points.
const RECENCY: &[(Option<f64>, Option<f64>, f64)] = &[
    (None, Some(8.0), 20.0),
    (Some(31.0), Some(91.0), -30.0),
    (Some(91.0), None, -80.0),
];

/// From so many employees to so many, and the points.
const EMPLOYEES: &[(Option<f64>, Option<f64>, f64)] = &[
    (None, Some(10.0), -20.0),
    (Some(10.0), Some(50.0), 10.0),
    (Some(50.0), Some(1_000.0), 40.0),
    (Some(1_000.0), None, 20.0),
];

/// The rules.
pub(crate) fn default_rules() -> RuleSet {
    let mut set = RuleSet {
        base_probability: 0.2,
        rules: Vec::new(),
    };
    for (word, points) in SOURCES {
        set.word(("source", "Source"), &[word], *points);
    }
    for (words, points) in TITLES {
        set.word(("title", "Job title"), words, *points);
    }
    let mail = ("email_domain", "E-mail domain");
    set.add(mail, when("email_domain", Test::Missing), -40.0);
    let free = When {
        values: FREE_MAIL.iter().map(ToString::to_string).collect(),
        ..when("email_domain", Test::OneOf)
    };
    set.add(mail, free, -20.0);
    set.add(mail, when("email_domain", Test::Present), 50.0);
    set.presence(("phone", "Phone number"), 30.0, -10.0);
    set.presence(("company_name", "Company"), 30.0, -20.0);
    set.ranges(("employees", "Company size"), EMPLOYEES);
    for (status, points) in STATUSES {
        let is = When {
            values: vec![(*status).to_owned()],
            ..when("status", Test::OneOf)
        };
        set.add(("status", "Status"), is, *points);
    }
    set.ranges(("days_since_update", "Days since the last change"), RECENCY);
    set
}

fn when(field: &str, is: Test) -> When {
    When {
        field: field.to_owned(),
        is,
        values: Vec::new(),
        at_least: None,
        below: None,
    }
}

impl RuleSet {
    fn add(&mut self, (feature, label): (&str, &str), when: When, points: f64) {
        let group = if feature == "days_since_update" {
            Group::Engagement
        } else {
            Group::Fit
        };
        self.rules.push(Rule {
            feature: feature.to_owned(),
            label: label.to_owned(),
            group,
            when,
            points,
            cap: None,
            decay_half_life_days: None,
        });
    }

    fn word(&mut self, named: (&str, &str), words: &[&str], points: f64) {
        let has = When {
            values: words.iter().map(ToString::to_string).collect(),
            ..when(named.0, Test::HasWord)
        };
        self.add(named, has, points);
    }

    fn presence(&mut self, named: (&str, &str), there: f64, missing: f64) {
        self.add(named, when(named.0, Test::Present), there);
        self.add(named, when(named.0, Test::Missing), missing);
    }

    fn ranges(&mut self, named: (&str, &str), ranges: &[(Option<f64>, Option<f64>, f64)]) {
        for (at_least, below, points) in ranges {
            let range = When {
                at_least: *at_least,
                below: *below,
                ..when(named.0, Test::Number)
            };
            self.add(named, range, *points);
        }
    }
}
