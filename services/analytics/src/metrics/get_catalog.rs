use bz_auth::Can;
use bz_http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::MetricsRead;
use crate::catalogue::{Additivity, Catalogue, Dataset, Formula, Metric};
use crate::query::{Granularity, Polarity, Unit};

/// Everything that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MetricCatalog {
    /// Another one whenever something in it changes.
    version: String,
    /// What is measured, and where.
    datasets: &'static [Dataset],
    /// What can be asked for.
    metrics: Vec<MetricEntry>,
}

/// A metric and what can be done with it.
#[derive(Debug, Serialize, ToSchema)]
struct MetricEntry {
    /// Name for programs.
    key: &'static str,
    /// Name for people.
    label: &'static str,
    /// What it counts.
    unit: Unit,
    /// Which way is good.
    polarity: Polarity,
    /// How it is made.
    formula: &'static Formula,
    /// What it may be added over.
    additivity: MetricAdditivity,
    /// The measures that it is made from, with their datasets: `google-ads:cost`.
    measures: Vec<String>,
    /// What it can be broken down and filtered by.
    dimensions: Vec<String>,
    /// The shortest piece of time.
    finest: Granularity,
}

/// What a metric may be added over.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MetricAdditivity {
    /// Everything.
    Additive,
    /// Nothing: it is computed anew for every group.
    Ratio,
    /// Nothing: somebody counted in two groups is one.
    Distinct,
    /// Everything but time.
    SemiAdditive,
}

/// Metrics, datasets and dimensions.
#[utoipa::path(
    get, path = "/api/metrics/catalog", tag = "metrics",
    security(("bearer" = ["metrics:read"])),
    responses((status = 200, description = "The catalogue", body = MetricCatalog), bz_http::openapi::ListProblems),
)]
pub(super) async fn get_metric_catalog(
    _caller: Can<MetricsRead>,
) -> Result<Json<MetricCatalog>, Problem> {
    let catalogue = Catalogue::builtin();
    Ok(Json(MetricCatalog {
        version: catalogue.version().to_owned(),
        datasets: catalogue.datasets(),
        metrics: catalogue
            .metrics()
            .iter()
            .map(|metric| entry(catalogue, metric))
            .collect(),
    }))
}

fn entry(catalogue: &'static Catalogue, metric: &'static Metric) -> MetricEntry {
    let datasets = catalogue.datasets_of(metric);
    let mut measures: Vec<String> = Vec::new();
    metric.formula.for_each_leaf(&mut |name, _| {
        if let Some((dataset, measure)) = catalogue.measure(metric.family(), name) {
            let name = format!("{}:{}", dataset.key, measure.name);
            if !measures.contains(&name) {
                measures.push(name);
            }
        }
    });
    let by_day = datasets.iter().any(|dataset| dataset.is_by_day());
    MetricEntry {
        key: &metric.key,
        label: &metric.label,
        unit: metric.unit,
        polarity: metric.polarity,
        formula: &metric.formula,
        additivity: additivity(catalogue, metric),
        measures,
        dimensions: Catalogue::shared_dimensions(&datasets),
        finest: if by_day {
            Granularity::Day
        } else {
            Granularity::Hour
        },
    }
}

fn additivity(catalogue: &Catalogue, metric: &Metric) -> MetricAdditivity {
    let mut of_measures = Vec::new();
    metric.formula.for_each_leaf(&mut |name, _| {
        of_measures.extend(
            catalogue
                .measure(metric.family(), name)
                .map(|(_, measure)| measure.additivity),
        );
    });
    if metric.formula.is_quotient() {
        MetricAdditivity::Ratio
    } else if of_measures.contains(&Additivity::Distinct) {
        MetricAdditivity::Distinct
    } else if of_measures
        .iter()
        .all(|additivity| *additivity == Additivity::Additive)
    {
        MetricAdditivity::Additive
    } else {
        MetricAdditivity::SemiAdditive
    }
}
