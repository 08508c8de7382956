//! Runs that are made again and again: a cron expression in a time zone. The next time is a column, moved on in the transaction
//! that makes the run; so a restart loses none, and any number of processes makes each once.

mod create;
mod credential;
mod delete;
mod get;
mod list;
mod put;
mod store;
mod times;
mod work;

use bz_http::{Errors, Routes, Validate, routes};
use bz_kernel::{RunId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    agents::check_text,
    app::AppState,
    runs::{CreateRun, RunError},
};

pub(crate) use work::job;

bz_kernel::typed_id!(
    /// A schedule of runs.
    ScheduleId
);

bz_auth::permissions! {
    /// See the schedules.
    SchedulesRead = "schedules:read",
    /// Set up schedules, and change one's own.
    SchedulesWrite = "schedules:write",
    /// Delete the schedules of others.
    SchedulesManage = "schedules:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_schedules, create::create_schedule))
        .routes(routes!(
            get::get_schedule,
            put::put_schedule,
            delete::delete_schedule
        ))
}

/// What happens when the run before is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Overlap {
    /// This time is left out.
    #[default]
    Skip,
    /// It is made when that one is over.
    Queue,
    /// That one is ended.
    Cancel,
}

/// What happens with times that went by while no process was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Misfire {
    /// They are made up for by one run.
    #[default]
    RunOnce,
    /// They are left out.
    Skip,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
    /// When, as a cron expression.
    pub cron: String,
    /// IANA time zone in which the expression holds; local times stay when clocks change.
    pub timezone: String,
    /// What is run.
    pub run: CreateRun,
    /// What happens when the run before is not over.
    pub overlap: Overlap,
    /// What happens with times that were missed.
    pub misfire: Misfire,
    /// Whether it runs.
    pub enabled: bool,
    /// When it runs next; none while it does not.
    pub next_run_at: Option<DateTime<Utc>>,
    /// When its time came last.
    pub last_run_at: Option<DateTime<Utc>>,
    /// The run that was made last.
    pub last_run_id: Option<RunId>,
    /// What became of that time: `started`, `skipped_overlap`, `skipped_misfire` or `failed`.
    pub last_outcome: Option<String>,
    /// Why no run was made.
    pub error: Option<RunError>,
    /// For whom it works.
    pub created_by: UserId,
    /// When it was set up.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// A schedule to set up, or what one is from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedSchedule {
    /// Its name, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// When: minute, hour, day of the month, month, day of the week.
    #[schema(max_length = 100, example = "0 8 * * 1")]
    pub cron: String,
    /// IANA time zone in which the expression holds; `UTC` when not given.
    #[serde(default = "utc")]
    #[schema(max_length = 60, example = "Europe/Berlin")]
    pub timezone: String,
    /// What is run.
    pub run: CreateRun,
    /// What happens when the run before is not over.
    #[serde(default)]
    pub overlap: Overlap,
    /// What happens with times that were missed.
    #[serde(default)]
    pub misfire: Misfire,
    /// Whether it runs.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// An API key of the user, with which the runs work; it is sealed and never shown. Not needed when this request is made with
    /// an API key, or to change a schedule that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 4096)]
    pub api_key: Option<String>,
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn yes() -> bool {
    true
}

impl Validate for WantedSchedule {
    fn validate(&self, errors: &mut Errors) {
        check_text(errors, "/name", &self.name, 1, 200);
        if times::parsed(&self.cron).is_none() {
            let message =
                "must be five fields such as 0 8 * * 1: minute, hour, day, month, day of the week";
            errors.add("/cron", "invalid_cron", message);
        }
        if times::zone(&self.timezone).is_none() {
            let message = "must be an IANA name such as Europe/Berlin";
            errors.add("/timezone", "unknown_time_zone", message);
        }
        if self.api_key.as_ref().is_some_and(|key| key.len() > 4096) {
            errors.add("/api_key", "too_long", "must have at most 4096 bytes");
        }
        self.run.check(errors, "/run");
    }
}
