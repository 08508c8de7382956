//! What is asked.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A question for numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Keys of the catalogue, as `google-ads.roas`.
    #[schema(min_items = 1, max_items = 20)]
    pub metrics: Vec<String>,
    /// Dimensions to break down by, as `campaign`. Time is not one of them: that is `granularity`.
    #[serde(default)]
    #[schema(max_items = 3)]
    pub dimensions: Vec<String>,
    /// What counts.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub filters: Vec<Filter>,
    /// Which days.
    pub range: Range,
    /// IANA time zone of the days; the tenant's, else `UTC`, when not given.
    pub timezone: Option<String>,
    /// One row for each such piece of time; none: one for the whole range.
    pub granularity: Option<Granularity>,
    /// The period to compare with.
    #[serde(default)]
    pub compare: Compare,
    /// Whether the days compared have the same dates or the same days of the week.
    #[serde(default)]
    pub compare_align: Align,
    /// How rows are ordered; by time, then by the first metric downwards, when not given.
    #[serde(default)]
    #[schema(max_items = 3)]
    pub order: Vec<Order>,
    /// The most rows; 1,000 when not given.
    #[schema(minimum = 1, maximum = 10_000)]
    pub limit: Option<u32>,
    /// Whether to answer the totals, too.
    #[serde(default)]
    pub totals: bool,
}

/// A condition on a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// The dimension.
    pub dimension: String,
    /// How it is compared.
    pub operator: FilterOperator,
    /// With what.
    #[schema(min_items = 1, max_items = 100)]
    pub values: Vec<String>,
}

/// How a dimension is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilterOperator {
    /// Is one of the values.
    In,
    /// Is none of them.
    NotIn,
    /// Contains one of them, whatever the case.
    Contains,
}

/// Days: both ends, or the name of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Range {
    /// Both ends are included.
    Days {
        /// First day.
        from: NaiveDate,
        /// Last day.
        to: NaiveDate,
    },
    /// A period that moves with today.
    Preset {
        /// Its name.
        preset: Preset,
    },
}

/// A period that moves with today. `last_*` end with yesterday's day, last week or last month; `this_*` and `today` with
/// today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Preset {
    Today,
    Yesterday,
    #[serde(rename = "last_7_days")]
    Last7Days,
    #[serde(rename = "last_14_days")]
    Last14Days,
    #[serde(rename = "last_28_days")]
    Last28Days,
    #[serde(rename = "last_30_days")]
    Last30Days,
    #[serde(rename = "last_90_days")]
    Last90Days,
    #[serde(rename = "last_365_days")]
    Last365Days,
    ThisWeek,
    LastWeek,
    ThisMonth,
    LastMonth,
    ThisQuarter,
    LastQuarter,
    ThisYear,
    LastYear,
}

/// A piece of time. Weeks begin on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Granularity {
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// The period to compare with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// None.
    #[default]
    None,
    /// As many local days before; a whole month, quarter or year with the whole one before.
    PreviousPeriod,
    /// The same dates a year before.
    PreviousYear,
    /// These days.
    Custom {
        /// First day.
        from: NaiveDate,
        /// Last day, included.
        to: NaiveDate,
    },
}

/// How the days of two periods stand against each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// By date.
    #[default]
    Date,
    /// By day of the week: the period before is moved by whole weeks.
    Weekday,
}

/// One column to order by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// A metric, a dimension or `time`.
    pub by: String,
    /// Largest first.
    #[serde(default)]
    pub descending: bool,
}
