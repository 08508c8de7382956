//! A circuit breaker: a sibling that keeps failing is left alone for a while.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bz_kernel::Clock;
use chrono::{DateTime, TimeDelta, Utc};

/// Failures in a row that open the circuit.
const THRESHOLD: u32 = 5;
/// How long it stays open before one call may try.
const OPEN_FOR: TimeDelta = TimeDelta::seconds(10);

/// Counts failures in a row of one sibling.
pub(super) struct Breaker {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// Set while open: when the next call may try.
    retry_at: Option<DateTime<Utc>>,
}

impl Breaker {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Whether a call may go out now. When the pause is over, one caller gets through and the others wait for what it
    /// finds.
    pub(super) fn allow(&self) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        match state.retry_at {
            None => true,
            Some(at) if now >= at => {
                state.retry_at = Some(now + OPEN_FOR);
                true
            }
            Some(_) => false,
        }
    }

    /// The sibling answered.
    pub(super) fn succeeded(&self) {
        *self.state() = State::default();
    }

    /// The sibling did not answer, or said that it cannot.
    pub(super) fn failed(&self) {
        let now = self.clock.now();
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= THRESHOLD {
            state.retry_at = Some(now + OPEN_FOR);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The longest pause before retry `n` (from 0): 50 ms, 100 ms, 200 ms ... The real pause is a random part of it, so
/// that callers who failed together do not come back together ("full jitter").
pub(super) fn longest_pause(n: u32) -> Duration {
    Duration::from_millis(50) * 2_u32.saturating_pow(n.min(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_open_it_and_one_call_tries_after_ten_seconds() {
        let (clock, hand) = Clock::fixed(DateTime::from_timestamp(0, 0).unwrap());
        let breaker = Breaker::new(clock);
        (0..4).for_each(|_| breaker.failed());
        assert!(breaker.allow());
        breaker.failed();
        assert!(!breaker.allow());
        hand.advance(TimeDelta::seconds(10));
        assert!(breaker.allow(), "one tries");
        assert!(!breaker.allow(), "the others wait");
        breaker.succeeded();
        assert!(breaker.allow() && breaker.allow());
    }

    #[test]
    fn a_success_forgets_the_failures_before_it() {
        let breaker = Breaker::new(Clock::system());
        for _ in 0..10 {
            (0..4).for_each(|_| breaker.failed());
            breaker.succeeded();
        }
        assert!(breaker.allow());
    }
}
