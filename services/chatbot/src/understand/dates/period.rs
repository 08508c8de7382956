//! First and last days of the stretches of the calendar, and the nth something in them.

use chrono::{Datelike, Months, NaiveDate, TimeDelta};

use super::grammar::{Counted, Period, Unit, Which};
use super::resolve::day_before;

fn days_later(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    date.checked_add_signed(TimeDelta::try_days(days)?)
}

fn months_later(date: NaiveDate, months: i32) -> Option<NaiveDate> {
    let count = Months::new(months.unsigned_abs());
    if months < 0 {
        date.checked_sub_months(count)
    } else {
        date.checked_add_months(count)
    }
}

/// Monday of the week of `date` (ISO 8601).
pub(super) fn monday(date: NaiveDate) -> Option<NaiveDate> {
    days_later(date, -i64::from(date.weekday().num_days_from_monday()))
}

/// The first day of the period and the first day after it.
fn bounds(period: Period, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    match period {
        Period::Running { unit, offset } => running(unit, offset, today),
        Period::Weekend(offset) => {
            let saturday = days_later(monday(today)?, i64::from(offset) * 7 + 5)?;
            Some((saturday, days_later(saturday, 2)?))
        }
        Period::Month { month, year, which } => {
            let start = NaiveDate::from_ymd_opt(
                year.unwrap_or_else(|| month_year(month, which, today)),
                month,
                1,
            )?;
            Some((start, months_later(start, 1)?))
        }
        Period::Quarter { quarter, year } => {
            let start = NaiveDate::from_ymd_opt(year.unwrap_or(today.year()), quarter * 3 - 2, 1)?;
            Some((start, months_later(start, 3)?))
        }
        Period::Year(year) => Some((
            NaiveDate::from_ymd_opt(year, 1, 1)?,
            NaiveDate::from_ymd_opt(year + 1, 1, 1)?,
        )),
    }
}

fn running(unit: Unit, offset: i32, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let months = |start: NaiveDate, size: i32| {
        let start = months_later(start, offset * size)?;
        Some((start, months_later(start, size)?))
    };
    match unit {
        Unit::Week => {
            let start = days_later(monday(today)?, i64::from(offset) * 7)?;
            Some((start, days_later(start, 7)?))
        }
        Unit::Month => months(today.with_day(1)?, 1),
        Unit::Quarter => months(
            NaiveDate::from_ymd_opt(today.year(), today.month0() / 3 * 3 + 1, 1)?,
            3,
        ),
        Unit::Year => months(NaiveDate::from_ymd_opt(today.year(), 1, 1)?, 12),
        Unit::Day | Unit::Hour | Unit::Minute | Unit::Second => {
            let start = days_later(
                today,
                if unit == Unit::Day {
                    i64::from(offset)
                } else {
                    0
                },
            )?;
            Some((start, days_later(start, 1)?))
        }
    }
}

fn month_year(month: u32, which: Which, today: NaiveDate) -> i32 {
    let year = today.year();
    let passed = month < today.month();
    match which {
        Which::Coming if passed => year + 1,
        Which::Coming | Which::This => year,
        Which::Next if month > today.month() => year,
        Which::Next => year + 1,
        Which::AfterNext if month > today.month() => year + 1,
        Which::AfterNext => year + 2,
        Which::Last if passed => year,
        Which::Last => year - 1,
    }
}

/// The first day of the period.
pub(super) fn first(period: Period, today: NaiveDate) -> Option<NaiveDate> {
    bounds(period, today).map(|(start, _)| start)
}

/// The last day of the period; of a week it is the last working day, which is what a deadline means.
pub(super) fn last(period: Period, today: NaiveDate) -> Option<NaiveDate> {
    let (start, next) = bounds(period, today)?;
    match period {
        Period::Running {
            unit: Unit::Week, ..
        } => days_later(start, 4),
        _ => day_before(next),
    }
}

/// The nth day, week or weekday of the period; negative counts from its end.
pub(super) fn nth(
    nth: i32,
    counted: Counted,
    period: Period,
    today: NaiveDate,
) -> Option<NaiveDate> {
    let (start, next) = bounds(period, today)?;
    let step = if counted == Counted::Day { 1 } else { 7 };
    let nth = i64::from(nth);
    let target = match counted {
        Counted::Day => None,
        Counted::Week => Some(0),
        Counted::Weekday(weekday) => Some(i64::from(weekday.num_days_from_monday())),
    };
    let weekday_of = |date: NaiveDate| i64::from(date.weekday().num_days_from_monday());
    let found = if nth > 0 {
        let lead = target.map_or(0, |target| (target - weekday_of(start)).rem_euclid(7));
        days_later(start, lead + (nth - 1) * step)?
    } else {
        // The last week is the last one that lies in the period whole.
        let end = if counted == Counted::Week {
            days_later(next, -7)?
        } else {
            day_before(next)?
        };
        let lag = target.map_or(0, |target| (weekday_of(end) - target).rem_euclid(7));
        days_later(end, -lag + (nth + 1) * step)?
    };
    (start <= found && found < next).then_some(found)
}
