//! When a schedule runs.

use bz_http::Problem;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

/// What lies between two runs at least.
const LEAST: TimeDelta = TimeDelta::minutes(15);

/// The expression, when it is one of five fields.
pub(super) fn parsed(cron: &str) -> Option<Cron> {
    if cron.len() > 100 {
        return None;
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    parser.parse(cron).ok()
}

/// The time zone of a name.
pub(super) fn zone(name: &str) -> Option<Tz> {
    name.parse().ok()
}

/// The next `count` times behind an instant; fewer when the expression has no more.
pub(super) fn next(
    cron: &str,
    timezone: &str,
    after: DateTime<Utc>,
    count: usize,
) -> Vec<DateTime<Utc>> {
    let (Some(cron), Some(zone)) = (parsed(cron), zone(timezone)) else {
        return Vec::new();
    };
    let mut times = Vec::with_capacity(count);
    let mut at = after.with_timezone(&zone);
    while times.len() < count {
        match cron.find_next_occurrence(&at, false) {
            Ok(next) if next > at => {
                times.push(next.with_timezone(&Utc));
                at = next;
            }
            _ => break,
        }
    }
    times
}

/// The next time of an expression that somebody sent.
///
/// # Errors
/// 422 when it never comes, or comes too often.
pub(super) fn first(
    cron: &str,
    timezone: &str,
    after: DateTime<Utc>,
) -> Result<DateTime<Utc>, Problem> {
    let times = next(cron, timezone, after, 5);
    let Some(first) = times.first() else {
        return Err(Problem::invalid(
            "/cron",
            "never",
            "must be a time that comes",
        ));
    };
    if times.windows(2).any(|pair| pair[1] - pair[0] < LEAST) {
        return Err(Problem::invalid(
            "/cron",
            "too_often",
            "must leave 15 minutes between two runs",
        ));
    }
    Ok(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn local_times_stay_when_clocks_change() {
        let times = next("0 8 * * *", "Europe/Berlin", at("2026-03-27T12:00:00Z"), 3);
        assert_eq!(
            times,
            [
                at("2026-03-28T07:00:00Z"),
                at("2026-03-29T06:00:00Z"),
                at("2026-03-30T06:00:00Z")
            ]
        );
        let times = next("0 8 * * *", "Europe/Berlin", at("2026-10-24T00:00:00Z"), 2);
        assert_eq!(
            times,
            [at("2026-10-24T06:00:00Z"), at("2026-10-25T07:00:00Z")]
        );
    }

    #[test]
    fn a_time_that_does_not_exist_and_one_that_comes_twice_run_once_a_day() {
        for (from, days) in [("2026-03-28T12:00:00Z", 2), ("2026-10-24T12:00:00Z", 2)] {
            let times = next("30 2 * * *", "Europe/Berlin", at(from), days);
            assert_eq!(times.len(), days);
            assert!(times[1] - times[0] >= TimeDelta::hours(22), "{times:?}");
        }
    }

    #[test]
    fn zones_with_half_hours_and_ends_of_months_are_right() {
        assert_eq!(
            next("0 9 * * *", "Asia/Kolkata", at("2026-03-01T00:00:00Z"), 1),
            [at("2026-03-01T03:30:00Z")]
        );
        let ends = next("0 0 L * *", "UTC", at("2026-01-31T12:00:00Z"), 2);
        assert_eq!(
            ends,
            [at("2026-02-28T00:00:00Z"), at("2026-03-31T00:00:00Z")]
        );
    }

    #[test]
    fn what_comes_too_often_or_never_is_refused() {
        let now = at("2026-03-01T00:00:00Z");
        assert_eq!(
            first("* * * * *", "UTC", now).unwrap_err().code(),
            "validation_failed"
        );
        assert!(first("0 0 31 2 *", "UTC", now).is_err());
        assert!(first("*/15 * * * *", "UTC", now).is_ok());
        for bad in ["", "0 8 * *", "0 0 8 * * 1", "61 * * * *", "every day"] {
            assert!(parsed(bad).is_none(), "{bad}");
        }
    }
}
