//! Whether a question can be answered, as far as the catalogue knows.

use bz_http::{Errors, Validate};
use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use super::expression::{Expression, Leaf};
use super::{Compare, Granularity, Query, Range};
use crate::catalogue::{Catalogue, Dataset, Metric, Storage};

/// The most rows that one answer has.
pub(super) const MAX_LIMIT: u32 = 10_000;
/// The most days of a period.
const MAX_DAYS: i64 = 3_660;

/// A question with its metrics looked up.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) metrics: Vec<&'static Metric>,
    pub(super) expressions: Vec<Expression>,
    /// What the expressions need, each once.
    pub(super) leaves: Vec<Leaf>,
}

impl Checked {
    /// Looks the metrics up; those that are not there are left out.
    pub(super) fn of(query: &Query) -> Self {
        let catalogue = Catalogue::builtin();
        let mut leaves = Vec::new();
        let found = query.metrics.iter().filter_map(|key| {
            let metric = catalogue.metric(key)?;
            Some((metric, Expression::of(metric, &mut leaves)?))
        });
        let (metrics, expressions) = found.unzip();
        Self {
            metrics,
            expressions,
            leaves,
        }
    }

    /// The datasets that are needed, each once.
    pub(super) fn datasets(&self) -> Vec<&'static Dataset> {
        let mut datasets: Vec<&'static Dataset> = Vec::new();
        for leaf in &self.leaves {
            if !datasets.iter().any(|known| known.key == leaf.dataset.key) {
                datasets.push(leaf.dataset);
            }
        }
        datasets
    }
}

impl Validate for Query {
    fn validate(&self, errors: &mut Errors) {
        sizes(self, errors);
        let catalogue = Catalogue::builtin();
        for (n, key) in self.metrics.iter().enumerate() {
            if catalogue.metric(key).is_none() {
                errors.add(
                    format!("/metrics/{n}"),
                    "unknown_metric",
                    unknown_metric(key),
                );
            } else if self.metrics[..n].contains(key) {
                errors.add(format!("/metrics/{n}"), "repeated", "is there twice");
            }
        }
        let checked = Checked::of(self);
        dimensions(self, &checked, errors);
        if self.granularity == Some(Granularity::Hour)
            && let Some(daily) = checked
                .datasets()
                .iter()
                .find(|set| set.storage == Storage::Facts)
        {
            let told = format!("{} is kept by day: ask by day or longer", daily.key);
            errors.add("/granularity", "not_by_hour", told);
        }
        times(self, errors);
        orders(self, errors);
    }
}

fn sizes(query: &Query, errors: &mut Errors) {
    let mut limited = |pointer: &str, len: usize, min: usize, max: usize| {
        if !(min..=max).contains(&len) {
            let told = format!("must have {min} to {max} entries");
            errors.add(pointer.to_owned(), "invalid_length", told);
        }
    };
    limited("/metrics", query.metrics.len(), 1, 20);
    limited("/dimensions", query.dimensions.len(), 0, 3);
    limited("/filters", query.filters.len(), 0, 20);
    limited("/order", query.order.len(), 0, 3);
    for (n, filter) in query.filters.iter().enumerate() {
        limited(&format!("/filters/{n}/values"), filter.values.len(), 1, 100);
    }
    for (n, filter) in query.filters.iter().enumerate() {
        for (i, value) in filter.values.iter().enumerate() {
            if value.chars().count() > 500 || value.contains('\0') {
                let told = "must have at most 500 characters, and no NUL";
                errors.add(format!("/filters/{n}/values/{i}"), "invalid_value", told);
            }
        }
    }
    if query
        .limit
        .is_some_and(|limit| !(1..=MAX_LIMIT).contains(&limit))
    {
        errors.add(
            "/limit",
            "out_of_range",
            format!("must be 1 to {MAX_LIMIT}"),
        );
    }
}

fn unknown_metric(key: &str) -> String {
    let near = Catalogue::builtin().near(key);
    if near.is_empty() {
        "is not in the catalogue: GET /api/metrics/catalog lists what is".to_owned()
    } else {
        format!(
            "is not in the catalogue; did you mean {}?",
            near.join(" or ")
        )
    }
}

fn dimensions(query: &Query, checked: &Checked, errors: &mut Errors) {
    let datasets = checked.datasets();
    let shared = Catalogue::shared_dimensions(&datasets);
    let named = query.dimensions.iter().enumerate();
    let grouped = named.map(|(n, name)| (format!("/dimensions/{n}"), name));
    let filters = query.filters.iter().enumerate();
    let filtered =
        filters.map(|(n, filter)| (format!("/filters/{n}/dimension"), &filter.dimension));
    for (pointer, name) in grouped.chain(filtered) {
        if !datasets.is_empty() && !shared.iter().any(|known| known == name) {
            let told = format!(
                "is not a dimension of these metrics; they have {}",
                shared.join(", ")
            );
            errors.add(pointer, "unknown_dimension", told);
        }
    }
    for (n, name) in query.dimensions.iter().enumerate() {
        if query.dimensions[..n].contains(name) {
            errors.add(format!("/dimensions/{n}"), "repeated", "is there twice");
        }
    }
}

fn times(query: &Query, errors: &mut Errors) {
    if let Range::Days { from, to } = query.range {
        days("/range", from, to, errors);
    }
    if let Compare::Custom { from, to } = query.compare {
        days("/compare/custom", from, to, errors);
    }
    if query
        .timezone
        .as_deref()
        .is_some_and(|zone| zone.parse::<Tz>().is_err())
    {
        let told = "must be an IANA name such as Europe/Berlin";
        errors.add("/timezone", "unknown_time_zone", told);
    }
}

fn days(pointer: &str, from: NaiveDate, to: NaiveDate, errors: &mut Errors) {
    let known = |day: NaiveDate| (1970..=2199).contains(&day.year());
    if !known(from) || !known(to) {
        errors.add(
            pointer.to_owned(),
            "out_of_range",
            "must be days from 1970 to 2199",
        );
    } else if from > to {
        errors.add(
            pointer.to_owned(),
            "invalid_range",
            "must begin before it ends",
        );
    } else if (to - from).num_days() >= MAX_DAYS {
        errors.add(
            pointer.to_owned(),
            "out_of_range",
            format!("must have at most {MAX_DAYS} days"),
        );
    }
}

fn orders(query: &Query, errors: &mut Errors) {
    for (n, order) in query.order.iter().enumerate() {
        let by_time = order.by == "time" && query.granularity.is_some();
        let is_column = query.metrics.contains(&order.by) || query.dimensions.contains(&order.by);
        if !by_time && !is_column {
            let told =
                "must be one of the metrics or dimensions asked for, or time with a granularity";
            errors.add(format!("/order/{n}/by"), "unknown_column", told);
        }
    }
}
