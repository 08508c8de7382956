//! What clients send and see of reports.

use bz_http::{Errors, Validate};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Failure;
use crate::{
    charts::Locale,
    dashboards::{Tile, View},
};

const MOST_TITLE_CHARACTERS: usize = 200;
const MOST_TILES: usize = 60;
const MOST_ADDRESSES: usize = 20;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// All numbers, exact, for programs.
    Json,
    /// Comma-separated values in UTF-8, a block for each part.
    Csv,
    /// A spreadsheet (Office Open XML), a sheet for each part.
    Xlsx,
    /// Pages to print and to send.
    Pdf,
}

impl Format {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Pdf => "pdf",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Json, Self::Csv, Self::Xlsx, Self::Pdf];
        all.into_iter().find(|format| format.as_str() == name)
    }

    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pdf => "application/pdf",
        }
    }
}

/// A report to make: of a dashboard, or of tiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateReport {
    /// What it is called, 1 to 200 characters; the dashboard's name when not given. Needed with `tiles`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    pub title: Option<String>,
    /// The dashboard that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard_id: Option<Uuid>,
    /// What it shows, when it is not a dashboard: 1 to 60 tiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 60)]
    pub tiles: Option<Vec<Tile>>,
    /// Days, time zone, comparison and filters; the dashboard's when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// The files to make.
    #[serde(default = "only_pdf")]
    #[schema(min_items = 1, max_items = 4)]
    pub formats: Vec<Format>,
    /// The language, and how numbers and dates are written.
    #[serde(default)]
    pub locale: Locale,
    /// Whether texts in the CSV that a spreadsheet would take for formulas begin with `'`. Turn it off for programs.
    #[serde(default = "yes")]
    pub formula_guard: bool,
    /// Who gets it once it is made.
    #[serde(default)]
    pub deliver: Deliver,
}

/// Who gets a report. Receivers of webhooks are told of every one (`report.succeeded`) without being named here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deliver {
    /// Addresses that get the files by mail, at most 20.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub mail: Vec<String>,
}

fn only_pdf() -> Vec<Format> {
    vec![Format::Pdf]
}

const fn yes() -> bool {
    true
}

impl CreateReport {
    /// Adds what is wrong, at a place of the body.
    pub(crate) fn check(&self, errors: &mut Errors, at: &str) {
        if self.dashboard_id.is_some() == self.tiles.is_some() {
            errors.add(
                at.to_owned(),
                "one_of",
                "must have either dashboard_id or tiles",
            );
        }
        let title = self.title.as_deref();
        let length = title.map(|title| title.trim().chars().count());
        if length.is_some_and(|length| !(1..=MOST_TITLE_CHARACTERS).contains(&length))
            || (title.is_none() && self.tiles.is_some())
        {
            errors.add(
                format!("{at}/title"),
                "invalid_length",
                "must be 1 to 200 characters",
            );
        }
        if self
            .tiles
            .as_ref()
            .is_some_and(|tiles| !(1..=MOST_TILES).contains(&tiles.len()))
        {
            errors.add(
                format!("{at}/tiles"),
                "invalid_count",
                "must be 1 to 60 tiles",
            );
        }
        let repeated =
            (1..self.formats.len()).any(|n| self.formats[..n].contains(&self.formats[n]));
        if self.formats.is_empty() || repeated {
            errors.add(
                format!("{at}/formats"),
                "invalid_count",
                "must be 1 to 4 different formats",
            );
        }
        if self.deliver.mail.len() > MOST_ADDRESSES {
            errors.add(
                format!("{at}/deliver/mail"),
                "too_many",
                "must be at most 20 addresses",
            );
        }
        for (n, address) in self.deliver.mail.iter().enumerate() {
            if !bz_mail::is_address(address) {
                errors.add(
                    format!("{at}/deliver/mail/{n}"),
                    "invalid_address",
                    "must be an address such as ada@example.com",
                );
            }
        }
    }
}

impl Validate for CreateReport {
    fn validate(&self, errors: &mut Errors) {
        self.check(errors, "");
    }
}

/// What a report is made of, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub tiles: Vec<Tile>,
    pub view: View,
    pub locale: Locale,
    pub formula_guard: bool,
    pub deliver: Deliver,
}

/// How a report is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReportStatus {
    /// It waits for its turn.
    Queued,
    /// It is being made.
    Running,
    /// At least one of its files is there.
    Succeeded,
    /// None of its files could be made.
    Failed,
    /// Its time is over, and its files are gone.
    Expired,
}

impl ReportStatus {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Queued,
            Self::Running,
            Self::Succeeded,
            Self::Failed,
            Self::Expired,
        ];
        all.into_iter().find(|status| status.as_str() == name)
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Report {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub title: String,
    /// How it is doing.
    pub status: ReportStatus,
    /// The files that were ordered.
    pub formats: Vec<Format>,
    /// The files that are made, or could not be.
    pub files: Vec<ReportFile>,
    /// How many of the ordered files are done, in percent.
    pub percent: u8,
    /// Version of the data that its numbers are of.
    pub data_version: Option<i64>,
    /// When its numbers were read.
    pub as_of: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<Failure>,
    /// The schedule that ordered it.
    pub schedule_id: Option<Uuid>,
    /// For which of the schedule's times.
    pub scheduled_for: Option<DateTime<Utc>>,
    /// Who ordered it.
    pub created_by: UserId,
    /// When it was ordered.
    pub created_at: DateTime<Utc>,
    /// When it was done.
    pub finished_at: Option<DateTime<Utc>>,
    /// Until when its files are kept.
    pub expires_at: DateTime<Utc>,
    /// Grows with every change.
    pub version: i64,
}

/// A file of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReportFile {
    /// Its form.
    pub format: Format,
    /// Bytes.
    pub size: i64,
    /// Digest of its bytes, in hex; the same report has the same one each time.
    pub sha256: String,
    /// Where it is.
    pub download: Option<String>,
    /// Characters that the font of the PDF does not have; a `?` stands for each.
    pub missing_glyphs: Vec<String>,
    /// Why it could not be made.
    pub error: Option<Failure>,
}
