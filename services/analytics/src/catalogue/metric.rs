//! Metrics: the numbers that can be asked for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Formula;
use crate::query::{Polarity, Unit};

/// A number that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Name for programs: the dataset and the metric, as `google-ads.roas`.
    pub key: String,
    /// Name for people.
    pub label: String,
    /// What it counts.
    pub unit: Unit,
    /// Which way is good.
    pub polarity: Polarity,
    /// How it is made.
    pub formula: Formula,
}

impl Metric {
    /// The dataset or family in the key.
    #[must_use]
    pub fn family(&self) -> &str {
        self.key.split_once('.').map_or("", |(family, _)| family)
    }
}
