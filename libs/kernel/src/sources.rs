//! The two sources of non-determinism, time and randomness, injected so that tests are exact.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rand::{Rng as _, SeedableRng, rngs::StdRng};
use uuid::Uuid;

/// The wall clock. Instants have microseconds, as Postgres stores them, so that what was written is what is read.
#[derive(Clone)]
pub struct Clock(ClockKind);

#[derive(Clone)]
enum ClockKind {
    System,
    Fixed(FixedClock),
}

impl Clock {
    /// The clock of the machine.
    #[must_use]
    pub const fn system() -> Self {
        Self(ClockKind::System)
    }

    /// A clock that stands at `start` until the test moves it.
    #[must_use]
    pub fn fixed(start: DateTime<Utc>) -> (Self, FixedClock) {
        let hand = FixedClock(Arc::new(Mutex::new(start.trunc_subsecs(6))));
        (Self(ClockKind::Fixed(hand.clone())), hand)
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that reads the machine's clock"
            )]
            ClockKind::System => Utc::now().trunc_subsecs(6),
            ClockKind::Fixed(hand) => hand.now(),
        }
    }
}

/// The hand of a fixed clock.
#[derive(Clone)]
pub struct FixedClock(Arc<Mutex<DateTime<Utc>>>);

impl FixedClock {
    /// Moves the clock forward (or back, with a negative span).
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The source of randomness: a cryptographic generator seeded by the operating system, or by a test.
#[derive(Clone)]
pub struct Rng(Arc<Mutex<StdRng>>);

impl Rng {
    /// Seeded by the operating system.
    ///
    /// # Panics
    /// When the operating system gives no randomness; nothing can be done safely then.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "without randomness no id and no key is safe"
    )]
    pub fn system() -> Self {
        let rng = StdRng::try_from_rng(&mut rand::rngs::SysRng)
            .expect("the operating system gives randomness");
        Self(Arc::new(Mutex::new(rng)))
    }

    /// The same sequence for the same seed. For tests.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut out);
        out
    }

    /// A number from 0 (included) to 1 (excluded), for jitter.
    #[must_use]
    pub fn unit(&self) -> f64 {
        // 53 bits are what a double holds exactly.
        (u64::from_le_bytes(self.bytes()) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Time and randomness together, and the ids that are made from both.
#[derive(Clone)]
pub struct Sources {
    /// The wall clock.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
}

impl Sources {
    /// The machine's own.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Clock::system(),
            rng: Rng::system(),
        }
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A new time-ordered id (UUIDv7, RFC 9562 section 5.7).
    #[must_use]
    pub fn id<T: From<Uuid>>(&self) -> T {
        let millis = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        T::from(uuid::Builder::from_unix_timestamp_millis(millis, &self.rng.bytes()).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_seeded_source_repeat_and_carry_the_time() {
        let start = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let make = || {
            let sources = Sources {
                clock: Clock::fixed(start).0,
                rng: Rng::seeded(7),
            };
            (sources.id::<Uuid>(), sources.id::<Uuid>())
        };
        assert_eq!(make(), make());
        let (first, second) = make();
        assert_ne!(first, second);
        assert_eq!(first.get_version_num(), 7);
        assert_eq!(first.get_timestamp().unwrap().to_unix().0, 1_790_000_000);
    }

    #[test]
    fn unit_stays_in_its_range() {
        let rng = Rng::seeded(1);
        assert!((0..1000).all(|_| (0.0..1.0).contains(&rng.unit())));
    }
}
