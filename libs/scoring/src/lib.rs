//! Predictive lead scoring, without I/O: leads with outcomes go in, a model with its card comes out, and the model says
//! how probable it is that a lead is won and why.
//!
//! [`train`] takes a [`Dataset`] and chooses between fixed rules (no model), logistic regression and gradient boosting.
//! [`Model::score`] answers with contributions in log-odds that add up. Everything is deterministic: the same leads,
//! options and seed give the same bytes.
#![warn(missing_docs)]

mod calibrate;
mod column;
mod dataset;
mod drift;
mod features;
mod folds;
mod gbdt;
mod logistic;
mod maths;
mod metrics;
mod model;
mod policy;
pub mod protected;
mod report;
mod rng;
mod row;
mod score;
mod train;

pub use calibrate::Calibration;
pub use dataset::{Dataset, DatasetBuilder, Kind};
pub use drift::{Drift, DriftStatus, psi};
pub use features::Field;
pub use gbdt::Boosting;
pub use maths::{logistic, logit};
pub use metrics::{CalibrationBin, Metrics, calibration_table};
pub use model::{BadModel, Contribution, Mode, Model, Reasons, Scored};
pub use policy::{
    Decision, LEAST_FOR_BOOSTING, LEAST_LABELLED, LEAST_OF_A_KIND, Needs, Trial, decide,
};
pub use report::{Excluded, FeatureReport, Report, Tendency};
pub use rng::Rng;
pub use row::{Row, Value};
pub use score::{Grade, Percentiles, ScoreMap, Thresholds};
pub use train::{Options, Trained, fit, train};
