//! What is counted again: quarters of an hour, and local days of some zones.

use chrono::{DateTime, Datelike, Days, DurationRound, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::query::begins;

/// From one instant until another.
type Instants = (DateTime<Utc>, DateTime<Utc>);

/// How much is read at once: the counts by quarter of an hour are held for as long.
const PIECE: TimeDelta = TimeDelta::hours(6);
/// Seconds of a quarter of an hour.
const QUARTER: i64 = 15 * 60;

/// Local days of a zone, the last one included.
#[derive(Debug, Clone, Copy)]
pub(in crate::tracking) struct ZoneDays {
    pub(super) zone: Tz,
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
}

/// What is counted again.
#[derive(Debug, Clone)]
pub(in crate::tracking) struct Span {
    /// Between which instants the quarters of an hour are counted; none when only days are.
    quarters: Option<Instants>,
    pub(super) zones: Vec<ZoneDays>,
}

/// The instants between which a local day is.
pub(in crate::tracking) fn bounds(day: NaiveDate, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    (begins(day, zone), begins(day + Days::new(1), zone))
}

/// The quarter of an hour that an instant is in, as a number.
pub(super) fn quarter_of(instant: DateTime<Utc>) -> i32 {
    i32::try_from(instant.timestamp().div_euclid(QUARTER)).unwrap_or(i32::MAX)
}

/// When a quarter of an hour begins.
pub(super) fn begin_of(quarter: i32) -> DateTime<Utc> {
    DateTime::from_timestamp(i64::from(quarter) * QUARTER, 0).unwrap_or_default()
}

impl Span {
    /// A UTC day, and the local days of these zones that overlap it.
    pub(in crate::tracking) fn of_day(day: NaiveDate, zones: &[Tz]) -> Self {
        let (from, until) = bounds(day, Tz::UTC);
        let last = until - TimeDelta::microseconds(1);
        let overlapping = |zone: &Tz| ZoneDays {
            zone: *zone,
            first: from.with_timezone(zone).date_naive(),
            last: last.with_timezone(zone).date_naive(),
        };
        Self {
            quarters: Some((from, until)),
            zones: zones.iter().map(overlapping).collect(),
        }
    }

    /// Local days of one zone.
    pub(in crate::tracking) fn of_zone(zone: Tz, first: NaiveDate, last: NaiveDate) -> Self {
        Self {
            quarters: None,
            zones: vec![ZoneDays { zone, first, last }],
        }
    }

    /// Between which instants events are read.
    pub(super) fn bounds(&self) -> Instants {
        let days = self.zones.iter().map(|days| {
            (
                bounds(days.first, days.zone).0,
                bounds(days.last, days.zone).1,
            )
        });
        days.chain(self.quarters)
            .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
            .unwrap_or_default()
    }

    /// The pieces in which events are read, and whether the quarters of each are counted. A UTC day begins with a piece.
    pub(super) fn pieces(&self) -> Vec<(Instants, bool)> {
        let (mut from, until) = self.bounds();
        let mut pieces = Vec::new();
        while from < until {
            let next = from.duration_trunc(PIECE).unwrap_or(from) + PIECE;
            let piece = (from, next.min(until));
            let counted = self
                .quarters
                .is_some_and(|(from, until)| (from..until).contains(&piece.0));
            pieces.push((piece, counted));
            from = next;
        }
        pieces
    }

    /// The local day that each quarter of an hour is in, by zone, of those that are counted.
    pub(super) fn local_days(&self) -> Vec<LocalDays> {
        let (from, until) = self.bounds();
        let day = |days: &ZoneDays, quarter| {
            let day = begin_of(quarter).with_timezone(&days.zone).date_naive();
            (days.first..=days.last)
                .contains(&day)
                .then(|| day.num_days_from_ce())
        };
        let (first, behind) = (quarter_of(from), quarter_of(until));
        let of = |days: &ZoneDays| LocalDays {
            first,
            days: (first..behind).map(|quarter| day(days, quarter)).collect(),
        };
        self.zones.iter().map(of).collect()
    }
}

/// The local day that each quarter of an hour is in.
#[derive(Debug)]
pub(super) struct LocalDays {
    first: i32,
    days: Vec<Option<i32>>,
}

impl LocalDays {
    /// The day as a number of days; none when it is not counted.
    pub(super) fn of(&self, quarter: i32) -> Option<i32> {
        let place = usize::try_from(quarter - self.first).ok()?;
        self.days.get(place).copied().flatten()
    }
}
