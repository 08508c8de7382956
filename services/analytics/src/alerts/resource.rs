//! What clients send and see of alerts.

use bz_http::{Errors, Validate};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{judge::Finding, state::AlertState};
use crate::{
    query::{Filter, Granularity},
    reports::Failure,
};

const MOST_ADDRESSES: usize = 20;

/// What is watched, and when somebody is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    /// The number, by its key in the catalogue.
    #[schema(max_length = 120, example = "google-ads.cost")]
    pub metric: String,
    /// What of it counts.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub filters: Vec<Filter>,
    /// How long the pieces of time are that are judged: `hour`, `day` or `week`.
    pub granularity: Granularity,
    /// IANA time zone in which they begin.
    #[schema(max_length = 60, example = "Europe/Berlin")]
    pub timezone: String,
    /// What must not be.
    pub rule: Rule,
    /// How many pieces of time in a row have to break the rule, 1 to 10.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 10)]
    pub confirm: u8,
    /// Nobody is told again before so many minutes have passed, 0 to 10,080.
    #[serde(default = "an_hour")]
    #[schema(minimum = 0, maximum = 10_080)]
    pub cooldown_minutes: u16,
    /// Addresses that are told by mail, at most 20. Receivers of webhooks are told without being named here.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub mail: Vec<String>,
}

/// What must not be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Rule {
    /// More than this.
    Above {
        /// The most that may be.
        #[schema(value_type = String, example = "1000")]
        than: Decimal,
    },
    /// Less than this.
    Below {
        /// The least that may be.
        #[schema(value_type = String, example = "10")]
        than: Decimal,
    },
    /// Far from what is usual at that hour of the week (or on that day): the median of six weeks, and so many times the
    /// usual distance from it.
    Band {
        /// How many times the usual distance (median absolute deviation, scaled as a standard deviation), 1 to 10.
        #[schema(value_type = String, example = "3")]
        sensitivity: Decimal,
        /// Which side counts.
        #[serde(default)]
        side: Side,
    },
}

/// Which side of a band counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// Too much and too little.
    #[default]
    Both,
    /// Too much.
    Above,
    /// Too little.
    Below,
}

const fn one() -> u8 {
    1
}

const fn an_hour() -> u16 {
    60
}

const fn yes() -> bool {
    true
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Alert {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What is watched.
    pub definition: Definition,
    /// Whether it is watched at all.
    pub enabled: bool,
    /// How it stands.
    pub state: AlertState,
    /// Since when.
    pub state_since: DateTime<Utc>,
    /// How many pieces of time in a row broke the rule.
    pub streak: i32,
    /// The last piece of time that was judged.
    pub last_bucket: Option<String>,
    /// What was found of it.
    pub last_finding: Option<Finding>,
    /// When somebody was told last.
    pub told_at: Option<DateTime<Utc>>,
    /// When it was looked at last.
    pub checked_at: Option<DateTime<Utc>>,
    /// Why it could not be judged.
    pub error: Option<Failure>,
    /// Who set it up.
    pub created_by: UserId,
    /// When it was set up.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change by somebody; also the `ETag`.
    pub version: i64,
}

/// An alert to set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateAlert {
    /// Its name, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What is watched.
    pub definition: Definition,
    /// Whether it is watched.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// A change of an alert: what is missing stays. With a new definition it begins anew.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchAlert {
    /// Its name, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// What is watched, as a whole.
    pub definition: Option<Definition>,
    /// Whether it is watched.
    pub enabled: Option<bool>,
}

impl Definition {
    fn check(&self, errors: &mut Errors) {
        let at = "/definition";
        if !(1..=120).contains(&self.metric.len()) {
            errors.add(
                format!("{at}/metric"),
                "invalid_length",
                "must be a key of the catalogue",
            );
        }
        if !matches!(
            self.granularity,
            Granularity::Hour | Granularity::Day | Granularity::Week
        ) {
            errors.add(
                format!("{at}/granularity"),
                "unknown_granularity",
                "must be hour, day or week",
            );
        }
        if self.timezone.parse::<Tz>().is_err() {
            errors.add(
                format!("{at}/timezone"),
                "unknown_time_zone",
                "must be an IANA name such as Europe/Berlin",
            );
        }
        if let Rule::Band { sensitivity, .. } = self.rule
            && !(Decimal::ONE..=Decimal::TEN).contains(&sensitivity)
        {
            errors.add(
                format!("{at}/rule/band/sensitivity"),
                "out_of_range",
                "must be 1 to 10",
            );
        }
        if !(1..=10).contains(&self.confirm) {
            errors.add(format!("{at}/confirm"), "out_of_range", "must be 1 to 10");
        }
        if self.cooldown_minutes > 10_080 {
            errors.add(
                format!("{at}/cooldown_minutes"),
                "out_of_range",
                "must be 0 to 10,080",
            );
        }
        if self.filters.len() > 20 {
            errors.add(
                format!("{at}/filters"),
                "too_many",
                "must be at most 20 filters",
            );
        }
        if self.mail.len() > MOST_ADDRESSES {
            errors.add(
                format!("{at}/mail"),
                "too_many",
                "must be at most 20 addresses",
            );
        }
        for (n, address) in self.mail.iter().enumerate() {
            if !bz_mail::is_address(address) {
                errors.add(
                    format!("{at}/mail/{n}"),
                    "invalid_address",
                    "must be an address such as ada@example.com",
                );
            }
        }
    }
}

fn check_name(errors: &mut Errors, name: Option<&str>) {
    if name.is_some_and(|name| !(1..=200).contains(&name.trim().chars().count())) {
        errors.add("/name", "invalid_length", "must be 1 to 200 characters");
    }
}

impl Validate for CreateAlert {
    fn validate(&self, errors: &mut Errors) {
        check_name(errors, Some(&self.name));
        self.definition.check(errors);
    }
}

impl Validate for PatchAlert {
    fn validate(&self, errors: &mut Errors) {
        check_name(errors, self.name.as_deref());
        if let Some(definition) = &self.definition {
            definition.check(errors);
        }
    }
}
