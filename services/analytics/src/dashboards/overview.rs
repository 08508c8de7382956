use std::collections::HashMap;

use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem, Query};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{DashboardsRead, OverviewChange, period::Period, store};
use crate::app::AppState;

/// The metrics of the overview: key, label, name of the event counted (empty: every other event).
const METRICS: [(&str, &str, &str); 5] = [
    ("leads_created", "New leads", "lead.created"),
    ("todos_created", "New to-dos", "todo.created"),
    ("todos_completed", "To-dos done", "todo.completed"),
    ("users_registered", "New users", "user.registered"),
    ("other_events", "Other events", ""),
];

/// What to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OverviewQuery {
    /// Days up to today, 1 to 365; 30 when not given.
    #[param(minimum = 1, maximum = 365)]
    days: Option<u16>,
    /// IANA time zone in which a day begins and ends; `UTC` when not given.
    #[param(example = "Europe/Berlin")]
    time_zone: Option<String>,
}

/// Counts per day and against the period before.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Overview {
    /// The days shown.
    range: DayRange,
    /// As many days before them.
    previous_range: DayRange,
    /// IANA time zone of the days.
    time_zone: String,
    /// The numbers.
    metrics: Vec<Metric>,
    /// Where they come from.
    meta: Meta,
}

/// Whole days, both ends included.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct DayRange {
    from: NaiveDate,
    to: NaiveDate,
}

/// One number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Metric {
    /// Name for programs.
    key: String,
    /// Name for people.
    label: String,
    /// Count over the range.
    total: i64,
    /// Count over the previous range.
    previous_total: i64,
    /// From the one to the other.
    change: OverviewChange,
    /// Every day of the range, days with nothing included.
    per_day: Vec<DayValue>,
}

/// The count of one day.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct DayValue {
    date: NaiveDate,
    count: i64,
}

/// How the numbers were made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Meta {
    /// Table read.
    source: String,
    /// The last day is not over, so its count will grow.
    partial_period: bool,
    /// When the numbers were read.
    as_of: DateTime<Utc>,
}

/// Leads, to-dos, users and events per day, and the change against the period before.
#[utoipa::path(
    get, path = "/api/dashboards/overview", tag = "dashboards",
    security(("bearer" = ["dashboards:read"])),
    params(OverviewQuery),
    responses((status = 200, description = "The numbers", body = Overview), bz_http::openapi::ListProblems),
)]
pub(super) async fn get_overview(
    State(app): State<AppState>,
    caller: Can<DashboardsRead>,
    Query(query): Query<OverviewQuery>,
) -> Result<Json<Overview>, Problem> {
    let (days, zone) = query.checked()?;
    let now = app.core.sources.now();
    let period = Period::ending_today(now, days, zone);
    let mut tx = app.core.db.read(&caller.scope).await?;
    let rows = store::count_by_day(
        &mut tx,
        &period.beginnings(),
        &METRICS.map(|(_, _, event)| event),
    )
    .await?;
    drop(tx);
    let counts: Counts = rows
        .into_iter()
        .map(|row| ((row.name, period.day(row.day.unsigned_abs())), row.count))
        .collect();
    Ok(Json(Overview {
        range: DayRange {
            from: period.from,
            to: period.to,
        },
        previous_range: DayRange {
            from: period.previous_from,
            to: period.from.pred_opt().unwrap_or(period.from),
        },
        time_zone: zone.name().to_owned(),
        metrics: METRICS
            .map(|(key, label, event)| metric(key, label, event, &period, &counts))
            .into(),
        meta: Meta {
            source: "rollup_15m".to_owned(),
            partial_period: true,
            as_of: now,
        },
    }))
}

impl OverviewQuery {
    fn checked(&self) -> Result<(u16, Tz), Problem> {
        let days = self.days.unwrap_or(30);
        if !(1..=365).contains(&days) {
            return Err(Problem::invalid_parameter(
                "days",
                "out_of_range",
                "must be 1 to 365",
            ));
        }
        let name = self.time_zone.as_deref().unwrap_or("UTC");
        let zone = name.parse().map_err(|_| {
            Problem::invalid_parameter(
                "time_zone",
                "unknown_time_zone",
                "must be an IANA name such as Europe/Berlin",
            )
        })?;
        Ok((days, zone))
    }
}

/// Counts by event and day.
type Counts = HashMap<(String, NaiveDate), i64>;

fn metric(key: &str, label: &str, event: &str, period: &Period, counts: &Counts) -> Metric {
    let of = |day| counts.get(&(event.to_owned(), day)).copied().unwrap_or(0);
    let per_day: Vec<DayValue> = period
        .days()
        .map(|date| DayValue {
            date,
            count: of(date),
        })
        .collect();
    let total = per_day.iter().map(|day| day.count).sum();
    let previous_total = counts
        .iter()
        .filter(|((name, day), _)| name == event && *day < period.from)
        .map(|(_, n)| n)
        .sum();
    Metric {
        key: key.to_owned(),
        label: label.to_owned(),
        total,
        previous_total,
        change: OverviewChange::of(total, previous_total),
        per_day,
    }
}
