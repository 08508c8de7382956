//! From sums to the grid: shares, lifetime values, payback.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CohortMeasure, CohortsQuery, store::Sums};
use crate::{
    analyses::{pieces::Pieces, retention::share},
    charts::minor_digits,
    query::Granularity,
};

/// Customers by the period of their first order, and what they did after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CohortGrid {
    /// One for each period of the range, and for each value of the dimension.
    pub cohorts: Vec<Cohort>,
    /// All cohorts that have come through a period, together.
    pub totals: Vec<CohortTotal>,
    /// ISO 4217 code of the amounts.
    pub currency: Option<String>,
    /// First day of the first period.
    pub from: NaiveDate,
    /// Last day asked for.
    pub to: NaiveDate,
    /// IANA time zone of the days.
    pub timezone: String,
    /// How long a period is.
    pub granularity: Granularity,
    /// When it was read.
    pub as_of: DateTime<Utc>,
    /// Version of the tenant's data.
    pub data_version: i64,
}

/// Customers whose first order was in one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cohort {
    /// First day of the period.
    pub cohort: NaiveDate,
    /// Value of the dimension that was asked for.
    pub value: Option<String>,
    /// How many customers.
    pub size: i64,
    /// Part of net sales that is left after the cost of goods, as used for payback.
    #[schema(value_type = Option<String>)]
    pub margin: Option<Decimal>,
    /// Lifetime value so far by what it cost to win a customer.
    #[schema(value_type = Option<String>)]
    pub ltv_to_cac: Option<Decimal>,
    /// The first period in which what is left of the lifetime value covers what it cost to win a customer; null as long as
    /// there is none.
    pub payback_period: Option<u16>,
    /// The period itself (0) and those after it that have begun.
    pub cells: Vec<CohortCell>,
}

/// What a cohort did in one period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CohortCell {
    /// How many periods after the first order; 0 is the period itself.
    pub period: u16,
    /// Customers with an order.
    pub customers: i64,
    /// Their share of the cohort, 0 to 1.
    #[schema(value_type = Option<String>)]
    pub retention: Option<Decimal>,
    /// Orders.
    pub orders: i64,
    /// Net sales: gross without discounts and refunds.
    #[schema(value_type = String)]
    pub net: Decimal,
    /// Net sales up to the end of this period, by customers of the cohort.
    #[schema(value_type = Option<String>)]
    pub ltv: Option<Decimal>,
    /// Whether the period is over.
    pub complete: bool,
}

impl CohortCell {
    pub(super) fn value(&self, measure: CohortMeasure) -> Option<Decimal> {
        match measure {
            CohortMeasure::Retention => self.retention,
            CohortMeasure::Customers => Some(self.customers.into()),
            CohortMeasure::Ltv => self.ltv,
        }
    }
}

/// All cohorts for which a period is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CohortTotal {
    /// How many periods after the first order.
    pub period: u16,
    /// Customers of those cohorts.
    pub size: i64,
    /// Those with an order.
    pub customers: i64,
    /// Their share, 0 to 1: of sums, not a mean of shares.
    #[schema(value_type = Option<String>)]
    pub retention: Option<Decimal>,
    /// Net sales up to the end of this period, by customers.
    #[schema(value_type = Option<String>)]
    pub ltv: Option<Decimal>,
}

/// The grid of sums by cohort (its place), value and period.
pub(super) fn of(
    query: &CohortsQuery,
    (pieces, beginnings): (&Pieces, &[DateTime<Utc>]),
    now: DateTime<Utc>,
    currency: Option<String>,
    sums: BTreeMap<(usize, Option<String>), BTreeMap<u16, Sums>>,
) -> CohortGrid {
    let digits = minor_digits(currency.as_deref().unwrap_or_default());
    let mut sums = sums;
    if query.dimension.is_none() {
        // A period in which nobody came is a row of zeros, not a gap.
        for n in 0..pieces.days.len() {
            sums.entry((n, None)).or_default();
        }
    }
    let mut minor: BTreeMap<u16, (i64, i64, Decimal)> = BTreeMap::new();
    let mut cohorts = Vec::new();
    for ((n, value), by_period) in sums {
        let Some(day) = pieces.days.get(n) else {
            continue;
        };
        let at = |period: u16| {
            beginnings
                .get(n + usize::from(period))
                .is_some_and(|begins| *begins <= now)
        };
        let size = by_period.get(&0).map_or(0, |sums| sums.customers);
        let mut net = Decimal::ZERO;
        let mut cells = Vec::new();
        for period in (0..=query.periods).filter(|period| at(*period)) {
            let here = by_period.get(&period).copied().unwrap_or_default();
            net += Decimal::from(here.net_minor);
            let complete = at(period + 1);
            if complete {
                let total = minor.entry(period).or_default();
                *total = (total.0 + size, total.1 + here.customers, total.2 + net);
            }
            cells.push(CohortCell {
                period,
                customers: here.customers,
                retention: share(here.customers, size),
                orders: here.orders,
                net: main_unit(here.net_minor.into(), digits).normalize(),
                ltv: by_head(net, size, digits),
                complete,
            });
        }
        let margin = margin(query, by_period.values());
        let value_of = |cell: &CohortCell| cell.ltv.zip(margin).map(|(ltv, margin)| ltv * margin);
        let pays = |cell: &&CohortCell| {
            query
                .cac
                .zip(value_of(cell))
                .is_some_and(|(cac, left)| left >= cac)
        };
        let last = cells.last().and_then(|cell| cell.ltv);
        cohorts.push(Cohort {
            cohort: *day,
            value,
            size,
            margin: margin.filter(|_| query.cac.is_some()),
            ltv_to_cac: last
                .zip(query.cac)
                .and_then(|(ltv, cac)| ltv.checked_div(cac))
                .map(short),
            payback_period: cells.iter().find(pays).map(|cell| cell.period),
            cells,
        });
    }
    let totals = minor
        .into_iter()
        .map(|(period, (size, customers, net))| CohortTotal {
            period,
            size,
            customers,
            retention: share(customers, size),
            ltv: by_head(net, size, digits),
        });
    CohortGrid {
        cohorts,
        totals: totals.collect(),
        currency,
        from: pieces.days.first().copied().unwrap_or_default(),
        to: pieces.days.last().copied().unwrap_or_default(),
        timezone: pieces.zone.name().to_owned(),
        granularity: pieces.granularity,
        as_of: now,
        data_version: 0,
    }
}

fn short(number: Decimal) -> Decimal {
    number.round_dp(6).normalize()
}

/// An amount of smallest units in the main unit.
fn main_unit(minor: Decimal, digits: u32) -> Decimal {
    minor / Decimal::from(10_u64.pow(digits))
}

/// An amount of smallest units by customers, in the main unit.
fn by_head(minor: Decimal, customers: i64, digits: u32) -> Option<Decimal> {
    main_unit(minor, digits)
        .checked_div(customers.into())
        .map(short)
}

/// What is left of net sales after the cost of goods; all of it when no cost is known.
fn margin<'a>(query: &CohortsQuery, sums: impl Iterator<Item = &'a Sums>) -> Option<Decimal> {
    if query.margin.is_some() {
        return query.margin;
    }
    let (net, cost) = sums.fold((0_i64, 0_i64), |(net, cost), sums| {
        (net + sums.net_minor, cost + sums.cost_minor)
    });
    Decimal::from(net - cost).checked_div(net.into()).map(short)
}
