//! How a number changed against the period before. One function, one table of cases.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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

/// The change of a count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// In percent of the period before; null when that had none, since nothing can be a percentage of zero.
    pub percent: Option<f64>,
    /// Which way it went.
    pub direction: Direction,
    /// Whether there was nothing before and there is something now.
    pub new: bool,
}

/// The change from `previous` to `current`.
#[must_use]
pub fn change(current: i64, previous: i64) -> Change {
    let direction = match current.cmp(&previous) {
        std::cmp::Ordering::Greater => Direction::Up,
        std::cmp::Ordering::Less => Direction::Down,
        std::cmp::Ordering::Equal => Direction::Flat,
    };
    let percent = match (current, previous) {
        (0, 0) => Some(0.0),
        (_, 0) => None,
        // One decimal is what a person reads.
        _ => Some(
            ((current - previous) as f64 / previous.unsigned_abs() as f64 * 1000.0).round() / 10.0,
        ),
    };
    Change {
        percent,
        direction,
        new: previous == 0 && current != 0,
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
                change(current, previous),
                Change {
                    percent,
                    direction,
                    new
                },
                "{previous} -> {current}"
            );
        }
    }
}
