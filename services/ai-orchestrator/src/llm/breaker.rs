//! A circuit breaker: a provider that failed several times in a row is left alone for a while, then tried with one call.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Failures in a row after which calls stop.
const FAILURES: u32 = 5;
/// How long they stop at first; twice as long after each failed trial.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(160);

/// The breaker of one provider.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<Circuit>);

#[derive(Debug, Default)]
struct Circuit {
    failures: u32,
    /// While it is open: until when.
    until: Option<Instant>,
}

impl Breaker {
    /// Whether a call may be made. After the pause one call is let through, and the others wait for another one.
    pub(super) fn allows(&self) -> bool {
        self.circuit().allows(Instant::now())
    }

    /// `closed`, `open`, or `half_open` when the next call is a trial.
    pub(super) fn state(&self) -> &'static str {
        self.circuit().state(Instant::now())
    }

    /// The provider answered.
    pub(super) fn succeeded(&self) {
        *self.circuit() = Circuit::default();
    }

    /// The provider failed by its own fault.
    pub(super) fn failed(&self) {
        self.circuit().failed(Instant::now());
    }

    fn circuit(&self) -> std::sync::MutexGuard<'_, Circuit> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Circuit {
    fn allows(&mut self, now: Instant) -> bool {
        match self.until {
            None => true,
            Some(until) if until > now => false,
            Some(_) => {
                self.until = Some(now + FIRST_PAUSE);
                true
            }
        }
    }

    fn state(&self, now: Instant) -> &'static str {
        match self.until {
            None => "closed",
            Some(until) if until > now => "open",
            Some(_) => "half_open",
        }
    }

    fn failed(&mut self, now: Instant) {
        self.failures += 1;
        if let Some(trials) = self.failures.checked_sub(FAILURES) {
            let pause = FIRST_PAUSE * 2_u32.saturating_pow(trials.min(8));
            self.until = Some(now + pause.min(LONGEST_PAUSE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_open_it_and_one_trial_is_let_through_after_the_pause() {
        let (mut circuit, start) = (Circuit::default(), Instant::now());
        for _ in 0..FAILURES {
            assert!(circuit.allows(start));
            circuit.failed(start);
        }
        assert!(!circuit.allows(start));
        assert_eq!(circuit.state(start), "open");
        let later = start + FIRST_PAUSE;
        assert_eq!(circuit.state(later), "half_open");
        assert!(circuit.allows(later));
        assert!(!circuit.allows(later), "only one trial");
        circuit.failed(later);
        assert!(
            !circuit.allows(later + FIRST_PAUSE),
            "the second pause is longer"
        );
        assert!(circuit.allows(later + FIRST_PAUSE * 2));
    }
}
