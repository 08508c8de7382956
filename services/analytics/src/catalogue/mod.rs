//! The catalogue: which datasets there are and which metrics can be asked for, as data.

mod dataset;
mod formula;
mod metric;

use std::sync::LazyLock;

pub use dataset::{Additivity, Dataset, Measure, Storage};
pub use formula::Formula;
pub use metric::Metric;

static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| {
    Catalogue::parse(
        include_str!("data/datasets.json"),
        include_str!("data/metrics.json"),
    )
});

/// All datasets and metrics.
#[derive(Debug, Default)]
pub struct Catalogue {
    datasets: Vec<Dataset>,
    metrics: Vec<Metric>,
    faults: Vec<String>,
}

impl Catalogue {
    /// The catalogue in the binary.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    fn parse(datasets: &str, metrics: &str) -> Self {
        let mut catalogue = Self::default();
        match serde_json::from_str(datasets) {
            Ok(datasets) => catalogue.datasets = datasets,
            Err(error) => catalogue.faults.push(format!("datasets.json: {error}")),
        }
        match serde_json::from_str(metrics) {
            Ok(metrics) => catalogue.metrics = metrics,
            Err(error) => catalogue.faults.push(format!("metrics.json: {error}")),
        }
        catalogue
    }

    /// What is wrong with it; the service does not start when anything is.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// All datasets.
    #[must_use]
    pub fn datasets(&self) -> &[Dataset] {
        &self.datasets
    }

    /// All metrics.
    #[must_use]
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// A dataset by its key.
    #[must_use]
    pub fn dataset(&self, key: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.key == key)
    }

    /// A metric by its key.
    #[must_use]
    pub fn metric(&self, key: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.key == key)
    }
}
