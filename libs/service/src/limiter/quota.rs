//! One bucket: the generic cell rate algorithm, as `take.lua` has it.

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// What a bucket holds and how it fills. The same arithmetic as in `take.lua`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Microseconds in which one comes back.
    pub(super) interval: i64,
    /// How many there are when nothing was taken.
    pub(super) burst: i64,
}

impl Quota {
    /// So many a minute, all at once if need be.
    #[must_use]
    pub fn a_minute(count: u32) -> Self {
        Self::of(count, MINUTE)
    }

    /// So many a minute, a third of them at once.
    #[must_use]
    pub fn a_minute_in_thirds(count: u32) -> Self {
        let all = Self::of(count, MINUTE);
        Self {
            burst: (all.burst / 3).max(1),
            ..all
        }
    }

    /// So many an hour, all at once if need be.
    #[must_use]
    pub fn an_hour(count: u32) -> Self {
        Self::of(count, HOUR)
    }

    fn of(count: u32, period: i64) -> Self {
        let count = i64::from(count.max(1));
        Self {
            interval: period / count,
            burst: count,
        }
    }

    /// Half of it.
    #[must_use]
    pub const fn halved(self) -> Self {
        Self {
            interval: self.interval * 2,
            burst: if self.burst < 2 { 1 } else { self.burst / 2 },
        }
    }

    /// Takes one from a bucket that will be full at `full_at`: when it is full from now on, or how long to wait.
    ///
    /// # Errors
    /// The microseconds to wait.
    pub fn take(self, full_at: Option<i64>, now: i64) -> Result<i64, i64> {
        // What lies further ahead than the clocks of replicas may differ was written before the clock was set back.
        let latest = now + 2 * self.interval * self.burst;
        let full_at = full_at
            .filter(|at| (now..=latest).contains(at))
            .unwrap_or(now);
        let wait = full_at - now - self.interval * (self.burst - 1);
        if wait > 0 {
            Err(wait)
        } else {
            Ok(full_at + self.interval)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let quota = Quota::a_minute_in_thirds(30);
        let (mut full_at, mut now) = (None, 1_000 * HOUR);
        for _ in 0..10 {
            full_at = Some(quota.take(full_at, now).unwrap());
        }
        assert_eq!(quota.take(full_at, now), Err(2 * SECOND));
        now += 2 * SECOND;
        full_at = Some(quota.take(full_at, now).unwrap());
        assert_eq!(quota.take(full_at, now), Err(2 * SECOND));
        now += HOUR;
        assert_eq!(quota.take(full_at, now), Ok(now + 2 * SECOND));
    }

    #[test]
    fn a_clock_that_is_set_back_shuts_nobody_out_and_a_slow_one_gives_nothing_extra() {
        let (quota, now) = (Quota::a_minute(10), 1_000 * HOUR);
        let empty = now + 60 * SECOND;
        assert_eq!(quota.take(Some(empty), now), Err(6 * SECOND));
        assert_eq!(quota.take(Some(empty), now - SECOND), Err(7 * SECOND));
        assert_eq!(
            quota.take(Some(empty), now - HOUR),
            Ok(now - HOUR + 6 * SECOND)
        );
    }

    #[test]
    fn half_of_little_is_one() {
        assert_eq!(Quota::an_hour(1).halved().burst, 1);
        assert_eq!(Quota::an_hour(10).halved().burst, 5);
        assert_eq!(Quota::an_hour(5).halved().burst, 2);
    }
}
