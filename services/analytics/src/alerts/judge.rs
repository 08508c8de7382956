//! Whether a number is as it should be.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resource::{Rule, Side};

/// How many earlier numbers a band needs.
const LEAST_HISTORY: usize = 4;

/// What was found of a piece of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Finding {
    /// The piece of time.
    pub bucket: String,
    /// The number.
    #[schema(value_type = String)]
    pub value: Decimal,
    /// The least that would be as it should be.
    #[schema(value_type = Option<String>)]
    pub low: Option<Decimal>,
    /// The most that would be as it should be.
    #[schema(value_type = Option<String>)]
    pub high: Option<Decimal>,
    /// Whether it breaks the rule.
    pub broken: bool,
}

/// Judges a number; none when there is not enough history for a band. `history` has the numbers of the same hour of the
/// week, or the same day, in the weeks before.
pub(super) fn judge(
    rule: Rule,
    bucket: &str,
    value: Decimal,
    history: &[Decimal],
) -> Option<Finding> {
    let (low, high) = match rule {
        Rule::Above { than } => (None, Some(than)),
        Rule::Below { than } => (Some(than), None),
        Rule::Band { sensitivity, side } => {
            let (low, high) = band(history, sensitivity)?;
            match side {
                Side::Both => (Some(low), Some(high)),
                Side::Above => (None, Some(high)),
                Side::Below => (Some(low), None),
            }
        }
    };
    Some(Finding {
        bucket: bucket.to_owned(),
        value,
        broken: low.is_some_and(|low| value < low) || high.is_some_and(|high| value > high),
        low,
        high,
    })
}

/// What is usual: the median, and on both sides of it so many times the median distance from it, scaled so that it is a
/// standard deviation for numbers that vary normally (Rousseeuw and Croux, 1993). Numbers that were always the same leave a
/// hundredth of them, or the noise of a small count.
fn band(history: &[Decimal], sensitivity: Decimal) -> Option<(Decimal, Decimal)> {
    if history.len() < LEAST_HISTORY {
        return None;
    }
    let middle = median(history)?;
    let distances: Vec<Decimal> = history
        .iter()
        .map(|value| (*value - middle).abs())
        .collect();
    let spread = median(&distances)? * Decimal::new(14_826, 4);
    let spread = spread.max(middle.abs() / Decimal::ONE_HUNDRED);
    let spread = if spread.is_zero() {
        Decimal::ONE
    } else {
        spread
    };
    let reach = spread.checked_mul(sensitivity)?;
    Some(((middle - reach).round_dp(6), (middle + reach).round_dp(6)))
}

fn median(values: &[Decimal]) -> Option<Decimal> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        count if count % 2 == 1 => Some(sorted[half]),
        _ => Some((sorted[half - 1] + sorted[half]) / Decimal::TWO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(values: &[i64]) -> Vec<Decimal> {
        values.iter().map(|value| Decimal::from(*value)).collect()
    }

    fn broken(rule: Rule, value: i64, history: &[i64]) -> Option<bool> {
        judge(rule, "b", Decimal::from(value), &numbers(history)).map(|finding| finding.broken)
    }

    #[test]
    fn a_threshold_is_broken_beyond_it_and_not_at_it() {
        let than = Decimal::TEN;
        let (above, below) = (Rule::Above { than }, Rule::Below { than });
        assert_eq!(
            [9, 10, 11].map(|value| broken(above, value, &[]).unwrap()),
            [false, false, true]
        );
        assert_eq!(
            [9, 10, 11].map(|value| broken(below, value, &[]).unwrap()),
            [true, false, false]
        );
    }

    #[test]
    fn a_band_is_the_median_and_the_usual_distance_from_it() {
        let band = |side| Rule::Band {
            sensitivity: Decimal::from(3),
            side,
        };
        // Median 100, median distance 4, so 100 ± 3 · 1.4826 · 4 = 82.2088 to 117.7912; one bad week moves neither.
        let history = [100, 104, 96, 100, 900, 95];
        let found = judge(
            band(Side::Both),
            "b",
            Decimal::from(118),
            &numbers(&history),
        )
        .unwrap();
        assert_eq!(
            (found.low, found.high),
            (
                Some(Decimal::new(822_088, 4)),
                Some(Decimal::new(1_177_912, 4))
            )
        );
        assert_eq!(
            [82, 83, 117, 118].map(|value| broken(band(Side::Both), value, &history).unwrap()),
            [true, false, false, true]
        );
        assert_eq!(broken(band(Side::Above), 0, &history), Some(false));
        assert_eq!(broken(band(Side::Below), 0, &history), Some(true));
        assert_eq!(
            broken(band(Side::Both), 5, &[1, 2, 3]),
            None,
            "too little is known"
        );
        assert_eq!(
            [0, 4].map(|value| broken(band(Side::Both), value, &[0; 6]).unwrap()),
            [false, true]
        );
    }
}
