//! From leads with outcomes to a model and the numbers that speak for it.

use std::collections::HashSet;

use crate::calibrate::Calibration;
use crate::dataset::Dataset;
use crate::drift::{self, Profile};
use crate::features::{Encoder, Matrix};
use crate::folds;
use crate::gbdt::{self, Binned, Boosted, Boosting};
use crate::logistic::{self, Logistic};
use crate::maths::{logistic as probability, loss, share};
use crate::metrics::{Metrics, calibration_table};
use crate::model::{Around, Engine, Mode, Model};
use crate::policy::{LEAST_FOR_BOOSTING, LEAST_OF_A_KIND, Needs, Trial, decide};
use crate::protected;
use crate::report::{Excluded, Report, features};

/// Folds of cross-validation.
const FOLDS: usize = 5;
/// Leads that came within two weeks came in one import: their order says nothing about time.
const LEAST_SPAN: i64 = 14 * 86_400;

/// What the tenant wants.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Fields that the model must not read.
    pub exclude: HashSet<String>,
    /// Fields that look like a protected attribute and that the tenant lets the model read all the same.
    pub allow_protected: HashSet<String>,
    /// A mode to use instead of the best one.
    pub pinned: Option<Mode>,
    /// How trees are grown.
    pub boosting: Boosting,
    /// Makes training repeatable.
    pub seed: u64,
}

/// A model, unless rules are better, and why.
#[derive(Debug, Clone)]
pub struct Trained {
    /// `None` under `Mode::Rules`.
    pub model: Option<Model>,
    /// The model card.
    pub report: Report,
}

/// Trains, chooses and calibrates.
#[must_use]
pub fn train(data: Dataset, options: &Options) -> Trained {
    let excluded = exclusions(&data, options);
    let data = data.without(
        &excluded
            .iter()
            .map(|excluded| excluded.field.clone())
            .collect(),
    );
    let positives = data.won().iter().filter(|won| **won).count();
    let needs = Needs::of(positives, data.len() - positives);
    let mut report = Report::new(data.len(), positives, needs, excluded);
    let trials = if needs.nothing() {
        Some(Trials::run(&data, options))
    } else {
        None
    };
    let base = share(data.won().iter().copied());
    let baseline =
        Metrics::of(&vec![base; data.len()], data.won()).map_or(0.0, |metrics| metrics.log_loss);
    let tried = trials
        .as_ref()
        .map(|trials| trials.tried.clone())
        .unwrap_or_default();
    let decision = decide(data.len(), needs, baseline, &tried, options.pinned);
    report.decide(decision, tried);
    let model = trials.and_then(|trials| trials.finish(&data, options, &mut report));
    Trained { model, report }
}

/// Fits the model of a mode without asking whether it is any good: for comparisons. `None` for rules, and when no field
/// says anything.
#[must_use]
pub fn fit(data: &Dataset, mode: Mode, options: &Options) -> Option<Model> {
    let options = Options {
        pinned: Some(mode),
        ..options.clone()
    };
    let mut report = Report::new(data.len(), 0, Needs::default(), Vec::new());
    report.mode = mode;
    Trials::run(data, &options).finish(data, &options, &mut report)
}

fn exclusions(data: &Dataset, options: &Options) -> Vec<Excluded> {
    let excluded = data.fields().filter_map(|(field, _)| {
        let protected =
            protected::attribute(field, "").filter(|_| !options.allow_protected.contains(field));
        let why = match protected {
            Some(attribute) => format!("seems to hold a protected attribute: {attribute}"),
            None if options.exclude.contains(field) => "excluded by the tenant".to_owned(),
            None => return None,
        };
        Some(Excluded {
            field: field.to_owned(),
            why,
        })
    });
    excluded.collect()
}

/// Models tried by cross-validation.
struct Trials {
    encoder: Encoder,
    matrix: Matrix,
    binned: Option<Binned>,
    logistic: Option<logistic::Chosen>,
    gbdt: Option<gbdt::Chosen>,
    tried: Vec<Trial>,
}

impl Trials {
    fn run(data: &Dataset, options: &Options) -> Self {
        let encoder = Encoder::fit(data);
        let matrix = encoder.matrix(data);
        let fold_of = folds::stratified(data.won(), FOLDS, options.seed);
        let wants = |mode| options.pinned.is_none_or(|pinned| pinned == mode);
        let any = !encoder.features.is_empty();
        let mut trials = Self {
            encoder,
            matrix,
            binned: None,
            logistic: None,
            gbdt: None,
            tried: Vec::new(),
        };
        if any && wants(Mode::Logistic) {
            trials.logistic = Some(logistic::choose(
                &trials.matrix,
                &trials.encoder.features,
                data.won(),
                &fold_of,
            ));
        }
        let many = data.len() >= LEAST_FOR_BOOSTING || options.pinned == Some(Mode::Gbdt);
        if any && many && wants(Mode::Gbdt) {
            let binned = Binned::new(
                &trials.matrix,
                &trials.encoder.features,
                options.boosting.bins,
            );
            let input = Boosted {
                binned: &binned,
                won: data.won(),
                seed: options.seed,
            };
            trials.gbdt = Some(gbdt::choose(input, &fold_of, &options.boosting));
            trials.binned = Some(binned);
        }
        trials.compare(data, options);
        trials
    }

    /// Log losses by cross-validation, and on the newest leads when there are two models to compare.
    fn compare(&mut self, data: &Dataset, options: &Options) {
        let split = if self.logistic.is_some() && self.gbdt.is_some() {
            newest(data)
        } else {
            None
        };
        for mode in [Mode::Logistic, Mode::Gbdt] {
            let Some(out_of_fold) = self.out_of_fold(mode) else {
                continue;
            };
            let cross_validated =
                mean_loss(out_of_fold.iter().copied(), data.won().iter().copied());
            let newest = split.as_ref().and_then(|(old, new)| {
                let log_odds = self
                    .engine(data, options, mode, old)?
                    .predict(&self.matrix, new);
                Some(mean_loss(
                    log_odds.into_iter(),
                    new.iter().map(|row| data.won()[*row as usize]),
                ))
            });
            self.tried.push(Trial {
                mode,
                cross_validated,
                newest,
            });
        }
    }

    fn out_of_fold(&self, mode: Mode) -> Option<&Vec<f64>> {
        match mode {
            Mode::Rules => None,
            Mode::Logistic => self.logistic.as_ref().map(|chosen| &chosen.out_of_fold),
            Mode::Gbdt => self.gbdt.as_ref().map(|chosen| &chosen.out_of_fold),
        }
    }

    /// Fits on some rows with what cross-validation chose; on all of them boosting has done so already.
    fn engine(
        &self,
        data: &Dataset,
        options: &Options,
        mode: Mode,
        rows: &[u32],
    ) -> Option<Engine> {
        match mode {
            Mode::Rules => None,
            Mode::Logistic => {
                let penalty = self.logistic.as_ref()?.penalty;
                Some(Engine::Logistic(Logistic::fit(
                    &self.matrix,
                    &self.encoder.features,
                    data.won(),
                    rows,
                    penalty,
                )))
            }
            Mode::Gbdt => {
                let chosen = self.gbdt.as_ref()?;
                if rows.len() == data.len() {
                    return Some(Engine::Gbdt(chosen.forest.clone()));
                }
                let rounds = chosen.rounds;
                let input = Boosted {
                    binned: self.binned.as_ref()?,
                    won: data.won(),
                    seed: options.seed,
                };
                Some(Engine::Gbdt(gbdt::fit(
                    input,
                    rows.to_vec(),
                    &Boosting {
                        rounds,
                        ..options.boosting.clone()
                    },
                )))
            }
        }
    }

    /// The final model on all rows, and its card.
    fn finish(self, data: &Dataset, options: &Options, report: &mut Report) -> Option<Model> {
        let log_odds = self.out_of_fold(report.mode)?.clone();
        let calibration = Calibration::fit(&log_odds, data.won());
        let probabilities: Vec<f64> = log_odds
            .iter()
            .map(|z| probability(calibration.apply(*z)))
            .collect();
        report.metrics = Metrics::of(&probabilities, data.won());
        report.calibration = calibration_table(&probabilities, data.won());
        report.newest = newest(data).and_then(|(old, new)| {
            let log_odds = self
                .engine(data, options, report.mode, &old)?
                .predict(&self.matrix, &new);
            let probabilities: Vec<f64> = log_odds
                .iter()
                .map(|z| probability(calibration.apply(*z)))
                .collect();
            let won: Vec<bool> = new.iter().map(|row| data.won()[*row as usize]).collect();
            Metrics::of(&probabilities, &won)
        });
        let engine = self.engine(data, options, report.mode, &folds::all(data.len()))?;
        let profiles = drift::profiles(&self.encoder.features, &self.matrix);
        let base_rate = share(data.won().iter().copied());
        let Self {
            encoder, matrix, ..
        } = self;
        let mut model = Model::new(
            engine,
            Around {
                encoder,
                calibration,
                base_rate,
                profiles,
                log_odds,
            },
        );
        if report.mode == Mode::Logistic {
            // The models of the folds give leads with few different values other scores than the final one does, which
            // would pass for drift. Logistic regression hardly adapts to single leads, so its own scores can be taken.
            model.score_profile = Profile::of_numbers(&in_sample(&model, &matrix));
        }
        report.features = features(&model, &matrix, options.seed);
        Some(model)
    }
}

/// What a model says of the leads that it has learned from.
fn in_sample(model: &Model, matrix: &Matrix) -> Vec<f64> {
    let mut inputs = Vec::new();
    let probability = |row| {
        matrix.row(row, &mut inputs);
        model.probability_of(&inputs)
    };
    (0..matrix.rows).map(probability).collect()
}

impl Engine {
    fn predict(&self, matrix: &Matrix, rows: &[u32]) -> Vec<f64> {
        match self {
            Self::Logistic(model) => model.predict(matrix, rows),
            Self::Gbdt(forest) => {
                let mut inputs = Vec::new();
                let log_odds = |row: &u32| {
                    matrix.row(*row as usize, &mut inputs);
                    forest.log_odds(&inputs)
                };
                rows.iter().map(log_odds).collect()
            }
        }
    }
}

fn mean_loss(log_odds: impl ExactSizeIterator<Item = f64>, won: impl Iterator<Item = bool>) -> f64 {
    let n = log_odds.len().max(1) as f64;
    log_odds.zip(won).map(|(z, won)| loss(z, won)).sum::<f64>() / n
}

/// The oldest four fifths and the newest fifth, when the leads' times tell them apart and both have enough of each kind.
fn newest(data: &Dataset) -> Option<(Vec<u32>, Vec<u32>)> {
    let at = data.at();
    let mut order = folds::all(data.len());
    order.sort_by_key(|row| at[*row as usize]);
    let new = order.split_off(order.len() * 4 / 5);
    let time = |row: Option<&u32>| row.map(|row| at[*row as usize]);
    let (first, cut, last) = (time(order.first())?, time(new.first())?, time(new.last())?);
    let enough = |rows: &[u32]| {
        let won = rows.iter().filter(|row| data.won()[**row as usize]).count();
        won >= LEAST_OF_A_KIND && rows.len() - won >= LEAST_OF_A_KIND
    };
    (last - first >= LEAST_SPAN && cut > first && enough(&order) && enough(&new))
        .then_some((order, new))
}
