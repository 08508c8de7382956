//! Lead scoring. A score is a probability of winning, explained by contributions in log-odds that add up:
//! `base.log_odds + Σ contributions = logit(probability)`. New tenants have no outcomes to learn from, so the only
//! mode here is a set of rules with weights that a salesperson would defend; the answer says so in `mode`.

mod weights;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use bz_kernel::LeadId;

use crate::{leads::Lead, records::column::choice_columns, rules};

/// Version of the rule set; changes when a weight does.
pub const RULES_VERSION: &str = "rules-1";
/// Log-odds of a lead of which nothing is known: one in five is won.
const BASE_LOG_ODDS: f64 = -1.386_294_361_119_890_6;

/// A lead's score and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeadScore {
    /// The lead scored.
    pub lead_id: LeadId,
    /// The probability in percent, rounded: 0 to 100.
    #[schema(minimum = 0, maximum = 100)]
    pub score: u8,
    /// A from 60, B from 35, C from 15, else D.
    pub grade: Grade,
    /// Estimated probability that the lead is won.
    pub probability: f64,
    /// How the score was made.
    pub mode: ScoreMode,
    /// Why this mode and no other.
    pub mode_reason: String,
    /// What speaks for and against the lead, strongest first.
    pub factors: Vec<Factor>,
    /// Where the sum of the factors starts.
    pub base: Base,
    /// Version of the rules or of the model.
    pub model_version: String,
    /// When the score was made.
    pub scored_at: DateTime<Utc>,
}

/// How a score was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoreMode {
    /// Fixed weights: there are no outcomes to learn from.
    Rules,
    /// A logistic regression on the tenant's own outcomes.
    Logistic,
    /// Boosted trees on the tenant's own outcomes.
    Gbdt,
}

rules::text_enum!(ScoreMode { Rules => "rules", Logistic => "logistic", Gbdt => "gbdt" });

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
    /// Field of the lead, or what is derived from it: `source`, `days_since_update`.
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

/// Scores a lead as it is at `now`.
#[must_use]
pub fn score(lead: &Lead, now: DateTime<Utc>) -> LeadScore {
    let mut found = weights::evidence(lead, now);
    found.retain(|evidence| evidence.log_odds != 0.0);
    found.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
    let log_odds = BASE_LOG_ODDS + found.iter().map(|evidence| evidence.log_odds).sum::<f64>();
    let probability = logistic(log_odds);
    let points = percent(probability);
    LeadScore {
        lead_id: lead.id,
        score: points,
        grade: grade(points),
        probability,
        mode: ScoreMode::Rules,
        mode_reason: "No outcomes are recorded to learn from, so fixed rules apply.".to_owned(),
        factors: found
            .into_iter()
            .map(|evidence| evidence.into_factor(log_odds))
            .collect(),
        base: Base {
            probability: logistic(BASE_LOG_ODDS),
            log_odds: BASE_LOG_ODDS,
        },
        model_version: RULES_VERSION.to_owned(),
        scored_at: now,
    }
}

/// What a rule found in a lead.
struct Evidence {
    feature: &'static str,
    label: &'static str,
    value: Option<String>,
    log_odds: f64,
}

impl Evidence {
    fn into_factor(self, total: f64) -> Factor {
        let without = percent(logistic(total - self.log_odds));
        Factor {
            feature: self.feature.to_owned(),
            label: self.label.to_owned(),
            value: self.value,
            direction: if self.log_odds > 0.0 {
                Direction::Positive
            } else {
                Direction::Negative
            },
            contribution: self.log_odds,
            points: i16::from(percent(logistic(total))) - i16::from(without),
        }
    }
}

fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// A probability is between 0 and 1, so the product is between 0 and 100.
fn percent(probability: f64) -> u8 {
    (probability * 100.0).round() as u8
}

const fn grade(score: u8) -> Grade {
    match score {
        60.. => Grade::A,
        35.. => Grade::B,
        15.. => Grade::C,
        _ => Grade::D,
    }
}

#[cfg(test)]
mod tests;
