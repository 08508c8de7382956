//! What needs more than sums: cohorts of customers, retention of people, funnels. All are exact, read from single orders,
//! events and deals, in the days of the tenant's time zone.

pub(crate) mod cohorts;
mod events;
pub(crate) mod funnels;
mod pieces;
pub(crate) mod retention;

use bz_http::{Problem, Routes, routes};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::{
    app::AppState,
    query::{Column, ColumnKind, FrameMeta, Polarity, Source, Unit},
};

pub use cohorts::CohortsQuery;
pub use funnels::FunnelQuery;
pub use retention::RetentionQuery;

bz_auth::permissions! {
    /// Ask for numbers.
    MetricsRead = "metrics:read",
}

/// The routes of these questions.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(cohorts::endpoint::query_cohorts))
        .routes(routes!(retention::endpoint::query_retention))
        .routes(routes!(funnels::endpoint::query_funnel))
}

/// 422: the dashboard's filters are on numbers that this question has not.
fn unfiltered(what: &str) -> Problem {
    let wanted = format!(
        "{what} cannot be filtered by the dashboard; put filters into the tile's own query"
    );
    Problem::invalid("/filters", "filters_do_not_apply", wanted)
}

/// A column of an answer as a table that is time or a dimension.
fn key(key: &str, label: &str, kind: ColumnKind) -> Column {
    Column {
        key: key.to_owned(),
        label: label.to_owned(),
        kind,
        unit: None,
        currency: None,
        polarity: None,
    }
}

/// A column of an answer as a table that is a number.
fn metric(key: &str, label: &str, unit: Unit, currency: Option<&str>) -> Column {
    Column {
        key: key.to_owned(),
        label: label.to_owned(),
        kind: ColumnKind::Metric,
        unit: Some(unit),
        currency: currency.map(ToOwned::to_owned),
        polarity: Some(Polarity::UpIsGood),
    }
}

/// How an answer as a table was made.
fn meta(
    (from, to): (NaiveDate, NaiveDate),
    timezone: &str,
    now: DateTime<Utc>,
    data_version: i64,
) -> FrameMeta {
    let today = timezone.parse().map_or(now.date_naive(), |zone: Tz| {
        now.with_timezone(&zone).date_naive()
    });
    FrameMeta {
        from,
        to,
        timezone: timezone.to_owned(),
        as_of: now,
        complete_until: now,
        partial_period: to >= today,
        approximate: Vec::new(),
        source: Source::Raw,
        truncated: false,
        data_version,
        cached: false,
    }
}
