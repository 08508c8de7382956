//! From a lead to its score and the reasons.

use bz_scoring::{Model, ScoreMap, Thresholds, logistic};
use chrono::{DateTime, Utc};

use super::{
    answer::{Assessment, Base, Direction, Factor, Grade, ScoreMode},
    features::shown,
    rule_set::Evidence,
    settings::{Setup, Wish},
    subject::Subject,
};

/// Scores leads of a tenant as it has set it up.
#[derive(Clone, Copy)]
pub(crate) struct Scorer<'a> {
    pub setup: &'a Setup,
    pub model: Option<&'a Model>,
    pub now: DateTime<Utc>,
}

/// A score without reasons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bare {
    pub score: i16,
    pub grade: Grade,
    pub probability: f64,
}

/// How points follow from a probability.
#[derive(Clone, Copy)]
enum Points {
    Percent,
    Map(ScoreMap),
}

impl Points {
    fn of(self, probability: f64) -> u8 {
        match self {
            // A probability is between 0 and 1, so the product is between 0 and 100.
            Self::Percent => (probability * 100.0).round() as u8,
            Self::Map(map) => map.points(probability),
        }
    }
}

impl Scorer<'_> {
    /// How the scores are made.
    pub(crate) fn mode(&self) -> ScoreMode {
        self.model
            .map_or(ScoreMode::Rules, |model| model.mode().into())
    }

    /// Version of the rules or of the model.
    pub(crate) fn version(&self) -> &str {
        match (&self.setup.active, self.model) {
            (Some(active), Some(_)) => &active.name,
            _ => &self.setup.rules_name,
        }
    }

    fn points(&self) -> Points {
        self.model
            .map_or(Points::Percent, |model| Points::Map(model.score_map()))
    }

    fn thresholds(&self) -> Thresholds {
        self.setup.settings.thresholds_of(self.mode())
    }

    /// Why this mode.
    pub(crate) fn reason(&self) -> String {
        let reason = self.setup.active.as_ref().and_then(|active| {
            let report = active.card.report.as_ref()?;
            Some(report.mode_reason.clone())
        });
        match (reason, self.setup.settings.mode, self.model) {
            (_, Wish::Rules, None) => "Fixed rules, because that is what was asked for.".to_owned(),
            (Some(reason), ..) => reason,
            (None, ..) => {
                "No outcomes are recorded to learn from, so fixed rules apply.".to_owned()
            }
        }
    }

    /// The score alone.
    pub(crate) fn bare(&self, lead: &Subject) -> Bare {
        let probability = match self.model {
            Some(model) => model.probability(&self.setup.plan.row(lead)),
            None => {
                let found = self.setup.rules.evidence(lead, self.now);
                let sum: f64 = found.iter().map(|said| said.log_odds).sum();
                logistic(self.setup.rules.base_log_odds() + sum)
            }
        };
        let score = self.points().of(probability);
        Bare {
            score: score.into(),
            grade: self.thresholds().grade(score).into(),
            probability,
        }
    }

    /// The score with its strongest reasons, at most so many.
    pub(crate) fn assess(&self, lead: &Subject, most: usize) -> Assessment {
        match self.model {
            Some(model) => self.by_model(model, lead, most),
            None => self.by_rules(lead, most),
        }
    }

    fn by_rules(&self, lead: &Subject, most: usize) -> Assessment {
        let mut found = self.setup.rules.evidence(lead, self.now);
        found.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        self.answer(self.setup.rules.base_log_odds(), found, most)
    }

    fn by_model(&self, model: &Model, lead: &Subject, most: usize) -> Assessment {
        let plan = &self.setup.plan;
        let row = plan.row(lead);
        let scored = model.score(&row);
        let found = scored
            .contributions
            .iter()
            .filter(|said| said.log_odds != 0.0)
            .map(|said| Evidence {
                feature: said.field.to_owned(),
                label: plan.label(said.field),
                value: row.get(said.field).and_then(shown),
                log_odds: said.log_odds,
            })
            .collect();
        let mut answer = self.answer(scored.base, found, most);
        answer.percentile = Some(model.percentiles().of_probability(scored.probability));
        answer.probability_interval = Some([scored.interval.0, scored.interval.1]);
        answer
    }

    fn answer(&self, base: f64, found: Vec<Evidence>, most: usize) -> Assessment {
        let log_odds = base + found.iter().map(|said| said.log_odds).sum::<f64>();
        let (probability, points) = (logistic(log_odds), self.points());
        let score = points.of(probability);
        let other = found.iter().skip(most).map(|said| said.log_odds).sum();
        let factors: Vec<Factor> = found
            .into_iter()
            .take(most)
            .map(|said| said.into_factor(log_odds, points))
            .collect();
        let sum = base
            + other
            + factors
                .iter()
                .map(|factor| factor.contribution)
                .sum::<f64>();
        Assessment {
            score,
            grade: self.thresholds().grade(score).into(),
            percentile: None,
            probability,
            probability_interval: None,
            horizon_days: self.setup.settings.horizon_days,
            mode: self.mode(),
            mode_reason: self.reason(),
            factors,
            other_contributions: other,
            base: Base {
                probability: logistic(base),
                log_odds: base,
            },
            sum_check: (logistic(sum) - probability).abs() < 1e-6,
            model_version: self.version().to_owned(),
            scored_at: self.now,
        }
    }
}

impl Evidence {
    fn into_factor(self, total: f64, points: Points) -> Factor {
        let without = points.of(logistic(total - self.log_odds));
        Factor {
            feature: self.feature,
            label: self.label,
            value: self.value,
            direction: if self.log_odds > 0.0 {
                Direction::Positive
            } else {
                Direction::Negative
            },
            contribution: self.log_odds,
            points: i16::from(points.of(logistic(total))) - i16::from(without),
        }
    }
}
