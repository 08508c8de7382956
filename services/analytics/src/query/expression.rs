//! Formulas with their measures looked up, and what comes out of them.

use rust_decimal::Decimal;

use super::Unit;
use crate::catalogue::{Additivity, Catalogue, Dataset, Formula, Measure, Metric, Storage};

/// Decimals that a quotient keeps.
const DECIMALS: u32 = 12;

/// A measure of a dataset; of events, those with one name only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) dataset: &'static Dataset,
    pub(super) measure: &'static Measure,
    pub(super) event: Option<&'static str>,
}

impl Leaf {
    /// What it is where there is no row: nothing of what is counted, and unknown of what a platform tells.
    pub(super) fn without_rows(self) -> Option<Decimal> {
        let known = self.measure.additivity == Additivity::Additive
            || self.dataset.storage != Storage::Facts;
        known.then_some(Decimal::ZERO)
    }

    /// Whether it is an amount.
    pub(super) fn is_money(self) -> bool {
        self.measure.unit == Unit::Money
    }

    /// Whether its sum over everything is the sum of its parts.
    pub(super) fn is_additive(self) -> bool {
        self.measure.additivity == Additivity::Additive
    }
}

/// A formula over numbered leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    Leaf(usize),
    Ratio(Box<[Expression; 2]>, Decimal),
    Sum(Vec<Expression>),
    Difference(Box<[Expression; 2]>),
    Product(Vec<Expression>),
    Share(Box<Expression>),
}

impl Expression {
    /// The formula of a metric. Leaves that are not in `leaves` yet are added.
    pub(super) fn of(metric: &'static Metric, leaves: &mut Vec<Leaf>) -> Option<Self> {
        Self::compile(&metric.formula, metric.family(), leaves)
    }

    fn compile(formula: &'static Formula, family: &str, leaves: &mut Vec<Leaf>) -> Option<Self> {
        let mut all = |parts: &'static [Formula]| -> Option<Vec<Self>> {
            parts
                .iter()
                .map(|part| Self::compile(part, family, leaves))
                .collect()
        };
        let pair = |parts: Vec<Self>| <[Self; 2]>::try_from(parts).ok().map(Box::new);
        Some(match formula {
            Formula::Measure { measure, event } => {
                let (dataset, measure) = Catalogue::builtin().measure(family, measure)?;
                let leaf = Leaf {
                    dataset,
                    measure,
                    event: event.as_deref(),
                };
                let known = leaves.iter().position(|known| *known == leaf);
                Self::Leaf(known.unwrap_or_else(|| {
                    leaves.push(leaf);
                    leaves.len() - 1
                }))
            }
            Formula::Ratio { ratio, scale } => {
                Self::Ratio(pair(all(&**ratio)?)?, scale.unwrap_or(Decimal::ONE))
            }
            Formula::Sum { sum } => Self::Sum(all(sum)?),
            Formula::Difference { difference } => Self::Difference(pair(all(&**difference)?)?),
            Formula::Product { product } => Self::Product(all(product)?),
            Formula::Share { share } => {
                Self::Share(Box::new(Self::compile(share, family, leaves)?))
            }
        })
    }

    /// The number, of a row whose leaves are `row` in a whole whose leaves are `whole`. None where a leaf has none, where
    /// something would be divided by zero, and beyond 28 digits.
    pub(super) fn value(
        &self,
        row: &impl Fn(usize) -> Option<Decimal>,
        whole: &impl Fn(usize) -> Option<Decimal>,
    ) -> Option<Decimal> {
        self.exact(row, whole)
            .map(|value| value.round_dp(DECIMALS).normalize())
    }

    fn exact(
        &self,
        row: &impl Fn(usize) -> Option<Decimal>,
        whole: &impl Fn(usize) -> Option<Decimal>,
    ) -> Option<Decimal> {
        let of = |part: &Self| part.exact(row, whole);
        match self {
            Self::Leaf(leaf) => row(*leaf),
            Self::Ratio(parts, scale) => {
                let (over, under) = (of(&parts[0])?, of(&parts[1])?);
                over.checked_mul(*scale)?.checked_div(under)
            }
            Self::Sum(parts) => parts
                .iter()
                .try_fold(Decimal::ZERO, |sum, part| sum.checked_add(of(part)?)),
            Self::Difference(parts) => of(&parts[0])?.checked_sub(of(&parts[1])?),
            Self::Product(parts) => parts
                .iter()
                .try_fold(Decimal::ONE, |product, part| product.checked_mul(of(part)?)),
            Self::Share(part) => of(part)?.checked_div(part.exact(whole, whole)?),
        }
    }

    /// Whether it asks for the whole.
    pub(super) fn has_share(&self) -> bool {
        match self {
            Self::Leaf(_) => false,
            Self::Ratio(parts, _) | Self::Difference(parts) => parts.iter().any(Self::has_share),
            Self::Sum(parts) | Self::Product(parts) => parts.iter().any(Self::has_share),
            Self::Share(_) => true,
        }
    }

    /// Whether `test` holds for one of its leaves.
    pub(super) fn any_leaf(&self, test: &impl Fn(usize) -> bool) -> bool {
        match self {
            Self::Leaf(leaf) => test(*leaf),
            Self::Ratio(parts, _) | Self::Difference(parts) => {
                parts.iter().any(|part| part.any_leaf(test))
            }
            Self::Sum(parts) | Self::Product(parts) => parts.iter().any(|part| part.any_leaf(test)),
            Self::Share(part) => part.any_leaf(test),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// A metric over leaves given by the names of their measures.
    fn value(key: &str, given: &[(&str, &str)]) -> Option<String> {
        let mut leaves = Vec::new();
        let metric = Catalogue::builtin().metric(key).unwrap();
        let expression = Expression::of(metric, &mut leaves).unwrap();
        let row = |leaf: usize| {
            let name = leaves[leaf].measure.name.as_str();
            let given = given.iter().find(|(given, _)| *given == name);
            given.map(|(_, text)| number(text))
        };
        expression.value(&row, &row).map(|value| value.to_string())
    }

    #[test]
    fn formulas_are_quotients_of_sums_with_their_scale() {
        let sums = [
            ("cost", "30590879.82"),
            ("impressions", "1577722399"),
            ("clicks", "2999919"),
            ("conversion_value", "42889366"),
            ("conversions", "8043"),
        ];
        // Known answers of a set of campaigns, computed elsewhere.
        for (key, known) in [
            ("google-ads.roas", "1.402031"),
            ("google-ads.cpc", "10.197235"),
            ("google-ads.cpm", "19.389266"),
            ("google-ads.cpa", "3803.416613"),
            ("google-ads.value_per_conversion", "5332.508517"),
            ("google-ads.romi", "0.402031"),
            ("google-ads.ctr", "0.001901"),
        ] {
            let told = value(key, &sums).map(|told| number(&told).round_dp(6).to_string());
            assert_eq!(told.as_deref(), Some(known), "{key}");
        }
    }

    #[test]
    fn a_quotient_by_zero_or_of_nothing_is_no_number() {
        assert_eq!(
            value("google-ads.cpa", &[("cost", "5"), ("conversions", "0")]),
            None
        );
        assert_eq!(
            value("google-ads.cpa", &[("cost", "0"), ("conversions", "0")]),
            None
        );
        assert_eq!(value("google-ads.cpa", &[("cost", "5")]), None);
        assert_eq!(
            value("google-ads.cpa", &[("cost", "0"), ("conversions", "5")]).as_deref(),
            Some("0")
        );
        assert_eq!(
            value("google-ads.cost_share", &[("cost", "5")]).as_deref(),
            Some("1")
        );
    }

    #[test]
    fn velocity_is_deals_by_their_chance_and_size_per_day() {
        let given = [
            ("open", "10"),
            ("won", "4"),
            ("lost", "6"),
            ("won_amount", "8000"),
            ("cycle_days", "80"),
        ];
        // 10 deals, 40 % won, 2,000 each, 20 days.
        assert_eq!(value("deals.velocity", &given).as_deref(), Some("400"));
    }

    #[test]
    fn numbers_beyond_twenty_eight_digits_are_none() {
        let large = Decimal::MAX.to_string();
        assert_eq!(
            value("google-ads.cpm", &[("cost", &large), ("impressions", "1")]),
            None
        );
    }
}
