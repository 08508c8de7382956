//! Periods in local days, resolved to the instants at which those days begin in a time zone.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// A run of whole local days, and as many before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Period {
    /// First day.
    pub(super) from: NaiveDate,
    /// Last day, included.
    pub(super) to: NaiveDate,
    /// First day of the period before.
    pub(super) previous_from: NaiveDate,
    zone: Tz,
}

impl Period {
    /// The `days` local days that end today.
    pub(super) fn ending_today(now: DateTime<Utc>, days: u16, zone: Tz) -> Self {
        let to = now.with_timezone(&zone).date_naive();
        let from = to - Days::new(u64::from(days) - 1);
        Self {
            from,
            to,
            previous_from: from - Days::new(u64::from(days)),
            zone,
        }
    }

    /// The instants at which the days of both periods begin, the period before first, and the end of the last day.
    pub(super) fn beginnings(&self) -> Vec<DateTime<Utc>> {
        let end = self.to + Days::new(1);
        days(self.previous_from, end)
            .map(|day| begins(day, self.zone))
            .collect()
    }

    /// The day that `beginnings` has at `index`.
    pub(super) fn day(&self, index: u32) -> NaiveDate {
        self.previous_from + Days::new(u64::from(index))
    }

    /// The days of the period, first to last.
    pub(super) fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        days(self.from, self.to)
    }
}

/// The days from `first` to `last`, both included.
fn days(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take_while(move |day| *day <= last)
}

/// The first instant of a local day. Where a clock change skips midnight the day begins when the skipped time ends.
pub(crate) fn begins(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..=4 * 24)
        .find_map(|quarter| {
            zone.from_local_datetime(&(midnight + TimeDelta::minutes(15 * quarter)))
                .earliest()
        })
        .map_or_else(|| midnight.and_utc(), |instant| instant.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_ends_on_the_local_day_of_now() {
        let period =
            Period::ending_today(instant("2026-03-02T20:00:00Z"), 7, chrono_tz::Asia::Kolkata);
        assert_eq!(period.to.to_string(), "2026-03-03");
        assert_eq!(period.from.to_string(), "2026-02-25");
        assert_eq!(period.previous_from.to_string(), "2026-02-18");
        assert_eq!(period.days().count(), 7);
        let beginnings = period.beginnings();
        assert_eq!(beginnings.len(), 2 * 7 + 1);
        assert_eq!(beginnings[0], instant("2026-02-17T18:30:00Z"));
        assert_eq!(beginnings[14], instant("2026-03-03T18:30:00Z"));
        assert_eq!(
            (period.day(0), period.day(13)),
            (period.previous_from, period.to)
        );
    }

    #[test]
    fn a_day_with_a_clock_change_has_its_own_length() {
        let zone = chrono_tz::Europe::Berlin;
        let hours = |day: &str| {
            let day: NaiveDate = day.parse().unwrap();
            (begins(day + Days::new(1), zone) - begins(day, zone)).num_hours()
        };
        assert_eq!(
            (
                hours("2026-03-29"),
                hours("2026-10-25"),
                hours("2026-03-02")
            ),
            (23, 25, 24)
        );
    }

    #[test]
    fn a_day_without_midnight_begins_when_the_skipped_time_ends() {
        // Chile goes from 24:00 to 01:00 on the first Saturday of September.
        let day: NaiveDate = "2026-09-06".parse().unwrap();
        assert_eq!(
            begins(day, chrono_tz::America::Santiago),
            instant("2026-09-06T04:00:00Z")
        );
    }
}
