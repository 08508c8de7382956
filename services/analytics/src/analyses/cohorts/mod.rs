//! Cohorts: customers by the period of their first order, what they bought in each period after it, and when they had paid
//! for what it cost to win them.

pub(super) mod endpoint;
mod grid;
mod store;

use bz_http::{Errors, Problem};
use bz_tenant::TenantTx;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    pieces::{Pieces, days_of, zone},
    retention::check_periods,
};
use crate::{
    dashboards::{View, check},
    query::{ColumnKind, Filter, Frame, Granularity, Range, Row, Unit},
    version,
};
pub use grid::CohortGrid;

/// Customers by the period of their first order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CohortsQuery {
    /// How long a period is: day, week, month, quarter or year; a month when not given.
    #[serde(default = "month")]
    pub granularity: Granularity,
    /// How many periods after the first, 1 to 60; 12 when not given.
    #[serde(default = "twelve")]
    #[schema(minimum = 1, maximum = 60)]
    pub periods: u16,
    /// A dimension of the first order to tell cohorts apart by, too: `first_product`, or one that orders have (`channel`,
    /// `country`). The 20 largest values; the others together are `(other)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 60)]
    pub dimension: Option<String>,
    /// Conditions on the first order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub filters: Vec<Filter>,
    /// ISO 4217 code: only orders in it. Needed when there are orders in several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 3, max_length = 3)]
    pub currency: Option<String>,
    /// What it cost to win one customer, in the currency's main unit; with it each cohort says when it had paid for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "25.00")]
    pub cac: Option<Decimal>,
    /// The part of net sales that is left after the cost of goods, 0 to 1. What the orders themselves say when not given; 1
    /// when they say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "0.6")]
    pub margin: Option<Decimal>,
    /// What a grid shows.
    #[serde(default)]
    pub show: CohortMeasure,
}

/// What a grid of cohorts shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CohortMeasure {
    /// The share of the cohort that ordered.
    #[default]
    Retention,
    /// How many ordered.
    Customers,
    /// Net sales so far, by customers of the cohort.
    Ltv,
}

const fn month() -> Granularity {
    Granularity::Month
}

const fn twelve() -> u16 {
    12
}

/// The dimension that is the product of the first line of the first order.
pub(super) const FIRST_PRODUCT: &str = "first_product";

impl CohortsQuery {
    pub(crate) fn check(&self, errors: &mut Errors, at: &str) {
        check_periods(errors, at, self.granularity, self.periods);
        if let Some(name) = &self.dimension
            && !is_dimension(name)
        {
            let wanted =
                "must be first_product or a dimension of orders: small letters, digits and _";
            errors.add(format!("{at}/dimension"), "unknown_dimension", wanted);
        }
        check::filters(
            errors,
            &format!("{at}/filters"),
            &self.filters,
            is_dimension,
        );
        let is_code =
            |code: &String| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        if self.currency.as_ref().is_some_and(|code| !is_code(code)) {
            let wanted = "must be three capital letters, as EUR";
            errors.add(format!("{at}/currency"), "invalid_currency", wanted);
        }
        if self.cac.is_some_and(|cac| cac <= Decimal::ZERO) {
            errors.add(format!("{at}/cac"), "out_of_range", "must be more than 0");
        }
        if self
            .margin
            .is_some_and(|margin| margin <= Decimal::ZERO || margin > Decimal::ONE)
        {
            errors.add(
                format!("{at}/margin"),
                "out_of_range",
                "must be more than 0 and at most 1",
            );
        }
    }
}

/// Whether a text can be a key of an order's dimensions; it becomes a part of a statement's parameters only.
fn is_dimension(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=60).contains(&name.len()) && name.bytes().all(plain)
}

/// Answers the question.
pub(crate) async fn answer(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    query: &CohortsQuery,
    (range, timezone): (Range, Option<&str>),
) -> Result<CohortGrid, Problem> {
    let zone = zone(timezone)?;
    let days = days_of(range, now, zone)?;
    let pieces = Pieces::over(days, query.granularity, zone)?;
    let currency = currency(tx, query).await?;
    let beginnings = pieces.beginnings(query.periods.into());
    let sums = store::sums(
        tx,
        query,
        currency.as_deref(),
        (&beginnings, pieces.days.len()),
    )
    .await?;
    let version = version::current(tx).await?;
    let mut grid = grid::of(query, (&pieces, &beginnings), now, currency, sums);
    (grid.to, grid.data_version) = (days.1, version);
    Ok(grid)
}

/// The currency that all orders looked at are in: amounts of two currencies have no sum.
async fn currency(tx: &mut TenantTx, query: &CohortsQuery) -> Result<Option<String>, Problem> {
    if query.currency.is_some() {
        return Ok(query.currency.clone());
    }
    let mut found = store::currencies(tx).await?;
    if found.len() > 1 {
        let wanted = format!("there are orders in {}; say which", found.join(", "));
        return Err(Problem::invalid(
            "/cohorts/currency",
            "several_currencies",
            wanted,
        ));
    }
    Ok(found.pop())
}

/// The same as a table: cohort, perhaps the dimension, and period are its keys.
pub(crate) async fn frame(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    query: &CohortsQuery,
    view: &View,
) -> Result<Frame, Problem> {
    let mut query = query.clone();
    if !view
        .filters
        .iter()
        .all(|filter| is_dimension(&filter.dimension))
    {
        return Err(super::unfiltered("this tile"));
    }
    query.filters.extend(view.filters.iter().cloned());
    let grid = answer(tx, now, &query, (view.range, view.timezone.as_deref())).await?;
    let mut columns = vec![super::key("time", "First order", ColumnKind::Time)];
    if let Some(name) = &query.dimension {
        columns.push(super::key(name, name, ColumnKind::Dimension));
    }
    columns.push(super::key("period", "Periods later", ColumnKind::Dimension));
    let currency = grid.currency.as_deref();
    // The first number is the one that a grid shows.
    let mut measures = [
        CohortMeasure::Retention,
        CohortMeasure::Customers,
        CohortMeasure::Ltv,
    ];
    measures.sort_by_key(|measure| *measure != query.show);
    columns.extend(measures.map(|measure| match measure {
        CohortMeasure::Retention => super::metric("retention", "Retention", Unit::Percent, None),
        CohortMeasure::Customers => super::metric("customers", "Customers", Unit::Count, None),
        CohortMeasure::Ltv => super::metric("ltv", "LTV", Unit::Money, currency),
    }));
    let by_dimension = query.dimension.is_some();
    let rows = grid.cohorts.iter().flat_map(|cohort| {
        cohort.cells.iter().map(move |cell| {
            let value = by_dimension.then(|| cohort.value.clone());
            let keys = [
                Some(Some(cohort.cohort.to_string())),
                value,
                Some(Some(cell.period.to_string())),
            ];
            Row {
                keys: keys.into_iter().flatten().collect(),
                values: measures.map(|measure| cell.value(measure)).into(),
                previous: None,
                change: None,
            }
        })
    });
    let rows = rows.collect();
    let meta = super::meta((grid.from, grid.to), &grid.timezone, now, grid.data_version);
    Ok(Frame {
        columns,
        rows,
        totals: None,
        compared: None,
        meta,
    })
}
