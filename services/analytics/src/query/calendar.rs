//! Local days and hours as instants, and the periods that presets and comparisons mean.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::{Align, Compare, Granularity, Preset, Range};

/// Days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: NaiveDate,
    pub(super) to: NaiveDate,
}

/// The first instant of a local day. Where a clock change skips midnight the day begins when the skipped time ends.
pub(crate) fn begins(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    instant_of(day, NaiveTime::MIN, zone)
}

/// The instant at which a local clock shows a time: the first, when it does so twice; the end of the skipped time, when it
/// never does.
pub(super) fn instant_of(day: NaiveDate, time: NaiveTime, zone: Tz) -> DateTime<Utc> {
    let local = day.and_time(time);
    (0..=4 * 24)
        .find_map(|quarter| {
            zone.from_local_datetime(&(local + TimeDelta::minutes(15 * quarter)))
                .earliest()
        })
        .map_or_else(|| local.and_utc(), |instant| instant.to_utc())
}

impl Span {
    /// How many days.
    pub(super) fn days(self) -> i64 {
        (self.to - self.from).num_days() + 1
    }

    /// The days that a range means on the local day `today`.
    pub(super) fn of(range: Range, today: NaiveDate) -> Self {
        match range {
            Range::Days { from, to } => Self { from, to },
            Range::Preset { preset } => Self::of_preset(preset, today),
        }
    }

    fn of_preset(preset: Preset, today: NaiveDate) -> Self {
        let last = |days| Self {
            from: back(today, days),
            to: back(today, 1),
        };
        let this = |unit| Self {
            from: begin_of(unit, today),
            to: today,
        };
        let whole = |unit| {
            let to = back(begin_of(unit, today), 1);
            Self {
                from: begin_of(unit, to),
                to,
            }
        };
        match preset {
            Preset::Today => this(Granularity::Day),
            Preset::Yesterday => last(1),
            Preset::Last7Days => last(7),
            Preset::Last14Days => last(14),
            Preset::Last28Days => last(28),
            Preset::Last30Days => last(30),
            Preset::Last90Days => last(90),
            Preset::Last365Days => last(365),
            Preset::ThisWeek => this(Granularity::Week),
            Preset::LastWeek => whole(Granularity::Week),
            Preset::ThisMonth => this(Granularity::Month),
            Preset::LastMonth => whole(Granularity::Month),
            Preset::ThisQuarter => this(Granularity::Quarter),
            Preset::LastQuarter => whole(Granularity::Quarter),
            Preset::ThisYear => this(Granularity::Year),
            Preset::LastYear => whole(Granularity::Year),
        }
    }

    /// The days that are compared with these.
    pub(super) fn compared(self, range: Range, compare: Compare, align: Align) -> Option<Self> {
        match (compare, align) {
            (Compare::None, _) => None,
            (Compare::PreviousPeriod, Align::Weekday) => Some(self.moved(-weeks_over(self.days()))),
            (Compare::PreviousYear, Align::Weekday) => Some(self.moved(-52 * 7)),
            (Compare::PreviousPeriod, Align::Date) => Some(self.before(range)),
            (Compare::PreviousYear, Align::Date) => Some(self.months_before(12)),
            (Compare::Custom { from, to }, Align::Date) => Some(Self { from, to }),
            (Compare::Custom { from, to }, Align::Weekday) => {
                let days = |day: NaiveDate| i64::from(day.weekday().num_days_from_monday());
                let ahead = (days(self.from) - days(from)).rem_euclid(7);
                let nearest = if ahead > 3 { ahead - 7 } else { ahead };
                Some(Self { from, to }.moved(nearest))
            }
        }
    }

    /// As many days before; whole months with whole months; a period that runs with the same part of the one before.
    fn before(self, range: Range) -> Self {
        let unit = match range {
            Range::Preset { preset } => running(preset),
            Range::Days { .. } => None,
        };
        if let Some(unit) = unit {
            let last = back(self.from, 1);
            let from = begin_of(unit, last);
            let to = from.checked_add_days(Days::new((self.days() - 1).unsigned_abs()));
            return Self {
                from,
                to: to.map_or(last, |to| to.min(last)),
            };
        }
        if self.is_whole_months() {
            let months = (self.to.year() - self.from.year()) * 12 + self.to.month0() as i32
                - self.from.month0() as i32
                + 1;
            return self.months_before(months.unsigned_abs());
        }
        self.moved(-self.days())
    }

    /// The same dates some months before; the end of a month stays the end of a month when whole months are meant.
    fn months_before(self, months: u32) -> Self {
        let earlier = |day: NaiveDate| day.checked_sub_months(Months::new(months)).unwrap_or(day);
        let to = if self.is_whole_months() {
            // The first of the next month, moved, less a day.
            forth(self.to, 1)
                .checked_sub_months(Months::new(months))
                .map_or(self.to, |first| back(first, 1))
        } else {
            earlier(self.to)
        };
        Self {
            from: earlier(self.from),
            to,
        }
    }

    fn is_whole_months(self) -> bool {
        self.from.day() == 1 && forth(self.to, 1).day() == 1
    }

    fn moved(self, days: i64) -> Self {
        let moved = |day: NaiveDate| day.checked_add_signed(TimeDelta::days(days)).unwrap_or(day);
        Self {
            from: moved(self.from),
            to: moved(self.to),
        }
    }
}

/// The unit whose running piece a preset is, where it is more than a day.
fn running(preset: Preset) -> Option<Granularity> {
    match preset {
        Preset::ThisWeek => Some(Granularity::Week),
        Preset::ThisMonth => Some(Granularity::Month),
        Preset::ThisQuarter => Some(Granularity::Quarter),
        Preset::ThisYear => Some(Granularity::Year),
        _ => None,
    }
}

fn weeks_over(days: i64) -> i64 {
    (days + 6) / 7 * 7
}

/// The first day of the piece of time in which a day lies.
pub(super) fn begin_of(unit: Granularity, day: NaiveDate) -> NaiveDate {
    let first_of = |month: u32| NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day);
    match unit {
        Granularity::Hour | Granularity::Day => day,
        Granularity::Week => back(day, u64::from(day.weekday().num_days_from_monday())),
        Granularity::Month => first_of(day.month()),
        Granularity::Quarter => first_of(day.month0() / 3 * 3 + 1),
        Granularity::Year => first_of(1),
    }
}

pub(super) fn back(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(day)
}

pub(super) fn forth(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn span(from: &str, to: &str) -> Span {
        Span {
            from: day(from),
            to: day(to),
        }
    }

    #[test]
    fn presets_are_whole_days_up_to_today_or_yesterday() {
        // A Thursday.
        let today = day("2026-05-14");
        for (preset, from, to) in [
            (Preset::Today, "2026-05-14", "2026-05-14"),
            (Preset::Yesterday, "2026-05-13", "2026-05-13"),
            (Preset::Last7Days, "2026-05-07", "2026-05-13"),
            (Preset::Last30Days, "2026-04-14", "2026-05-13"),
            (Preset::ThisWeek, "2026-05-11", "2026-05-14"),
            (Preset::LastWeek, "2026-05-04", "2026-05-10"),
            (Preset::ThisMonth, "2026-05-01", "2026-05-14"),
            (Preset::LastMonth, "2026-04-01", "2026-04-30"),
            (Preset::ThisQuarter, "2026-04-01", "2026-05-14"),
            (Preset::LastQuarter, "2026-01-01", "2026-03-31"),
            (Preset::ThisYear, "2026-01-01", "2026-05-14"),
            (Preset::LastYear, "2025-01-01", "2025-12-31"),
        ] {
            let told = Span::of(Range::Preset { preset }, today);
            assert_eq!(told, span(from, to), "{preset:?}");
        }
    }

    #[test]
    fn what_is_compared_has_as_many_days_or_whole_months() {
        use Align::{Date, Weekday};
        use Compare::{PreviousPeriod, PreviousYear};
        for (from, to, compare, align, before_from, before_to) in [
            (
                "2026-03-02",
                "2026-03-08",
                PreviousPeriod,
                Date,
                "2026-02-23",
                "2026-03-01",
            ),
            (
                "2026-03-01",
                "2026-03-31",
                PreviousPeriod,
                Date,
                "2026-02-01",
                "2026-02-28",
            ),
            (
                "2026-01-01",
                "2026-03-31",
                PreviousPeriod,
                Date,
                "2025-10-01",
                "2025-12-31",
            ),
            (
                "2026-01-01",
                "2026-12-31",
                PreviousPeriod,
                Date,
                "2025-01-01",
                "2025-12-31",
            ),
            (
                "2026-03-02",
                "2026-03-31",
                PreviousPeriod,
                Date,
                "2026-01-31",
                "2026-03-01",
            ),
            (
                "2026-03-02",
                "2026-03-31",
                PreviousPeriod,
                Weekday,
                "2026-01-26",
                "2026-02-24",
            ),
            (
                "2028-02-29",
                "2028-02-29",
                PreviousYear,
                Date,
                "2027-02-28",
                "2027-02-28",
            ),
            (
                "2029-02-01",
                "2029-02-28",
                PreviousYear,
                Date,
                "2028-02-01",
                "2028-02-29",
            ),
            (
                "2026-03-02",
                "2026-03-31",
                PreviousYear,
                Date,
                "2025-03-02",
                "2025-03-31",
            ),
            (
                "2026-03-02",
                "2026-03-31",
                PreviousYear,
                Weekday,
                "2025-03-03",
                "2025-04-01",
            ),
        ] {
            let range = Range::Days {
                from: day(from),
                to: day(to),
            };
            let told = span(from, to).compared(range, compare, align);
            assert_eq!(
                told,
                Some(span(before_from, before_to)),
                "{from}..{to} {compare:?} {align:?}"
            );
        }
        let own = Compare::Custom {
            from: day("2026-01-01"),
            to: day("2026-01-07"),
        };
        let range = Range::Days {
            from: day("2026-03-02"),
            to: day("2026-03-08"),
        };
        let told = span("2026-03-02", "2026-03-08").compared(range, own, Weekday);
        assert_eq!(told, Some(span("2025-12-29", "2026-01-04")));
    }

    #[test]
    fn a_month_that_runs_is_compared_with_the_same_days_of_the_one_before() {
        let range = Range::Preset {
            preset: Preset::ThisMonth,
        };
        for (today, before) in [
            ("2026-05-14", span("2026-04-01", "2026-04-14")),
            // April has no 31st.
            ("2026-05-31", span("2026-04-01", "2026-04-30")),
        ] {
            let this = Span::of(range, day(today));
            let told = this.compared(range, Compare::PreviousPeriod, Align::Date);
            assert_eq!(told, Some(before), "{today}");
        }
    }
}
