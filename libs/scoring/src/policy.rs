//! Which model a tenant gets, decided by numbers and said in words.

use serde::{Deserialize, Serialize};

use crate::model::Mode;

/// Fewest leads with an outcome for a model.
pub const LEAST_LABELLED: usize = 100;
/// Fewest won ones, and fewest lost ones.
pub const LEAST_OF_A_KIND: usize = 15;
/// Fewest leads with an outcome for boosting to be tried.
pub const LEAST_FOR_BOOSTING: usize = 3_000;
/// Share of the log loss of a constant by which a model must be better.
const GATE: f64 = 0.01;

/// What is missing for a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Leads with an outcome.
    pub labelled_more: usize,
    /// Won ones.
    pub positives_more: usize,
    /// Lost ones.
    pub negatives_more: usize,
}

impl Needs {
    /// Of so many won and lost leads.
    #[must_use]
    pub const fn of(positives: usize, negatives: usize) -> Self {
        Self {
            labelled_more: LEAST_LABELLED.saturating_sub(positives + negatives),
            positives_more: LEAST_OF_A_KIND.saturating_sub(positives),
            negatives_more: LEAST_OF_A_KIND.saturating_sub(negatives),
        }
    }

    /// Whether a model can be trained.
    #[must_use]
    pub const fn nothing(&self) -> bool {
        self.labelled_more == 0 && self.positives_more == 0 && self.negatives_more == 0
    }
}

/// Log losses of a model on leads that it has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Which model.
    pub mode: Mode,
    /// By cross-validation over all leads.
    pub cross_validated: f64,
    /// On the newest fifth, trained on the rest; `None` when the leads' times say nothing.
    pub newest: Option<f64>,
}

/// What the trials say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The mode to use.
    pub mode: Mode,
    /// Why, for people.
    pub reason: String,
}

/// Decides: a model must be at least 1 % better than a constant, and boosting must beat logistic regression both by
/// cross-validation and on the newest fifth. A pinned mode skips the comparison, not the gate.
#[must_use]
pub fn decide(
    labelled: usize,
    needs: Needs,
    baseline: f64,
    trials: &[Trial],
    pinned: Option<Mode>,
) -> Decision {
    let rules = |reason: String| Decision {
        mode: Mode::Rules,
        reason,
    };
    if pinned == Some(Mode::Rules) {
        return rules("fixed rules, because that is what was asked for".to_owned());
    }
    if !needs.nothing() {
        return rules(missing(labelled, needs));
    }
    let trial = |mode| trials.iter().find(|trial| trial.mode == mode);
    let better = |trial: &Trial| trial.cross_validated <= baseline * (1.0 - GATE);
    if let Some(pinned) = pinned.and_then(trial) {
        return if better(pinned) {
            Decision {
                mode: pinned.mode,
                reason: format!(
                    "{}, because that is what was asked for",
                    pinned.mode.label()
                ),
            }
        } else {
            rules(useless(labelled, baseline, pinned))
        };
    }
    let (logistic, gbdt) = (trial(Mode::Logistic), trial(Mode::Gbdt));
    match (
        logistic.filter(|trial| better(trial)),
        gbdt.filter(|trial| better(trial)),
    ) {
        (Some(logistic), Some(gbdt)) => compare(labelled, logistic, gbdt),
        (Some(_), None) => {
            let why = if gbdt.is_some() {
                "boosting is not better than a constant"
            } else {
                "too few for boosting to be tried"
            };
            Decision {
                mode: Mode::Logistic,
                reason: format!("{labelled} labelled leads; {why}"),
            }
        }
        (None, Some(gbdt)) if gbdt.newest.is_none_or(|newest| newest < baseline) => Decision {
            mode: Mode::Gbdt,
            reason: format!("{labelled} labelled leads; only boosting is better than a constant"),
        },
        _ => match logistic {
            Some(logistic) => rules(useless(labelled, baseline, logistic)),
            None => rules(format!(
                "{labelled} labelled leads; no model could be trained"
            )),
        },
    }
}

fn compare(labelled: usize, logistic: &Trial, gbdt: &Trial) -> Decision {
    let (ours, theirs) = (logistic.cross_validated, gbdt.cross_validated);
    let newest = logistic.newest.zip(gbdt.newest);
    let (mode, why) = match newest {
        _ if theirs >= ours => (
            Mode::Logistic,
            format!("boosting is not better in cross-validation ({theirs:.4} against {ours:.4})"),
        ),
        Some((old, new)) if new >= old => (
            Mode::Logistic,
            format!("boosted model not better on newest data (log loss {new:.4} against {old:.4})"),
        ),
        Some((old, new)) => (
            Mode::Gbdt,
            format!(
                "boosting is better in cross-validation ({theirs:.4} against {ours:.4}) and on the newest leads ({new:.4} against {old:.4})"
            ),
        ),
        None => (
            Mode::Gbdt,
            format!(
                "boosting is better in cross-validation (log loss {theirs:.4} against {ours:.4}); the leads came at one time, so there is no newest fifth to try"
            ),
        ),
    };
    Decision {
        mode,
        reason: format!("{labelled} labelled leads; {why}"),
    }
}

fn useless(labelled: usize, baseline: f64, trial: &Trial) -> String {
    format!(
        "{labelled} labelled leads; {} is not at least 1 % better than giving every lead the same probability (log loss {:.4} against {baseline:.4})",
        trial.mode.label(),
        trial.cross_validated
    )
}

fn missing(labelled: usize, needs: Needs) -> String {
    let parts = [
        (needs.labelled_more, "more leads with an outcome"),
        (needs.positives_more, "more won leads"),
        (needs.negatives_more, "more lost leads"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    format!(
        "{labelled} labelled leads; a model needs {}",
        parts.join(" and ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(mode: Mode, cross_validated: f64, newest: Option<f64>) -> Trial {
        Trial {
            mode,
            cross_validated,
            newest,
        }
    }

    fn decided(trials: &[Trial]) -> Mode {
        decide(5_000, Needs::default(), 0.5, trials, None).mode
    }

    #[test]
    fn too_few_outcomes_leave_the_rules_and_say_how_many_are_missing() {
        let decision = decide(40, Needs::of(3, 37), 0.3, &[], None);
        assert_eq!(decision.mode, Mode::Rules);
        assert_eq!(
            decision.reason,
            "40 labelled leads; a model needs 60 more leads with an outcome and 12 more won leads"
        );
    }

    #[test]
    fn a_model_that_is_hardly_better_than_a_constant_is_not_used() {
        assert_eq!(decided(&[trial(Mode::Logistic, 0.496, None)]), Mode::Rules);
        assert_eq!(
            decided(&[trial(Mode::Logistic, 0.494, None)]),
            Mode::Logistic
        );
    }

    #[test]
    fn boosting_must_win_in_cross_validation_and_on_the_newest_leads() {
        let logistic = trial(Mode::Logistic, 0.40, Some(0.42));
        assert_eq!(
            decided(&[logistic, trial(Mode::Gbdt, 0.39, Some(0.41))]),
            Mode::Gbdt
        );
        assert_eq!(
            decided(&[logistic, trial(Mode::Gbdt, 0.39, Some(0.43))]),
            Mode::Logistic
        );
        assert_eq!(
            decided(&[logistic, trial(Mode::Gbdt, 0.41, Some(0.41))]),
            Mode::Logistic
        );
    }

    #[test]
    fn a_pinned_model_must_pass_the_gate_too() {
        let pinned = |loss| {
            decide(
                200,
                Needs::default(),
                0.5,
                &[trial(Mode::Logistic, loss, None)],
                Some(Mode::Logistic),
            )
            .mode
        };
        assert_eq!((pinned(0.4), pinned(0.6)), (Mode::Logistic, Mode::Rules));
    }
}
