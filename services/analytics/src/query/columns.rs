//! What the columns of an answer are, and where its numbers come from.

use super::plan::Plan;
use super::sql::{EventSource, Read};
use super::{Column, ColumnKind, Source, Unit};
use crate::catalogue::Storage;

/// Time, dimensions, metrics. Amounts are in `currency`.
pub(super) fn of(plan: &Plan, currency: Option<&str>) -> Vec<Column> {
    let key = |key: &str, label: String, kind: ColumnKind| Column {
        key: key.to_owned(),
        label,
        kind,
        unit: None,
        currency: None,
        polarity: None,
    };
    let time = plan
        .query
        .granularity
        .map(|_| key("time", "Time".to_owned(), ColumnKind::Time));
    let dimensions = plan.query.dimensions.iter();
    let dimensions = dimensions.map(|name| key(name, label(name), ColumnKind::Dimension));
    let metrics = plan.checked.metrics.iter().map(|metric| Column {
        unit: Some(metric.unit),
        currency: currency
            .filter(|_| metric.unit == Unit::Money)
            .map(str::to_owned),
        polarity: Some(metric.polarity),
        ..key(&metric.key, metric.label.clone(), ColumnKind::Metric)
    });
    time.into_iter().chain(dimensions).chain(metrics).collect()
}

/// `ad_group` as `Ad group`.
fn label(name: &str) -> String {
    let text = name.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The metrics that are estimates: of who was there, where sketches were read.
pub(super) fn approximate(plan: &Plan) -> Vec<String> {
    let sketched = |leaf: usize| {
        let mut reads = plan.reads.iter().map(|(_, read)| read);
        reads.any(|read| read.events == EventSource::Sketches && read.leaves[0].0 == leaf)
    };
    let both = plan.checked.metrics.iter().zip(&plan.checked.expressions);
    both.filter(|(_, expression)| expression.any_leaf(&sketched))
        .map(|(metric, _)| metric.key.clone())
        .collect()
}

/// What was read for an answer.
pub(super) fn source(plan: &Plan) -> Source {
    let mut sources = plan.reads.iter().map(|(_, read)| of_read(read));
    let first = sources.next().unwrap_or(Source::Raw);
    if sources.all(|source| source == first) {
        first
    } else {
        Source::Mixed
    }
}

fn of_read(read: &Read) -> Source {
    match (read.dataset.storage, read.events) {
        (Storage::Events, EventSource::Days | EventSource::Sketches) => Source::RollupDay,
        (Storage::Events, EventSource::Edge | EventSource::Quarters) => Source::Rollup15m,
        (Storage::Events, EventSource::Raw)
        | (Storage::Orders | Storage::OrderLines | Storage::Deals, _) => Source::Raw,
        (Storage::Facts, _) => Source::Facts,
    }
}
