//! Going through the steps of one person, visit or deal in the order in which they were taken.

use chrono::{DateTime, TimeDelta, Utc};

/// How far one comes. A chain of steps that began later is never worse than one that began earlier, so for each step only
/// the latest beginning of a chain that came to it is kept; that makes one pass exact, also when a first step was taken
/// several times.
#[derive(Debug)]
pub(super) struct Walk {
    /// For each step: when the latest chain that came to it began.
    begun: Vec<Option<DateTime<Utc>>>,
    window: Option<TimeDelta>,
}

impl Walk {
    /// Nobody has gone yet. Without a window there is no end.
    pub(super) fn new(steps: usize, window: Option<TimeDelta>) -> Self {
        Self {
            begun: vec![None; steps],
            window,
        }
    }

    /// What was done serves these steps (bit 0 is the first), but one of a chain only. `begins`: whether a chain may begin now.
    pub(super) fn take(&mut self, at: DateTime<Utc>, steps: u32, begins: bool) {
        // From the last to the first, so that one event does not take two steps.
        for step in (0..self.begun.len()).rev() {
            if steps & (1 << step) == 0 {
                continue;
            }
            let Some(before) = step.checked_sub(1) else {
                if begins {
                    self.begun[0] = Some(at);
                }
                continue;
            };
            let in_time =
                |begun: &DateTime<Utc>| self.window.is_none_or(|window| at - *begun <= window);
            if let Some(begun) = self.begun[before].filter(in_time) {
                self.begun[step] = Some(begun);
            }
        }
    }

    /// How many steps were taken.
    pub(super) fn taken(&self) -> usize {
        self.begun
            .iter()
            .take_while(|begun| begun.is_some())
            .count()
    }
}

/// Adds one who took `taken` steps to the counts.
pub(super) fn add(counts: &mut [i64], taken: usize) {
    counts.iter_mut().take(taken).for_each(|count| *count += 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far somebody comes who does `events` (minute, steps served) in a window of ten minutes.
    fn taken(steps: usize, events: &[(i64, u32)]) -> usize {
        let mut walk = Walk::new(steps, Some(TimeDelta::minutes(10)));
        for (minute, served) in events {
            let at = DateTime::from_timestamp(minute * 60, 0).unwrap();
            walk.take(at, *served, true);
        }
        walk.taken()
    }

    #[test]
    fn steps_count_in_their_order_and_within_the_window_of_the_first() {
        let (a, b, c) = (0b001, 0b010, 0b100);
        for (events, expected) in [
            (&[][..], 0),
            (&[(0, b), (1, c)], 0),
            (&[(0, a), (1, b), (2, c)], 3),
            (&[(0, a), (1, c), (2, b)], 2),
            (&[(0, a), (5, b), (11, c)], 2),
            (&[(0, a), (10, b), (10, c)], 3),
            (&[(0, a), (11, b)], 1),
            // The first step again opens the window again, and what was reached by the old one stays reached.
            (&[(0, a), (20, a), (25, b), (30, c)], 3),
            (&[(0, a), (5, b), (20, a)], 2),
            (&[(0, a), (5, b), (8, a), (12, c)], 2),
            // The window is that of the chain's own first step.
            (&[(0, a), (5, b), (8, a), (9, b), (12, c)], 3),
        ] {
            assert_eq!(taken(3, events), expected, "{events:?}");
        }
    }

    #[test]
    fn one_event_takes_one_step_of_a_chain() {
        assert_eq!(taken(2, &[(0, 0b11)]), 1);
        assert_eq!(taken(2, &[(0, 0b11), (1, 0b11)]), 2);
    }
}
