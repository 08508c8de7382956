//! The catalogue: which datasets there are and which metrics can be asked for, as data.

mod dataset;
mod formula;
mod metric;
mod rules;

use std::sync::LazyLock;

use aws_lc_rs::digest;

pub use dataset::{Additivity, Dataset, Measure, Storage};
pub use formula::Formula;
pub use metric::Metric;

const DATASETS: &str = include_str!("data/datasets.json");
const METRICS: &str = include_str!("data/metrics.json");

/// The dimension that every dataset has: which dataset it is.
pub const PLATFORM: &str = "platform";
/// The dimension that every dataset with money has.
pub const CURRENCY: &str = "currency";

static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::parse(DATASETS, METRICS));

/// All datasets and metrics.
#[derive(Debug, Default)]
pub struct Catalogue {
    version: String,
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
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(datasets.as_bytes());
        hash.update(metrics.as_bytes());
        let mut catalogue = Self {
            version: hex::encode(&hash.finish().as_ref()[..8]),
            ..Self::default()
        };
        match serde_json::from_str(datasets) {
            Ok(datasets) => catalogue.datasets = datasets,
            Err(error) => catalogue.faults.push(format!("datasets.json: {error}")),
        }
        match serde_json::from_str(metrics) {
            Ok(metrics) => catalogue.metrics = metrics,
            Err(error) => catalogue.faults.push(format!("metrics.json: {error}")),
        }
        let faults = rules::faults(&catalogue);
        catalogue.faults.extend(faults);
        catalogue
    }

    /// What is wrong with it; the service does not start when anything is.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Another one whenever a dataset or a metric changes.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
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

    /// A measure as a formula of `family` names it: `cost` of its own dataset, `google-ads:cost` of another.
    #[must_use]
    pub fn measure(&self, family: &str, name: &str) -> Option<(&Dataset, &Measure)> {
        let (dataset, name) = name.split_once(':').unwrap_or((family, name));
        let dataset = self.dataset(dataset)?;
        Some((dataset, dataset.measure(name)?))
    }

    /// The datasets of a metric, each once.
    #[must_use]
    pub fn datasets_of(&self, metric: &Metric) -> Vec<&Dataset> {
        let mut found: Vec<&Dataset> = Vec::new();
        metric.formula.for_each_leaf(&mut |name, _| {
            let Some((dataset, _)) = self.measure(metric.family(), name) else {
                return;
            };
            if !found.iter().any(|known| known.key == dataset.key) {
                found.push(dataset);
            }
        });
        found
    }

    /// The dimensions that all of some datasets have.
    #[must_use]
    pub fn shared_dimensions(datasets: &[&Dataset]) -> Vec<String> {
        let Some((first, others)) = datasets.split_first() else {
            return Vec::new();
        };
        let own = first.dimensions.iter().map(String::as_str);
        own.chain([PLATFORM, CURRENCY])
            .filter(|name| {
                others
                    .iter()
                    .chain([first])
                    .all(|other| other.has_dimension(name))
            })
            .map(str::to_owned)
            .collect()
    }

    /// Up to three metrics whose keys are most like `key`.
    #[must_use]
    pub fn near(&self, key: &str) -> Vec<&str> {
        let key: String = key.chars().take(100).collect::<String>().to_lowercase();
        let name = key.rsplit('.').next().unwrap_or_default();
        let mut near: Vec<(f64, &str)> = self
            .metrics
            .iter()
            .map(|metric| {
                let own = metric.key.rsplit('.').next().unwrap_or_default();
                let whole = strsim::normalized_damerau_levenshtein(&key, &metric.key);
                // `roas` is meant to find every ROAS, though the families differ.
                let alike = if own == name { whole.max(0.9) } else { whole };
                (alike, metric.key.as_str())
            })
            .filter(|(alike, _)| *alike >= 0.8)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        near.into_iter().take(3).map(|(_, key)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_keeps_its_rules() {
        let none: [String; 0] = [];
        assert_eq!(Catalogue::builtin().faults(), none);
        assert!(Catalogue::builtin().metrics().len() > 250);
    }

    #[test]
    fn a_catalogue_that_breaks_a_rule_says_which() {
        let broken = |metrics: &str| Catalogue::parse(DATASETS, metrics).faults().join("; ");
        let metric = |key: &str, unit: &str, formula: &str| {
            format!(
                r#"[{{"key": "{key}", "label": "L", "unit": "{unit}", "polarity": "neutral", "formula": {formula}}}]"#
            )
        };
        for (metrics, fault) in [
            ("[", "metrics.json: EOF"),
            (
                &metric("google-ads.x", "count", r#"{"measure": "nothing"}"#),
                "there is no measure nothing",
            ),
            (
                &metric("google-ads.x", "count", r#"{"measure": "cost"}"#),
                "is money and not so named",
            ),
            (
                &metric(
                    "google-ads.x",
                    "money",
                    r#"{"sum": [{"measure": "cost"}, {"measure": "clicks"}]}"#,
                ),
                "adds money to something else",
            ),
            (
                &metric(
                    "google-ads.x",
                    "count",
                    r#"{"measure": "clicks", "event": "x"}"#,
                ),
                "only events have names",
            ),
            (
                &metric("Google.x", "count", r#"{"measure": "google-ads:clicks"}"#),
                "is not a name",
            ),
            (
                &metric("google-ads.x", "count", r#"{"meassure": "clicks"}"#),
                "metrics.json: data did not match",
            ),
        ] {
            assert!(
                broken(metrics).contains(fault),
                "{fault}: {}",
                broken(metrics)
            );
        }
    }

    #[test]
    fn a_misspelt_metric_finds_the_ones_that_are_meant() {
        let near = |key: &str| Catalogue::builtin().near(key).join(" ");
        assert!(near("google-ads.roass").starts_with("google-ads.roas"));
        assert!(near("roas").contains("roas"));
        assert_eq!(near("%%%"), "");
    }

    #[test]
    fn blended_metrics_have_the_dimensions_that_all_their_sources_have() {
        let catalogue = Catalogue::builtin();
        let spend = catalogue.metric("paid-media.spend").unwrap();
        let datasets = catalogue.datasets_of(spend);
        assert_eq!(datasets.len(), 5);
        let shared = Catalogue::shared_dimensions(&datasets);
        assert!(
            ["campaign", "platform", "currency"]
                .iter()
                .all(|name| shared.iter().any(|own| own == name))
        );
        assert!(!shared.iter().any(|name| name == "keyword"));
    }
}
