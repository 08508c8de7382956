//! Retention: people by the period in which they came, and in how many of the periods after it they came back.

pub(super) mod endpoint;
mod store;

use bz_http::{Errors, Problem};
use bz_tenant::TenantTx;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    events::{CountBy, EventMatch},
    pieces::{Pieces, days_of, zone},
};
use crate::{
    dashboards::View,
    query::{ColumnKind, Frame, Granularity, Range, Row, Unit},
    version,
};

/// The most periods after the first.
const MOST_PERIODS: u16 = 60;

/// Who came when, and who came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionQuery {
    /// What somebody does to come; any event when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<EventMatch>,
    /// What somebody does to come back; any event when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<EventMatch>,
    /// Whether somebody comes once, at their very first `start`; else once in every period with one.
    #[serde(default)]
    pub first_time: bool,
    /// Who is counted.
    #[serde(default)]
    pub count_by: CountBy,
    /// How long a period is: day, week, month, quarter or year; a week when not given.
    #[serde(default = "week")]
    pub granularity: Granularity,
    /// How many periods after the first, 1 to 60; 8 when not given.
    #[serde(default = "eight")]
    #[schema(minimum = 1, maximum = 60)]
    pub periods: u16,
}

const fn week() -> Granularity {
    Granularity::Week
}

const fn eight() -> u16 {
    8
}

/// Who came in which period, and how many of them came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetentionGrid {
    /// One for each period of the range.
    pub cohorts: Vec<RetentionCohort>,
    /// First day of the first period.
    pub from: NaiveDate,
    /// Last day asked for.
    pub to: NaiveDate,
    /// IANA time zone of the days.
    pub timezone: String,
    /// How long a period is.
    pub granularity: Granularity,
    /// When it was read.
    pub as_of: DateTime<Utc>,
    /// Version of the tenant's data.
    pub data_version: i64,
}

/// Those who came in one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetentionCohort {
    /// First day of the period.
    pub cohort: NaiveDate,
    /// How many they are.
    pub size: i64,
    /// The period itself (0) and those after it that have begun.
    pub cells: Vec<RetentionCell>,
}

/// How many came back in one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetentionCell {
    /// How many periods later; 0 is the period itself, in which all are there.
    pub period: u16,
    /// How many came back.
    pub count: i64,
    /// Their share, 0 to 1; null of nobody.
    #[schema(value_type = Option<String>)]
    pub rate: Option<Decimal>,
    /// Whether the period is over.
    pub complete: bool,
}

impl RetentionQuery {
    pub(crate) fn check(&self, errors: &mut Errors, at: &str) {
        for (name, events) in [("start", &self.start), ("back", &self.back)] {
            if let Some(events) = events {
                events.check(errors, &format!("{at}/{name}"));
            }
        }
        check_periods(errors, at, self.granularity, self.periods);
    }
}

/// What all questions with periods are held to.
pub(super) fn check_periods(errors: &mut Errors, at: &str, granularity: Granularity, periods: u16) {
    if granularity == Granularity::Hour {
        let wanted = "must be day, week, month, quarter or year";
        errors.add(format!("{at}/granularity"), "invalid_value", wanted);
    }
    if !(1..=MOST_PERIODS).contains(&periods) {
        let wanted = format!("must be 1 to {MOST_PERIODS}");
        errors.add(format!("{at}/periods"), "out_of_range", wanted);
    }
}

/// A share of a whole, with six decimals; none of nothing.
pub(super) fn share(part: i64, whole: i64) -> Option<Decimal> {
    let quotient = Decimal::from(part).checked_div(Decimal::from(whole))?;
    Some(quotient.round_dp(6).normalize())
}

/// Answers the question.
pub(crate) async fn answer(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    query: &RetentionQuery,
    (range, timezone): (Range, Option<&str>),
) -> Result<RetentionGrid, Problem> {
    let zone = zone(timezone)?;
    let days = days_of(range, now, zone)?;
    let pieces = Pieces::over(days, query.granularity, zone)?;
    let beginnings = pieces.beginnings(query.periods.into());
    let counts = store::counts(tx, query, &beginnings, pieces.days.len()).await?;
    let cohorts = pieces.days.iter().enumerate().map(|(n, cohort)| {
        let count = |period: u16| counts.get(&(n, period)).copied().unwrap_or(0);
        let size = count(0);
        let begun =
            (0..=query.periods).filter(|period| beginnings[n + usize::from(*period)] <= now);
        let cells = begun.map(|period| RetentionCell {
            period,
            count: count(period),
            rate: share(count(period), size),
            complete: beginnings[n + usize::from(period) + 1] <= now,
        });
        RetentionCohort {
            cohort: *cohort,
            size,
            cells: cells.collect(),
        }
    });
    Ok(RetentionGrid {
        cohorts: cohorts.collect(),
        from: pieces.days.first().copied().unwrap_or(days.0),
        to: days.1,
        timezone: zone.name().to_owned(),
        granularity: query.granularity,
        as_of: now,
        data_version: version::current(tx).await?,
    })
}

/// The same as a table: cohort and period are its keys.
pub(crate) async fn frame(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    query: &RetentionQuery,
    view: &View,
) -> Result<Frame, Problem> {
    if !view.filters.is_empty() {
        return Err(super::unfiltered("retention"));
    }
    let grid = answer(tx, now, query, (view.range, view.timezone.as_deref())).await?;
    let rows = grid.cohorts.iter().flat_map(|cohort| {
        cohort.cells.iter().map(move |cell| Row {
            keys: vec![
                Some(cohort.cohort.to_string()),
                Some(cell.period.to_string()),
            ],
            values: vec![cell.rate, Some(cell.count.into())],
            previous: None,
            change: None,
        })
    });
    Ok(Frame {
        columns: vec![
            super::key("time", "Came in", ColumnKind::Time),
            super::key("period", "Periods later", ColumnKind::Dimension),
            super::metric("rate", "Retention", Unit::Percent, None),
            super::metric("count", "Came back", Unit::Count, None),
        ],
        rows: rows.collect(),
        totals: None,
        compared: None,
        meta: super::meta((grid.from, grid.to), &grid.timezone, now, grid.data_version),
    })
}
