//! Reports that are made again and again: a cron expression in a time zone. The next time is a column, moved on in the
//! transaction that orders the report; so a restart loses none, and any number of processes orders each once.

mod create;
mod delete;
mod get;
mod list;
mod patch;
mod run;
mod store;
mod times;
mod work;

use bz_http::{Errors, Routes, Validate, routes};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::AppState,
    reports::{CreateReport, Failure},
};

pub(crate) use work::job;

bz_auth::permissions! {
    /// Set up reports that are made again and again.
    ReportSchedulesWrite = "report_schedules:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(
            create::create_report_schedule,
            list::list_report_schedules
        ))
        .routes(routes!(
            get::get_report_schedule,
            patch::patch_report_schedule,
            delete::delete_report_schedule
        ))
        .routes(routes!(run::run_report_schedule))
}

/// A report that is made again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReportSchedule {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// When, as a cron expression.
    pub cron: String,
    /// IANA time zone in which the expression holds; local times stay when clocks change.
    pub timezone: String,
    /// What is made.
    pub report: CreateReport,
    /// Whether it runs.
    pub enabled: bool,
    /// The next three times; none while it does not run.
    pub next_runs: Vec<DateTime<Utc>>,
    /// When it ran last.
    pub last_run_at: Option<DateTime<Utc>>,
    /// The report that was made then.
    pub last_report_id: Option<Uuid>,
    /// Why none was.
    pub error: Option<Failure>,
    /// Who set it up.
    pub created_by: UserId,
    /// When it was set up.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// A schedule to set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateReportSchedule {
    /// Its name, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// When: minute, hour, day of the month, month, day of the week; at most every 15 minutes.
    #[schema(max_length = 100, example = "0 8 * * 1")]
    pub cron: String,
    /// IANA time zone in which the expression holds.
    #[schema(max_length = 60, example = "Europe/Berlin")]
    pub timezone: String,
    /// What is made.
    pub report: CreateReport,
    /// Whether it runs.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// A change of a schedule: what is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchReportSchedule {
    /// Its name, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// When.
    #[schema(max_length = 100)]
    pub cron: Option<String>,
    /// IANA time zone in which the expression holds.
    #[schema(max_length = 60)]
    pub timezone: Option<String>,
    /// What is made.
    pub report: Option<CreateReport>,
    /// Whether it runs.
    pub enabled: Option<bool>,
}

const fn yes() -> bool {
    true
}

fn check(errors: &mut Errors, name: Option<&str>, cron: Option<&str>, timezone: Option<&str>) {
    if name.is_some_and(|name| !(1..=200).contains(&name.trim().chars().count())) {
        errors.add("/name", "invalid_length", "must be 1 to 200 characters");
    }
    if cron.is_some_and(|cron| times::parsed(cron).is_none()) {
        errors.add(
            "/cron",
            "invalid_cron",
            "must be five fields such as 0 8 * * 1: minute, hour, day, month, day of the week",
        );
    }
    if timezone.is_some_and(|zone| times::zone(zone).is_none()) {
        errors.add(
            "/timezone",
            "unknown_time_zone",
            "must be an IANA name such as Europe/Berlin",
        );
    }
}

impl Validate for CreateReportSchedule {
    fn validate(&self, errors: &mut Errors) {
        check(
            errors,
            Some(&self.name),
            Some(&self.cron),
            Some(&self.timezone),
        );
        self.report.check(errors, "/report");
    }
}

impl Validate for PatchReportSchedule {
    fn validate(&self, errors: &mut Errors) {
        check(
            errors,
            self.name.as_deref(),
            self.cron.as_deref(),
            self.timezone.as_deref(),
        );
        if let Some(report) = &self.report {
            report.check(errors, "/report");
        }
    }
}
