//! Which data a tile needs, and what of it is not there.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Template;
use crate::{
    catalogue::{Catalogue, Formula, Metric},
    dashboards::{Tile, TileQuery},
};

/// Measures by dataset.
pub(super) type Measures = BTreeMap<String, BTreeSet<String>>;

/// What a template needs of one dataset and does not find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Missing {
    /// The dataset, as `google-ads`.
    pub dataset: String,
    /// Its name for people.
    pub label: String,
    /// Whether there is nothing of it at all: connect a source of it.
    pub no_data: bool,
    /// The measures that are needed and not there: the source's mapping has to name them.
    pub measures: Vec<String>,
    /// The tiles that cannot be answered without it.
    pub tiles: Vec<String>,
}

/// Whether a tile can be answered with the measures that are there; adds what it needs to `missing` if not.
pub(super) fn is_answered(tile: &Tile, have: &Measures, missing: &mut Measures) -> bool {
    match &tile.query {
        TileQuery::Numbers(query) => {
            let metrics = query
                .metrics
                .iter()
                .filter_map(|key| Catalogue::builtin().metric(key));
            // All are looked at, so that all that is missing is told.
            let unmade = metrics.filter(|metric| !is_made(metric, have, missing));
            unmade.count() == 0
        }
        TileQuery::Cohorts(_) => has("orders", "orders", have, missing),
        TileQuery::Retention(_) => has("events", "count", have, missing),
        TileQuery::Funnel(query) if query.steps.iter().any(|step| step.events.is_some()) => {
            has("events", "count", have, missing)
        }
        TileQuery::Funnel(_) => has("deals", "created", have, missing),
    }
}

fn has(dataset: &str, measure: &str, have: &Measures, missing: &mut Measures) -> bool {
    let found = have
        .get(dataset)
        .is_some_and(|known| known.contains(measure));
    if !found {
        missing
            .entry(dataset.to_owned())
            .or_default()
            .insert(measure.to_owned());
    }
    found
}

fn is_made(metric: &Metric, have: &Measures, missing: &mut Measures) -> bool {
    let mut lacks = Measures::new();
    let made = satisfied(&metric.formula, metric.family(), have, &mut lacks);
    if !made {
        for (dataset, measures) in lacks {
            missing.entry(dataset).or_default().extend(measures);
        }
    }
    made
}

/// Whether a formula has its parts. Of a sum one is enough: who advertises in one place has blended numbers, too.
fn satisfied(formula: &Formula, family: &str, have: &Measures, lacks: &mut Measures) -> bool {
    let mut part = |part: &Formula| satisfied(part, family, have, lacks);
    // Every part is looked at, so that all that is lacking is told.
    let mut lacking = |parts: &[Formula]| parts.iter().filter(|one| !part(one)).count();
    match formula {
        Formula::Measure { measure, .. } => {
            let (dataset, measure) = measure.split_once(':').unwrap_or((family, measure));
            has(dataset, measure, have, lacks)
        }
        Formula::Ratio { ratio, .. } => lacking(&ratio[..]) == 0,
        Formula::Product { product } => lacking(&product[..]) == 0,
        Formula::Sum { sum } => lacking(&sum[..]) < sum.len(),
        Formula::Difference { difference } => lacking(&difference[..1]) == 0,
        Formula::Share { share } => lacking(std::slice::from_ref(share)) == 0,
    }
}

/// Every measure that a template looks at.
pub(super) fn wanted(template: &Template) -> Measures {
    let mut wanted = Measures::new();
    for tile in &template.tiles {
        is_answered(tile, &Measures::new(), &mut wanted);
    }
    wanted
}

/// The tiles that can be answered, and what the others lack.
pub(super) fn split(template: &Template, have: &Measures) -> (Vec<Tile>, Vec<Missing>) {
    let mut answered = Vec::new();
    let mut found: BTreeMap<String, (BTreeSet<String>, Vec<String>)> = BTreeMap::new();
    for tile in &template.tiles {
        let mut lacks = Measures::new();
        if is_answered(tile, have, &mut lacks) {
            answered.push(tile.clone());
            continue;
        }
        for (dataset, measures) in lacks {
            let entry = found.entry(dataset).or_default();
            entry.0.extend(measures);
            entry.1.push(tile.id.clone());
        }
    }
    let missing = found
        .into_iter()
        .map(|(dataset, (measures, tiles))| Missing {
            label: label(&dataset),
            no_data: !have.contains_key(&dataset),
            dataset,
            measures: measures.into_iter().collect(),
            tiles,
        });
    (answered, missing.collect())
}

/// A dataset's name for people.
pub(super) fn label(dataset: &str) -> String {
    let known = Catalogue::builtin().dataset(dataset);
    known.map_or_else(|| dataset.to_owned(), |dataset| dataset.label.clone())
}
