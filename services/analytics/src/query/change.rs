//! How a number changed against the period before. One function, one table of cases; every screen, file and alert uses
//! it, because each product that computed it in two places was wrong in one.

use rust_decimal::{Decimal, RoundingStrategy::MidpointAwayFromZero};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Polarity, Unit};

/// Decimals of a percentage or of points.
const DECIMALS: u32 = 6;

/// Which way a number went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More than before.
    Up,
    /// Less than before.
    Down,
    /// As before.
    Flat,
}

/// Why there is no percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeNote {
    /// One of the two has no number.
    NoData,
    /// There was nothing before, and nothing is a percentage of zero.
    New,
}

/// How a change is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Things: in percent of what was.
    Count,
    /// Money: in percent of what was.
    Money,
    /// A share: in percentage points, never in percent of percent.
    Rate,
}

impl From<Unit> for ChangeKind {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Percent => Self::Rate,
            Unit::Money => Self::Money,
            Unit::Count | Unit::Ratio | Unit::Seconds | Unit::Days => Self::Count,
        }
    }
}

/// A change from one number to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// In percent of the number before, as 50 for half as much again; of counts and money.
    #[schema(value_type = Option<String>, example = "50")]
    pub percent: Option<Decimal>,
    /// In percentage points, as 2 from 10 % to 12 %; of shares.
    #[schema(value_type = Option<String>, example = "2")]
    pub points: Option<Decimal>,
    /// Which way it went; null when one of the two has no number.
    pub direction: Option<Direction>,
    /// Whether that is good; null when it is neither.
    pub good: Option<bool>,
    /// Why there is no percentage.
    pub note: Option<ChangeNote>,
}

/// The change from `previous` to `current`.
#[must_use]
pub fn change(
    current: Option<Decimal>,
    previous: Option<Decimal>,
    kind: ChangeKind,
    polarity: Polarity,
) -> Change {
    let none = Change {
        percent: None,
        points: None,
        direction: None,
        good: None,
        note: Some(ChangeNote::NoData),
    };
    let (Some(current), Some(previous)) = (current, previous) else {
        return none;
    };
    let direction = match current.cmp(&previous) {
        std::cmp::Ordering::Greater => Direction::Up,
        std::cmp::Ordering::Less => Direction::Down,
        std::cmp::Ordering::Equal => Direction::Flat,
    };
    let moved = Change {
        direction: Some(direction),
        good: good(direction, polarity),
        note: None,
        ..none
    };
    let difference = current.checked_sub(previous);
    let hundred = |x: Decimal| x.checked_mul(Decimal::ONE_HUNDRED).map(rounded);
    match kind {
        ChangeKind::Rate => Change {
            points: difference.and_then(hundred),
            ..moved
        },
        ChangeKind::Count | ChangeKind::Money if !previous.is_zero() => Change {
            percent: difference
                .and_then(|by| by.checked_div(previous.abs()))
                .and_then(hundred),
            ..moved
        },
        ChangeKind::Count | ChangeKind::Money if current.is_zero() => Change {
            percent: Some(Decimal::ZERO),
            ..moved
        },
        ChangeKind::Count | ChangeKind::Money => Change {
            note: Some(ChangeNote::New),
            ..moved
        },
    }
}

fn good(direction: Direction, polarity: Polarity) -> Option<bool> {
    match (direction, polarity) {
        (Direction::Flat, _) | (_, Polarity::Neutral) => None,
        (Direction::Up, _) => Some(polarity == Polarity::UpIsGood),
        (Direction::Down, _) => Some(polarity == Polarity::DownIsGood),
    }
}

fn rounded(number: Decimal) -> Decimal {
    number
        .round_dp_with_strategy(DECIMALS, MidpointAwayFromZero)
        .normalize()
}

#[cfg(test)]
mod tests {
    use super::ChangeKind::{Count, Money, Rate};
    use super::ChangeNote::{New, NoData};
    use super::Direction::{Down, Flat, Up};
    use super::*;

    fn number(text: &str) -> Option<Decimal> {
        (!text.is_empty()).then(|| text.parse().unwrap())
    }

    #[test]
    fn the_table_of_changes() {
        // previous, current, kind, percent, points, direction, note
        let table = [
            ("", "", Count, "", "", None, Some(NoData)),
            ("", "0", Count, "", "", None, Some(NoData)),
            ("", "5", Money, "", "", None, Some(NoData)),
            ("", "0.5", Rate, "", "", None, Some(NoData)),
            ("5", "", Count, "", "", None, Some(NoData)),
            ("0", "", Money, "", "", None, Some(NoData)),
            ("0.5", "", Rate, "", "", None, Some(NoData)),
            ("0", "0", Count, "0", "", Some(Flat), None),
            ("0", "0", Money, "0", "", Some(Flat), None),
            ("0", "0", Rate, "", "0", Some(Flat), None),
            ("0", "7", Count, "", "", Some(Up), Some(New)),
            ("0", "-7", Money, "", "", Some(Down), Some(New)),
            ("0", "0.25", Rate, "", "25", Some(Up), None),
            ("4", "6", Count, "50", "", Some(Up), None),
            ("3", "1", Count, "-66.666667", "", Some(Down), None),
            ("5", "0", Count, "-100", "", Some(Down), None),
            ("5", "5", Count, "0", "", Some(Flat), None),
            ("-5", "5", Money, "200", "", Some(Up), None),
            ("-5", "-10", Money, "-100", "", Some(Down), None),
            ("0.10", "0.12", Rate, "", "2", Some(Up), None),
            ("0.12", "0.10", Rate, "", "-2", Some(Down), None),
            // A campaign set whose answers were computed elsewhere.
            (
                "11950260.55",
                "18640619.27",
                Money,
                "55.985045",
                "",
                Some(Up),
                None,
            ),
            (
                "17050290",
                "25839076",
                Money,
                "51.546255",
                "",
                Some(Up),
                None,
            ),
        ];
        for (previous, current, kind, percent, points, direction, note) in table {
            let told = change(number(current), number(previous), kind, Polarity::Neutral);
            let expected = Change {
                percent: number(percent),
                points: number(points),
                direction,
                good: None,
                note,
            };
            assert_eq!(told, expected, "{previous} -> {current} as {kind:?}");
        }
    }

    #[test]
    fn what_is_good_depends_on_the_number() {
        use Polarity::{DownIsGood, Neutral, UpIsGood};
        for (previous, current, polarity, good) in [
            ("1", "2", UpIsGood, Some(true)),
            ("2", "1", UpIsGood, Some(false)),
            ("1", "2", DownIsGood, Some(false)),
            ("2", "1", DownIsGood, Some(true)),
            ("1", "1", UpIsGood, None),
            ("1", "1", DownIsGood, None),
            ("1", "2", Neutral, None),
            ("0", "2", UpIsGood, Some(true)),
            ("", "2", UpIsGood, None),
        ] {
            let told = change(number(current), number(previous), Count, polarity);
            assert_eq!(told.good, good, "{previous} -> {current}, {polarity:?}");
        }
    }

    #[test]
    fn numbers_too_large_for_a_percentage_have_none() {
        let told = change(
            Some(Decimal::MAX),
            number("0.0000001"),
            Count,
            Polarity::UpIsGood,
        );
        assert_eq!((told.percent, told.direction), (None, Some(Up)));
    }
}
