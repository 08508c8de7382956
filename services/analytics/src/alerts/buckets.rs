//! Which pieces of time are over, and which earlier ones are like one.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::query::{Frame, Granularity};

/// How many weeks a band looks back.
pub(super) const WEEKS: u64 = 6;

/// A piece of time and its number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bucket {
    /// As in the answer.
    pub(super) key: String,
    pub(super) value: Option<Decimal>,
    end: DateTime<Utc>,
    /// What it has in common with others: weekday and hour.
    alike: (u32, u32),
}

/// The pieces of time of an answer that are over and complete, in order.
pub(super) fn complete(
    frame: &Frame,
    granularity: Granularity,
    zone: Tz,
    now: DateTime<Utc>,
) -> Vec<Bucket> {
    let until = frame.meta.complete_until.min(now);
    let rows = frame.rows.iter().filter_map(|row| {
        let key = row.keys.first().and_then(Option::as_deref)?;
        bucket(
            key,
            row.values.first().copied().flatten(),
            granularity,
            zone,
        )
    });
    rows.filter(|bucket| bucket.end <= until).collect()
}

fn bucket(key: &str, value: Option<Decimal>, granularity: Granularity, zone: Tz) -> Option<Bucket> {
    let (end, alike) = match granularity {
        Granularity::Hour => {
            let start = DateTime::parse_from_rfc3339(key).ok()?.with_timezone(&zone);
            let alike = (start.weekday().num_days_from_monday(), start.hour());
            ((start + TimeDelta::hours(1)).with_timezone(&Utc), alike)
        }
        Granularity::Week => (
            midnight(day(key)?.checked_add_days(Days::new(7))?, zone),
            (0, 0),
        ),
        _ => {
            let day = day(key)?;
            let alike = (day.weekday().num_days_from_monday(), 0);
            (midnight(day.succ_opt()?, zone), alike)
        }
    };
    Some(Bucket {
        key: key.to_owned(),
        value,
        end,
        alike,
    })
}

fn day(key: &str) -> Option<NaiveDate> {
    key.get(..10)?.parse().ok()
}

/// When a day begins: the first instant of it that there is.
fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let quarters = (0..96).filter_map(|n| day.and_hms_opt(n / 4, n % 4 * 15, 0));
    let mut instants = quarters.filter_map(|time| zone.from_local_datetime(&time).earliest());
    let first = instants.next().map(|at| at.with_timezone(&Utc));
    first.unwrap_or_else(|| day.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc())
}

impl Bucket {
    /// The numbers of the pieces of time before it that are like it.
    pub(super) fn history(&self, all: &[Self]) -> Vec<Decimal> {
        let oldest =
            self.end - TimeDelta::weeks(i64::try_from(WEEKS).unwrap_or(6)) - TimeDelta::days(1);
        all.iter()
            .filter(|other| {
                other.alike == self.alike && other.end < self.end && other.end >= oldest
            })
            .filter_map(|other| other.value)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_over_when_the_next_one_begins_where_it_is() {
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        let end = |key: &str, zone| bucket(key, None, Granularity::Day, zone).unwrap().end;
        assert_eq!(
            end("2026-03-28", berlin),
            "2026-03-28T23:00:00Z".parse::<DateTime<Utc>>().unwrap()
        );
        assert_eq!(
            end("2026-03-29", berlin),
            "2026-03-29T22:00:00Z".parse::<DateTime<Utc>>().unwrap()
        );
        // Where a day begins at one o'clock, because midnight does not exist.
        let santiago: Tz = "America/Santiago".parse().unwrap();
        assert_eq!(
            end("2026-09-05", santiago),
            "2026-09-06T04:00:00Z".parse::<DateTime<Utc>>().unwrap()
        );
    }

    #[test]
    fn history_is_the_same_hour_of_the_weeks_before() {
        let zone: Tz = "UTC".parse().unwrap();
        let start: DateTime<Utc> = "2026-01-05T00:00:00Z".parse().unwrap();
        let hour = |n: i64| {
            let at = start + TimeDelta::hours(n);
            bucket(
                &at.to_rfc3339(),
                Some(Decimal::from(n)),
                Granularity::Hour,
                zone,
            )
            .unwrap()
        };
        let all: Vec<Bucket> = (0..168 * 8).map(hour).collect();
        let last = all.last().unwrap();
        let found = last.history(&all);
        assert_eq!(found.len(), 6);
        assert!(
            found
                .iter()
                .all(|n| (Decimal::from(168 * 8 - 1) - n) % Decimal::from(168) == Decimal::ZERO)
        );
    }
}
