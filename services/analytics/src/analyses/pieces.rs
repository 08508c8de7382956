//! Days, weeks, months, quarters and years of a time zone, one after another, and the instants at which they begin.

use bz_http::Problem;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::{
    query::begins,
    query::{Granularity, Preset, Range},
};

/// The most pieces that one answer has.
const MOST: usize = 400;

/// A run of whole pieces of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pieces {
    /// The first day of each.
    pub(super) days: Vec<NaiveDate>,
    /// How long each is.
    pub(super) granularity: Granularity,
    /// Whose days.
    pub(super) zone: Tz,
}

impl Pieces {
    /// The pieces that have a day of the range.
    ///
    /// # Errors
    /// 422 for an hour, which is no piece here, and for more pieces than an answer has.
    pub(super) fn over(
        (from, to): (NaiveDate, NaiveDate),
        granularity: Granularity,
        zone: Tz,
    ) -> Result<Self, Problem> {
        let mut days = Vec::new();
        let mut day = begin_of(from, granularity);
        while day <= to {
            if days.len() == MOST {
                let wanted = format!(
                    "must have at most {MOST} periods; ask for fewer days or longer periods"
                );
                return Err(Problem::invalid("/range", "too_long", wanted));
            }
            days.push(day);
            day = after(day, granularity, 1);
        }
        Ok(Self {
            days,
            granularity,
            zone,
        })
    }

    /// The instants at which the pieces begin, and those of `more` pieces behind them; the last is where the last ends.
    pub(super) fn beginnings(&self, more: usize) -> Vec<DateTime<Utc>> {
        let first = self.days.first().copied().unwrap_or_default();
        (0..=self.days.len() + more)
            .map(|n| begins(after(first, self.granularity, n), self.zone))
            .collect()
    }
}

/// The first day of the piece that a day is in.
fn begin_of(day: NaiveDate, granularity: Granularity) -> NaiveDate {
    let month = |month: u32| {
        day.with_day(1)
            .and_then(|day| day.with_month(month))
            .unwrap_or(day)
    };
    match granularity {
        Granularity::Hour | Granularity::Day => day,
        Granularity::Week => day - Days::new(day.weekday().num_days_from_monday().into()),
        Granularity::Month => month(day.month()),
        Granularity::Quarter => month((day.month() - 1) / 3 * 3 + 1),
        Granularity::Year => month(1),
    }
}

/// The first day of the `count`th piece after the one that begins on a day.
fn after(day: NaiveDate, granularity: Granularity, count: usize) -> NaiveDate {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    match granularity {
        Granularity::Hour | Granularity::Day => day + Days::new(count.into()),
        Granularity::Week => day + Days::new(7 * u64::from(count)),
        Granularity::Month => day + Months::new(count),
        Granularity::Quarter => day + Months::new(3 * count),
        Granularity::Year => day + Months::new(12 * count),
    }
}

/// The zone of a name; `UTC` when there is none.
pub(super) fn zone(name: Option<&str>) -> Result<Tz, Problem> {
    let unknown = |_| {
        let wanted = "must be an IANA name such as Europe/Berlin";
        Problem::invalid("/timezone", "unknown_time_zone", wanted)
    };
    name.map_or(Ok(Tz::UTC), |name| name.parse().map_err(unknown))
}

/// The first and the last day of a range.
pub(super) fn days_of(
    range: Range,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<(NaiveDate, NaiveDate), Problem> {
    let today = now.with_timezone(&zone).date_naive();
    let last = |days: u64| (today - Days::new(days), today - Days::new(1));
    let this = |granularity| (begin_of(today, granularity), today);
    let before = |granularity| {
        let end = begin_of(today, granularity) - Days::new(1);
        (begin_of(end, granularity), end)
    };
    Ok(match range {
        Range::Days { from, to } if from > to => {
            return Err(Problem::invalid(
                "/range",
                "invalid_range",
                "from must not be after to",
            ));
        }
        Range::Days { from, to } => (from, to),
        Range::Preset { preset } => match preset {
            Preset::Today => (today, today),
            Preset::Yesterday => last(1),
            Preset::Last7Days => last(7),
            Preset::Last14Days => last(14),
            Preset::Last28Days => last(28),
            Preset::Last30Days => last(30),
            Preset::Last90Days => last(90),
            Preset::Last365Days => last(365),
            Preset::ThisWeek => this(Granularity::Week),
            Preset::LastWeek => before(Granularity::Week),
            Preset::ThisMonth => this(Granularity::Month),
            Preset::LastMonth => before(Granularity::Month),
            Preset::ThisQuarter => this(Granularity::Quarter),
            Preset::LastQuarter => before(Granularity::Quarter),
            Preset::ThisYear => this(Granularity::Year),
            Preset::LastYear => before(Granularity::Year),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn pieces_are_whole_and_end_where_the_next_begins() {
        let pieces = |granularity| {
            Pieces::over(
                (day("2026-02-11"), day("2026-04-02")),
                granularity,
                Tz::Asia__Kolkata,
            )
            .unwrap()
        };
        let months = pieces(Granularity::Month);
        assert_eq!(
            months.days,
            ["2026-02-01", "2026-03-01", "2026-04-01"].map(day)
        );
        let beginnings = months.beginnings(1);
        assert_eq!(beginnings.len(), 5);
        assert_eq!(beginnings[0].to_rfc3339(), "2026-01-31T18:30:00+00:00");
        assert_eq!(beginnings[4].to_rfc3339(), "2026-05-31T18:30:00+00:00");
        assert_eq!(pieces(Granularity::Week).days[0], day("2026-02-09"));
        assert_eq!(
            pieces(Granularity::Quarter).days,
            ["2026-01-01", "2026-04-01"].map(day)
        );
        assert_eq!(pieces(Granularity::Year).days, [day("2026-01-01")]);
        assert!(
            Pieces::over(
                (day("2020-01-01"), day("2026-01-01")),
                Granularity::Day,
                Tz::UTC
            )
            .is_err()
        );
    }

    #[test]
    fn presets_end_yesterday_or_today_where_the_tenant_is() {
        // 20:00 UTC is the next day in India.
        let now = "2026-03-02T20:00:00Z".parse().unwrap();
        let of = |preset| days_of(Range::Preset { preset }, now, Tz::Asia__Kolkata).unwrap();
        assert_eq!(of(Preset::Today), (day("2026-03-03"), day("2026-03-03")));
        assert_eq!(
            of(Preset::Last7Days),
            (day("2026-02-24"), day("2026-03-02"))
        );
        assert_eq!(of(Preset::ThisWeek), (day("2026-03-02"), day("2026-03-03")));
        assert_eq!(
            of(Preset::LastMonth),
            (day("2026-02-01"), day("2026-02-28"))
        );
        assert_eq!(of(Preset::LastYear), (day("2025-01-01"), day("2025-12-31")));
    }
}
