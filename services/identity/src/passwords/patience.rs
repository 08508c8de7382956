//! Whether hashes may run on what nobody else wants.
//!
//! On threads of `SCHED_IDLE` they are in no request's way, and there is nearly always something that nobody else wants. Where
//! everything is wanted for a while, a hash on such a thread takes seconds: then they run on threads that get a tenth of a
//! request's share, until a short piece of work shows that there is something left again.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A hash that takes longer waits for a core: it takes a tenth of this on one of its own.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);
/// How long hashes then run on the other threads before something is tried.
const FIRM_FOR: Duration = Duration::from_secs(5);
/// Below a tenth of a core there is more to have on the other threads.
const LEAST_SHARE: f64 = 0.1;
/// How much a trial works.
const TRIAL: Duration = Duration::from_millis(1);

/// Which threads the next hash runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Those of what nobody else wants.
    Idle,
    /// The others.
    Low,
    /// The others, and somebody has to try the first.
    Probe,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Patient,
    Firm {
        until: Instant,
    },
    Probing,
}

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Patience(Mutex<State>);

impl Patience {
    pub(super) fn ask(&self) -> Turn {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::Patient => Turn::Idle,
            State::Firm { until } if Instant::now() >= until => {
                *state = State::Probing;
                Turn::Probe
            }
            State::Firm { .. } | State::Probing => Turn::Low,
        }
    }

    /// There is nothing left.
    pub(super) fn lose(&self) {
        let until = Instant::now() + FIRM_FOR;
        self.set(State::Firm { until });
    }

    /// Does work on the calling thread, and sees how much of a core it got.
    pub(super) fn watch<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = Shares::of_thread();
        let out = work();
        if !before.is_enough_since() {
            self.lose();
        }
        out
    }

    /// Works a moment on the calling thread, and decides.
    pub(super) fn probe(&self) {
        let before = Shares::of_thread();
        let wanted = before.ran + u64::try_from(TRIAL.as_nanos()).unwrap_or(u64::MAX);
        while before.known && Shares::of_thread().ran < wanted {
            std::hint::spin_loop();
        }
        if before.is_enough_since() {
            self.set(State::Patient);
        } else {
            self.lose();
        }
    }

    fn set(&self, state: State) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// How long a thread ran, and how long it waited for a core although it could have run, in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Shares {
    ran: u64,
    waited: u64,
    known: bool,
}

impl Shares {
    /// Those of the calling thread since it started (proc_schedstat(5)); nothing is known where the system does not tell.
    fn of_thread() -> Self {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let mut numbers = text.split_ascii_whitespace().map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(ran)), Some(Ok(waited))) => Self {
                ran,
                waited,
                known: true,
            },
            _ => Self::default(),
        }
    }

    /// Whether the calling thread, whose shares these were, got enough of a core since.
    fn is_enough_since(self) -> bool {
        let now = Self::of_thread();
        let (ran, waited) = (now.ran - self.ran, now.waited - self.waited);
        self.known && ran as f64 >= LEAST_SHARE * (ran + waited) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_loss_hashes_run_on_the_other_threads_until_a_trial_goes_well() {
        let patience = Patience::default();
        assert_eq!(patience.ask(), Turn::Idle);
        patience.lose();
        assert_eq!(patience.ask(), Turn::Low);
        patience.set(State::Firm {
            until: Instant::now(),
        });
        assert_eq!(patience.ask(), Turn::Probe);
        assert_eq!(patience.ask(), Turn::Low, "one tries");
        patience.probe();
        // This thread got enough, or the machine is very busy.
        assert_ne!(patience.ask(), Turn::Probe);
    }

    #[test]
    fn what_a_thread_ran_and_waited_is_known_on_linux() {
        let before = Shares::of_thread();
        std::hint::black_box((0..3_000_000_u64).map(std::hint::black_box).sum::<u64>());
        let after = Shares::of_thread();
        if cfg!(target_os = "linux") {
            assert!(
                before.known && after.ran > before.ran,
                "{before:?} {after:?}"
            );
        }
    }
}
