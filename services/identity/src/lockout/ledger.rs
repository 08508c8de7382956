//! What is remembered of the failed logins of one address, and what follows from it. The same rules as in `ledger.lua`.

const SECOND: i64 = 1_000_000;
/// So long after the last failure, and after the wait that it brought, the failures are forgotten.
pub(super) const WINDOW: i64 = 15 * 60 * SECOND;
/// The longest wait.
pub(super) const LONGEST_WAIT: i64 = 900 * SECOND;
/// Failures that are evaluated in an hour, as a multiple of those that are free.
pub(super) const HOURLY: i64 = 20;
pub(super) const HOUR: i64 = 3600 * SECOND;
/// An attempt that has not ended after so long has failed: its client is gone, or the process.
pub(super) const LEASE: i64 = 30 * SECOND;

/// The failed logins of one address. Instants are microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    /// Failures that count towards the wait.
    failures: i64,
    /// When the last one was.
    last: i64,
    /// Failures of the hour.
    hourly: i64,
    /// When the hour began.
    hour: i64,
    /// No attempt is evaluated before.
    wait_until: i64,
    /// Attempts whose password is being compared.
    pending: i64,
    /// When they count as failed.
    lease_until: i64,
    /// When the owner was last told.
    told: i64,
}

/// Whether the password of an attempt is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// It is.
    Open,
    /// It is not: there were too many failures.
    Closed,
    /// That depends on the attempts that are under way.
    Busy,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The password was wrong.
    Failure,
    /// Nobody compared it.
    Nothing,
}

impl Ledger {
    /// Counts an attempt before its password is compared, or says why it must not be.
    pub(super) fn admit(&mut self, free: i64, now: i64) -> Entry {
        self.age(free, now);
        let most = HOURLY * free;
        if self.wait_until > now || self.hourly >= most {
            return Entry::Closed;
        }
        let undecided = self.failures + self.pending >= free || self.hourly + self.pending >= most;
        if self.pending > 0 && undecided {
            return Entry::Busy;
        }
        self.pending += 1;
        self.lease_until = now + LEASE;
        Entry::Open
    }

    /// Notes how an attempt ended that was let in; true when the owner of the address should be told.
    pub(super) fn settle(&mut self, outcome: Outcome, free: i64, now: i64) -> bool {
        self.age(free, now);
        self.pending = (self.pending - 1).max(0);
        outcome == Outcome::Failure && self.fail(1, free, now)
    }

    fn fail(&mut self, count: i64, free: i64, now: i64) -> bool {
        self.failures += count;
        self.hourly += count;
        self.last = now;
        if self.failures < free {
            return false;
        }
        let doublings = u32::try_from(self.failures - free)
            .unwrap_or(u32::MAX)
            .min(20);
        self.wait_until = now + (SECOND << doublings).min(LONGEST_WAIT);
        let tell = self.told == 0 || now - self.told >= HOUR;
        if tell {
            self.told = now;
        }
        tell
    }

    /// Forgets what is old. What lies in the future was written before the clock was set back.
    fn age(&mut self, free: i64, now: i64) {
        self.last = self.last.min(now);
        self.hour = self.hour.min(now);
        self.told = self.told.min(now);
        self.wait_until = self.wait_until.min(now + LONGEST_WAIT);
        self.lease_until = self.lease_until.min(now + LEASE);
        if self.pending > 0 && now >= self.lease_until {
            let lost = std::mem::take(&mut self.pending);
            self.fail(lost, free, now);
        }
        if now - self.last.max(self.wait_until) >= WINDOW {
            self.failures = 0;
        }
        if now - self.hour >= HOUR {
            self.hourly = 0;
            self.hour = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_000_000 * SECOND;

    fn fail(ledger: &mut Ledger, now: i64) -> bool {
        assert_eq!(ledger.admit(5, now), Entry::Open);
        ledger.settle(Outcome::Failure, 5, now)
    }

    #[test]
    fn five_failures_are_free_and_the_waits_double_up_to_a_quarter_of_an_hour() {
        let (mut ledger, mut now) = (Ledger::default(), NOW);
        for n in 1..=5 {
            assert_eq!(fail(&mut ledger, now), n == 5, "told at the fifth");
        }
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(
                ledger.admit(5, now + wait * SECOND - 1),
                Entry::Closed,
                "{wait}"
            );
            now += wait * SECOND;
            fail(&mut ledger, now);
        }
        now += 900 * SECOND + WINDOW;
        for _ in 0..5 {
            assert_eq!(ledger.admit(5, now), Entry::Open, "forgotten");
            ledger.settle(Outcome::Failure, 5, now);
        }
        assert_eq!(ledger.admit(5, now), Entry::Closed);
    }

    #[test]
    fn attempts_at_once_are_decided_one_after_the_other_where_it_matters() {
        let mut ledger = Ledger::default();
        for _ in 0..5 {
            assert_eq!(ledger.admit(5, NOW), Entry::Open);
        }
        assert_eq!(ledger.admit(5, NOW), Entry::Busy);
        ledger.settle(Outcome::Nothing, 5, NOW);
        assert_eq!(
            ledger.admit(5, NOW),
            Entry::Open,
            "nobody compared that one"
        );
        for _ in 0..5 {
            ledger.settle(Outcome::Failure, 5, NOW);
        }
        assert_eq!(ledger.admit(5, NOW), Entry::Closed);
        assert_eq!(ledger.admit(5, NOW + SECOND), Entry::Open);
        assert_eq!(
            ledger.admit(5, NOW + SECOND),
            Entry::Busy,
            "one at a time now"
        );
    }

    #[test]
    fn an_attempt_that_never_ends_has_failed() {
        let mut ledger = Ledger::default();
        for _ in 0..5 {
            ledger.admit(5, NOW);
        }
        assert_eq!(ledger.admit(5, NOW + LEASE - 1), Entry::Busy);
        assert_eq!(ledger.admit(5, NOW + LEASE), Entry::Closed);
        assert_eq!(ledger.admit(5, NOW + LEASE + SECOND), Entry::Open);
    }

    #[test]
    fn a_hundred_failures_in_an_hour_are_the_end_of_it() {
        let (mut ledger, mut now) = (Ledger::default(), NOW);
        for _ in 0..100 {
            // The owner's own success would forget these; what is left is the count of the hour.
            ledger.failures = 0;
            ledger.wait_until = 0;
            fail(&mut ledger, now);
            now += SECOND;
        }
        assert_eq!(ledger.admit(5, now), Entry::Closed);
        assert_eq!(ledger.admit(5, NOW + HOUR), Entry::Open);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_longer_than_the_longest_wait() {
        let mut ledger = Ledger::default();
        for _ in 0..5 {
            fail(&mut ledger, NOW);
        }
        assert_eq!(ledger.admit(5, NOW - HOUR), Entry::Closed);
        assert_eq!(ledger.admit(5, NOW - HOUR + LONGEST_WAIT), Entry::Open);
    }
}
