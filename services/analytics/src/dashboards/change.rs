//! The change of a count as the overview tells it: in percent with one decimal, which is what a person reads.

use rust_decimal::{Decimal, RoundingStrategy::MidpointAwayFromZero, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::query::{ChangeKind, ChangeNote, Direction, Polarity, change};

/// The change of a count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OverviewChange {
    /// In percent of the period before; null when that had none, since nothing can be a percentage of zero.
    pub percent: Option<f64>,
    /// Which way it went.
    pub direction: Direction,
    /// Whether there was nothing before and there is something now.
    pub new: bool,
}

impl OverviewChange {
    /// The change from `previous` to `current`.
    pub(super) fn of(current: i64, previous: i64) -> Self {
        let [current, previous] = [current, previous].map(|count| Some(Decimal::from(count)));
        let change = change(current, previous, ChangeKind::Count, Polarity::UpIsGood);
        Self {
            percent: change.percent.and_then(|percent| {
                percent
                    .round_dp_with_strategy(1, MidpointAwayFromZero)
                    .to_f64()
            }),
            direction: change.direction.unwrap_or(Direction::Flat),
            new: change.note == Some(ChangeNote::New),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_changes() {
        let table = [
            (0, 0, Some(0.0), Direction::Flat, false),
            (5, 0, None, Direction::Up, true),
            (0, 5, Some(-100.0), Direction::Down, false),
            (5, 5, Some(0.0), Direction::Flat, false),
            (6, 4, Some(50.0), Direction::Up, false),
            (1, 3, Some(-66.7), Direction::Down, false),
            (5, -5, Some(200.0), Direction::Up, false),
        ];
        for (current, previous, percent, direction, new) in table {
            assert_eq!(
                OverviewChange::of(current, previous),
                OverviewChange {
                    percent,
                    direction,
                    new
                },
                "{previous} -> {current}"
            );
        }
    }
}
