//! What can be wrong with tiles and views: their shape, their place on the grid, and names that the catalogue has not.

use bz_http::Errors;
use chrono_tz::Tz;

use super::{
    ChartKind, GRID_COLUMNS, Layout, NumbersQuery, Tile, TileQuery, View, board::MAX_TILES,
};
use crate::{
    catalogue::Catalogue,
    query::{Compare, Filter, Range},
};

/// The most rows that a tile takes.
const MAX_HEIGHT: u8 = 40;
/// The last row of the grid.
const LAST_ROW: u16 = 999;

/// A text that people read, with its fewest and most characters.
pub(crate) fn text(errors: &mut Errors, pointer: &str, text: &str, least: usize, most: usize) {
    let count = text.trim().chars().count();
    if !(least..=most).contains(&count) || text.chars().any(|c| c.is_control() && c != '\n') {
        let wanted =
            format!("must have {least} to {most} characters, none of them a control character");
        errors.add(pointer.to_owned(), "invalid_text", wanted);
    }
}

/// Days, comparison and filters.
pub(crate) fn view(errors: &mut Errors, at: &str, view: &View) {
    if let Range::Days { from, to } = view.range
        && from > to
    {
        errors.add(
            format!("{at}/range"),
            "invalid_range",
            "from must not be after to",
        );
    }
    if let Compare::Custom { from, to } = view.compare
        && from > to
    {
        errors.add(
            format!("{at}/compare"),
            "invalid_range",
            "from must not be after to",
        );
    }
    if view
        .timezone
        .as_ref()
        .is_some_and(|name| name.parse::<Tz>().is_err())
    {
        let wanted = "must be an IANA name such as Europe/Berlin";
        errors.add(format!("{at}/timezone"), "unknown_time_zone", wanted);
    }
    filters(errors, &format!("{at}/filters"), &view.filters, |name| {
        let all = Catalogue::builtin().datasets();
        all.iter().any(|dataset| dataset.has_dimension(name))
    });
}

/// All tiles of a dashboard.
pub(crate) fn tiles(errors: &mut Errors, at: &str, tiles: &[Tile]) {
    if tiles.len() > MAX_TILES {
        errors.add(
            at.to_owned(),
            "too_many",
            format!("must be at most {MAX_TILES} tiles"),
        );
        return;
    }
    for (n, one) in tiles.iter().enumerate() {
        let at = format!("{at}/{n}");
        tile(errors, &at, one);
        for other in &tiles[..n] {
            if other.id == one.id {
                let wanted = "is the id of another tile; each is there once";
                errors.add(format!("{at}/id"), "repeated", wanted);
            }
            if overlap(one.layout, other.layout) {
                let wanted = format!("lies on the tile {}", other.id);
                errors.add(format!("{at}/layout"), "overlaps", wanted);
            }
        }
    }
}

fn overlap(a: Layout, b: Layout) -> bool {
    let within = |a: (u16, u16), b: (u16, u16)| a.0 < b.0 + b.1 && b.0 < a.0 + a.1;
    within((a.x.into(), a.w.into()), (b.x.into(), b.w.into()))
        && within((a.y, a.h.into()), (b.y, b.h.into()))
}

fn tile(errors: &mut Errors, at: &str, tile: &Tile) {
    let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if tile.id.is_empty() || tile.id.len() > 60 || !tile.id.bytes().all(named) {
        let wanted = "must be 1 to 60 small letters, digits and -";
        errors.add(format!("{at}/id"), "invalid_id", wanted);
    }
    text(errors, &format!("{at}/title"), &tile.title, 1, 120);
    let Layout { x, y, w, h } = tile.layout;
    let fits = w >= 1 && u16::from(x) + u16::from(w) <= u16::from(GRID_COLUMNS);
    if !fits || !(1..=MAX_HEIGHT).contains(&h) || y > LAST_ROW {
        let wanted = "must lie within 12 columns and 1,000 rows, 1 to 40 rows high";
        errors.add(format!("{at}/layout"), "out_of_range", wanted);
    }
    match &tile.query {
        TileQuery::Numbers(query) => {
            let at_query = format!("{at}/query/numbers");
            numbers(errors, &at_query, query);
            if let Some(wanted) = misfit(tile.chart, query) {
                errors.add(format!("{at}/chart"), "chart_does_not_fit", wanted);
            }
        }
        TileQuery::Cohorts(query) => {
            query.check(errors, &format!("{at}/query/cohorts"));
            grid_only(errors, at, tile.chart);
            if query.dimension.is_some() && tile.chart == ChartKind::CohortGrid {
                let wanted = "must be table for cohorts told apart by a dimension";
                errors.add(format!("{at}/chart"), "chart_does_not_fit", wanted);
            }
        }
        TileQuery::Retention(query) => {
            query.check(errors, &format!("{at}/query/retention"));
            grid_only(errors, at, tile.chart);
        }
        TileQuery::Funnel(query) => {
            query.check(errors, &format!("{at}/query/funnel"));
            if !matches!(
                tile.chart,
                ChartKind::Funnel | ChartKind::Table | ChartKind::Bar
            ) {
                let wanted = "must be funnel, bar or table for a funnel";
                errors.add(format!("{at}/chart"), "chart_does_not_fit", wanted);
            }
        }
    }
}

fn grid_only(errors: &mut Errors, at: &str, chart: ChartKind) {
    if !matches!(chart, ChartKind::CohortGrid | ChartKind::Table) {
        let wanted = "must be cohort_grid or table for cohorts and retention";
        errors.add(format!("{at}/chart"), "chart_does_not_fit", wanted);
    }
}

/// What a chart needs that the question has not.
fn misfit(chart: ChartKind, query: &NumbersQuery) -> Option<&'static str> {
    let (over_time, dimensions) = (query.granularity.is_some(), query.dimensions.len());
    match chart {
        ChartKind::Line | ChartKind::Area | ChartKind::Sparkline => (!over_time || dimensions > 1)
            .then_some("needs a granularity and at most one dimension"),
        ChartKind::ScoreCard => (dimensions > 0 || query.metrics.len() != 1)
            .then_some("needs one metric and no dimension; with a granularity it has a small line"),
        ChartKind::Donut => (over_time || dimensions != 1 || query.metrics.len() != 1)
            .then_some("needs one metric, one dimension and no granularity"),
        ChartKind::Bar => (dimensions + usize::from(over_time) > 2)
            .then_some("needs at most two of granularity and dimensions"),
        ChartKind::Funnel => (over_time || dimensions > 0 || query.metrics.len() < 2).then_some(
            "needs two or more metrics, each a step, and neither dimension nor granularity",
        ),
        ChartKind::CohortGrid => Some("needs a query for cohorts or retention"),
        ChartKind::Table => None,
    }
}

/// A question for numbers of the catalogue.
fn numbers(errors: &mut Errors, at: &str, query: &NumbersQuery) {
    if query.metrics.is_empty() || query.metrics.len() > 20 {
        errors.add(
            format!("{at}/metrics"),
            "out_of_range",
            "must be 1 to 20 metrics",
        );
    }
    let catalogue = Catalogue::builtin();
    for (n, key) in query.metrics.iter().enumerate() {
        if catalogue.metric(key).is_none() {
            let pointer = format!("{at}/metrics/{n}");
            errors.add(pointer, "unknown_metric", unknown(key));
        }
    }
    if query.dimensions.len() > 3 {
        errors.add(
            format!("{at}/dimensions"),
            "too_many",
            "must be at most 3 dimensions",
        );
    }
    let known = |name: &str| has_dimension(query, name);
    for (n, name) in query.dimensions.iter().enumerate() {
        if !known(name) {
            let pointer = format!("{at}/dimensions/{n}");
            errors.add(
                pointer,
                "unknown_dimension",
                "is not a dimension of all these metrics",
            );
        }
    }
    filters(errors, &format!("{at}/filters"), &query.filters, known);
    for (n, order) in query.order.iter().enumerate() {
        let by = &order.by;
        if by != "time" && !query.metrics.contains(by) && !query.dimensions.contains(by) {
            let pointer = format!("{at}/order/{n}/by");
            errors.add(
                pointer,
                "unknown_column",
                "must be time, or a metric or dimension of this query",
            );
        }
    }
    if query
        .limit
        .is_some_and(|limit| !(1..=10_000).contains(&limit))
    {
        errors.add(format!("{at}/limit"), "out_of_range", "must be 1 to 10,000");
    }
}

pub(crate) fn filters(
    errors: &mut Errors,
    at: &str,
    filters: &[Filter],
    known: impl Fn(&str) -> bool,
) {
    if filters.len() > 20 {
        errors.add(at.to_owned(), "too_many", "must be at most 20 filters");
        return;
    }
    for (n, filter) in filters.iter().enumerate() {
        if !known(&filter.dimension) {
            let pointer = format!("{at}/{n}/dimension");
            errors.add(
                pointer,
                "unknown_dimension",
                "is not a dimension of these numbers",
            );
        }
        let short = |value: &String| value.chars().count() <= 500;
        if filter.values.is_empty() || filter.values.len() > 100 || !filter.values.iter().all(short)
        {
            let pointer = format!("{at}/{n}/values");
            errors.add(
                pointer,
                "out_of_range",
                "must be 1 to 100 values of at most 500 characters",
            );
        }
    }
}

/// Whether every metric of a query can be broken down by a dimension: metrics that the catalogue has not are told elsewhere.
fn has_dimension(query: &NumbersQuery, name: &str) -> bool {
    let catalogue = Catalogue::builtin();
    let metrics = query.metrics.iter().filter_map(|key| catalogue.metric(key));
    let mut known = true;
    for metric in metrics {
        metric.formula.for_each_leaf(&mut |measure, _| {
            let key = measure
                .split_once(':')
                .map_or(metric.family(), |(dataset, _)| dataset);
            known &= name == "currency"
                || catalogue
                    .dataset(key)
                    .is_some_and(|dataset| dataset.has_dimension(name));
        });
    }
    known
}

fn unknown(key: &str) -> String {
    match Catalogue::builtin().near(key).first() {
        Some(near) => format!("is not in the catalogue; did you mean {near}?"),
        None => "is not in the catalogue: GET /api/metrics/catalog".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_overlap_when_they_share_a_field_of_the_grid() {
        let at = |x, y, w, h| Layout { x, y, w, h };
        assert!(overlap(at(0, 0, 3, 2), at(2, 1, 3, 2)));
        assert!(overlap(at(0, 0, 12, 9), at(4, 4, 1, 1)));
        assert!(!overlap(at(0, 0, 3, 2), at(3, 0, 3, 2)));
        assert!(!overlap(at(0, 0, 3, 2), at(0, 2, 3, 2)));
    }
}
