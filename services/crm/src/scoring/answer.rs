//! What is answered of a score.

use bz_kernel::LeadId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{records::column::choice_columns, rules};

/// A lead's score and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeadScore {
    /// The lead scored.
    pub lead_id: LeadId,
    /// The score and its reasons.
    #[serde(flatten)]
    pub assessment: Assessment,
    /// Whether the score rises or falls against the one of a week ago.
    pub trend: Option<Trend>,
    /// The score of a week ago, or the first one when it was first scored since.
    pub previous_score: Option<i16>,
    /// Whether the score that lists show and sort by is another one: it follows within a minute.
    pub stale: bool,
}

/// A score and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Assessment {
    /// 0 to 100. Under rules the probability in percent; under a model the typical lead has 50.
    #[schema(minimum = 0, maximum = 100)]
    pub score: u8,
    /// From A to D, by the thresholds of `GET /api/scoring/model`.
    pub grade: Grade,
    /// Percent of the leads of training with a lower probability; none under rules.
    pub percentile: Option<u8>,
    /// Estimated probability that the lead is won within the horizon.
    pub probability: f64,
    /// In nine of ten groups of similar leads the share of won ones lies in here; none under rules.
    pub probability_interval: Option<[f64; 2]>,
    /// Days within which a lead must be won to count.
    pub horizon_days: u16,
    /// How the score was made.
    pub mode: ScoreMode,
    /// Why this mode and no other.
    pub mode_reason: String,
    /// What speaks for and against the lead, strongest first.
    pub factors: Vec<Factor>,
    /// The sum of the contributions that `factors` leaves out because fewer were asked for.
    pub other_contributions: f64,
    /// Where the sum of the factors starts.
    pub base: Base,
    /// Whether base and contributions make the log-odds of `probability`, to a millionth.
    pub sum_check: bool,
    /// Version of the rules or of the model.
    pub model_version: String,
    /// When the score was made.
    pub scored_at: DateTime<Utc>,
}

/// The score of a lead that is not stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdHocScore {
    /// As it was sent.
    pub external_id: Option<String>,
    /// The score and its reasons.
    #[serde(flatten)]
    pub assessment: Assessment,
}

/// Scores of leads that are not stored, in the order in which they were sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdHocScores {
    /// One each.
    pub items: Vec<AdHocScore>,
}

/// A score that a lead had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, sqlx::FromRow)]
pub struct PastScore {
    /// Its id.
    pub id: Uuid,
    /// 0 to 100.
    pub score: i16,
    /// From A to D.
    pub grade: Grade,
    /// Estimated probability that the lead is won.
    pub probability: f64,
    /// How it was made.
    pub mode: ScoreMode,
    /// Version of the rules or of the model.
    pub model_version: String,
    /// When it was made.
    pub scored_at: DateTime<Utc>,
}

/// How a score was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoreMode {
    /// Fixed weights: there are too few outcomes to learn from.
    Rules,
    /// A logistic regression on the tenant's own outcomes.
    Logistic,
    /// Boosted trees on the tenant's own outcomes.
    Gbdt,
}

rules::text_enum!(ScoreMode { Rules => "rules", Logistic => "logistic", Gbdt => "gbdt" });

impl From<bz_scoring::Mode> for ScoreMode {
    fn from(mode: bz_scoring::Mode) -> Self {
        match mode {
            bz_scoring::Mode::Rules => Self::Rules,
            bz_scoring::Mode::Logistic => Self::Logistic,
            bz_scoring::Mode::Gbdt => Self::Gbdt,
        }
    }
}

/// A score in one letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Grade {
    /// Call today.
    A,
    /// Promising.
    B,
    /// Nurture.
    C,
    /// Unlikely.
    D,
}

rules::text_enum!(Grade { A => "A", B => "B", C => "C", D => "D" });
choice_columns!(ScoreMode, Grade);
rules::read_from_text!(ScoreMode);
rules::read_from_text!(Grade);

impl From<bz_scoring::Grade> for Grade {
    fn from(grade: bz_scoring::Grade) -> Self {
        match grade {
            bz_scoring::Grade::A => Self::A,
            bz_scoring::Grade::B => Self::B,
            bz_scoring::Grade::C => Self::C,
            bz_scoring::Grade::D => Self::D,
        }
    }
}

/// Where a score goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// At least three points more.
    Up,
    /// At least three points fewer.
    Down,
    /// Neither.
    Flat,
}

impl Trend {
    /// From a score to another.
    pub(crate) const fn between(before: i16, now: i16) -> Self {
        match now - before {
            3.. => Self::Up,
            ..=-3 => Self::Down,
            _ => Self::Flat,
        }
    }
}

/// The lead of which nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Base {
    /// Its probability.
    pub probability: f64,
    /// The same as log-odds.
    pub log_odds: f64,
}

/// Whether a factor raises or lowers the score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Raises it.
    Positive,
    /// Lowers it.
    Negative,
}

/// One reason for the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Factor {
    /// Field of the lead, or what is derived from it: `source`, `custom.plan`, `days_since_update`.
    pub feature: String,
    /// The same for people.
    pub label: String,
    /// What the lead has there; null when it is missing.
    pub value: Option<String>,
    /// Whether it raises or lowers the score.
    pub direction: Direction,
    /// In log-odds; all contributions and the base add up to the log-odds of the probability.
    pub contribution: f64,
    /// Points of the score that would be missing without this factor alone.
    pub points: i16,
}
