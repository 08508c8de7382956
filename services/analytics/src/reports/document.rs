//! A report before it is a file: its parts with their answers. It is kept with the report, so that every format and every
//! attempt shows the same numbers.

use bz_http::Problem;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    charts::{ChartKind, Locale},
    dashboards::Layout,
    query::{Compared, Frame},
};

/// A report with its numbers; what its JSON file has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Document {
    /// What it is called.
    pub title: String,
    /// The language, and how numbers and dates are written.
    pub locale: Locale,
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub to: Option<NaiveDate>,
    /// The period compared with.
    pub compared: Option<Compared>,
    /// IANA time zone of the days.
    pub timezone: String,
    /// When the numbers were read.
    pub as_of: DateTime<Utc>,
    /// Version of the data that they were read from.
    pub data_version: i64,
    /// Whether the last piece of time is not over.
    pub partial_period: bool,
    /// What it consists of, in order.
    pub parts: Vec<Part>,
}

/// One part of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Part {
    /// Its name for programs.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// How it is drawn.
    pub chart: ChartKind,
    /// How much of a dashboard it takes.
    pub layout: Layout,
    /// Its numbers.
    pub answer: Answer,
}

/// The numbers of a part, or why there are none.
#[expect(
    clippy::large_enum_variant,
    reason = "a report has some tens of parts, nearly all of them numbers"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The numbers.
    Frame(Frame),
    /// Why there are none.
    Problem(Failure),
}

/// Why something could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// For programs.
    pub code: String,
    /// For people.
    pub detail: String,
}

impl Failure {
    /// What a client may know of a problem.
    pub(crate) fn of(problem: &Problem) -> Self {
        let document = problem.document();
        Self {
            detail: document.detail.unwrap_or(document.title),
            code: document.code.clone(),
        }
    }
}

impl Document {
    /// Takes over what the answers say of time and data.
    pub(crate) fn described(mut self) -> Self {
        let frames = self.parts.iter().filter_map(Part::frame);
        let metas: Vec<_> = frames
            .map(|frame| (frame.meta.clone(), frame.compared.clone()))
            .collect();
        self.from = metas.iter().map(|(meta, _)| meta.from).min();
        self.to = metas.iter().map(|(meta, _)| meta.to).max();
        self.partial_period = metas.iter().any(|(meta, _)| meta.partial_period);
        if let Some((meta, _)) = metas.first() {
            self.timezone.clone_from(&meta.timezone);
            self.data_version = meta.data_version;
            self.as_of = meta.as_of;
        }
        self.compared = metas.into_iter().find_map(|(_, compared)| compared);
        self
    }
}

impl Part {
    /// Its numbers, if there are any.
    #[must_use]
    pub const fn frame(&self) -> Option<&Frame> {
        match &self.answer {
            Answer::Frame(frame) => Some(frame),
            Answer::Problem(_) => None,
        }
    }
}
