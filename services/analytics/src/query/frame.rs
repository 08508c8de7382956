//! What is answered.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Change;

/// The numbers that a question has as its answer. Every number is exact and a string in JSON, as money has to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Frame {
    /// What the columns are: time, then dimensions, then metrics.
    pub columns: Vec<Column>,
    /// The rows; with a granularity, every piece of time is there, also one in which nothing happened.
    pub rows: Vec<Row>,
    /// Over all rows, also those beyond the limit: computed, never summed, since a ratio has no sum.
    pub totals: Option<Row>,
    /// The period compared with.
    pub compared: Option<Compared>,
    /// How the numbers were made.
    pub meta: FrameMeta,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Column {
    /// Name for programs: `time`, a dimension or a metric.
    pub key: String,
    /// Name for people.
    pub label: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// The unit, of a metric.
    pub unit: Option<Unit>,
    /// ISO 4217 code, of a metric in money.
    pub currency: Option<String>,
    /// Which way is good, of a metric.
    pub polarity: Option<Polarity>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// The beginning of a piece of time, as `2026-03-02` or `2026-03-02T13:00:00+05:30`.
    Time,
    /// A text.
    Dimension,
    /// A number.
    Metric,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Things.
    Count,
    /// Money, in the currency's main unit.
    Money,
    /// A share: 0.25 is 25 %.
    Percent,
    /// A quotient without a unit, as ROAS.
    Ratio,
    /// Seconds.
    Seconds,
    /// Days.
    Days,
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// More is good.
    UpIsGood,
    /// Less is good.
    DownIsGood,
    /// Neither.
    Neutral,
}

/// One row: what it is about, and its numbers in the order of the columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Row {
    /// Time and dimensions, in the order of the columns.
    pub keys: Vec<Option<String>>,
    /// Metrics, in the order of the columns; null where there is none, as a quotient by zero.
    #[schema(value_type = Vec<Option<String>>)]
    pub values: Vec<Option<Decimal>>,
    /// The same metrics in the period compared with.
    #[schema(value_type = Option<Vec<Option<String>>>)]
    pub previous: Option<Vec<Option<Decimal>>>,
    /// From the one to the other.
    pub change: Option<Vec<Change>>,
}

/// The period compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Compared {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// Whether it was cut to as much time as has passed of a period that is not over.
    pub like_for_like: bool,
    /// Where it was cut, to the quarter of an hour.
    pub until: Option<DateTime<Utc>>,
}

/// How the numbers were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FrameMeta {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// IANA time zone of the days.
    pub timezone: String,
    /// When the numbers were read.
    pub as_of: DateTime<Utc>,
    /// Up to when they are complete: what happened later may still come in.
    pub complete_until: DateTime<Utc>,
    /// Whether the last piece of time is not over.
    pub partial_period: bool,
    /// Metrics that are estimates.
    pub approximate: Vec<String>,
    /// What was read.
    pub source: Source,
    /// Whether there were more rows than the limit.
    pub truncated: bool,
    /// Version of the tenant's data, one more with every write.
    pub data_version: i64,
    /// Whether the answer came out of a cache.
    pub cached: bool,
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Days already summed up.
    RollupDay,
    /// Quarters of an hour already summed up.
    #[serde(rename = "rollup_15m")]
    Rollup15m,
    /// Facts by day.
    Facts,
    /// Single events, orders or deals.
    Raw,
    /// Several of these.
    Mixed,
}
