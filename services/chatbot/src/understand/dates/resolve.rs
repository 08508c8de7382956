//! What a phrase means at a given local time: expressions to a day, and a time of the day when one was said.

use chrono::{
    Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday,
};

use super::Moment;
use super::grammar::{Anchor, Clock, Day, Half, Part, Phrase, Shift, Unit, Which};
use super::holidays::Holiday;
use super::period;

/// The moment a phrase means, `None` when there is none (31 June) or too many.
pub(super) fn resolve(phrase: &Phrase, now: NaiveDateTime) -> Option<Moment> {
    let moment = local(phrase, now)?;
    // "this morning at 3" said later means nothing that can still be done.
    let this_part = phrase.day == Some(Day::Offset(0)) && phrase.part.is_some();
    if this_part && phrase.clock.is_some() && moment.at < now {
        return None;
    }
    Some(Moment {
        offset: phrase.offset,
        ..moment
    })
}

fn local(phrase: &Phrase, now: NaiveDateTime) -> Option<Moment> {
    if phrase.now {
        return Some(Moment {
            at: now,
            has_clock: true,
            has_day: true,
            offset: None,
        });
    }
    if let Some(shift) = phrase.shift {
        return shifted(shift, phrase.clock, phrase.part, now);
    }
    match (&phrase.day, phrase.clock) {
        (Some(written), Some(clock)) => {
            let on = day(written, now.date())?;
            on_day(clock, phrase.part, on, now).map(|at| Moment {
                at,
                has_clock: true,
                has_day: true,
                offset: None,
            })
        }
        (Some(written), None) => Some(date_only(day(written, now.date())?)),
        (None, Some(clock)) => next_clock(clock, phrase.part, now).map(|at| Moment {
            at,
            has_clock: true,
            has_day: false,
            offset: None,
        }),
        (None, None) => phrase
            .part
            .and_then(|part| next_part(part, now))
            .map(date_only),
    }
}

fn date_only(date: NaiveDate) -> Moment {
    Moment {
        at: date.and_time(NaiveTime::MIN),
        has_clock: false,
        has_day: true,
        offset: None,
    }
}

fn days_later(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    date.checked_add_signed(TimeDelta::try_days(days)?)
}

/// Moves by months; the 31st becomes the last day of a shorter month.
fn months_later(date: NaiveDate, months: i64) -> Option<NaiveDate> {
    let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 {
        date.checked_sub_months(count)
    } else {
        date.checked_add_months(count)
    }
}

fn shifted(
    shift: Shift,
    clock: Option<Clock>,
    part: Option<Part>,
    now: NaiveDateTime,
) -> Option<Moment> {
    let quarters = shift.quarters;
    let exact = |seconds: i64| {
        Some(Moment {
            at: now.checked_add_signed(TimeDelta::try_seconds(seconds)?)?,
            has_clock: true,
            has_day: true,
            offset: None,
        })
    };
    match shift.unit {
        Unit::Second if quarters % 4 == 0 => return exact(quarters / 4),
        Unit::Second => return None,
        Unit::Minute => return exact(quarters * 15),
        Unit::Hour => return exact(quarters * 900),
        Unit::Day if quarters % 4 != 0 || shift.anchor == Anchor::RightNow => {
            return exact(quarters * 21_600);
        }
        Unit::Day | Unit::Week | Unit::Month | Unit::Quarter | Unit::Year => {}
    }
    // Nobody says to the hour, or to the day, what is years away or was years ago.
    if shift.unit == Unit::Year && (clock.is_some() || quarters < 0) {
        return None;
    }
    let date = moved(now.date(), quarters, shift.unit)?;
    if let Some(clock) = clock {
        return on_day(clock, part, date, now).map(|at| Moment {
            at,
            has_clock: true,
            has_day: true,
            offset: None,
        });
    }
    if shift.unit == Unit::Day && shift.anchor == Anchor::Now {
        // A count of days keeps the running hour in mind, but nobody named a time.
        let at = date.and_hms_opt(now.hour(), 0, 0)?;
        return Some(Moment {
            at,
            has_clock: false,
            has_day: true,
            offset: None,
        });
    }
    Some(date_only(date))
}

/// A date moved by quarters of a unit of at least a day.
fn moved(date: NaiveDate, quarters: i64, unit: Unit) -> Option<NaiveDate> {
    match unit {
        Unit::Year => months_later(date, quarters * 3),
        _ if quarters % 4 != 0 => None,
        Unit::Day => days_later(date, quarters / 4),
        Unit::Week => days_later(date, quarters / 4 * 7),
        Unit::Month => months_later(date, quarters / 4),
        Unit::Quarter => months_later(date, quarters / 4 * 3),
        Unit::Second | Unit::Minute | Unit::Hour => None,
    }
}

/// The hours of the day a clock time can mean, the likeliest first.
fn hours(clock: Clock, part: Option<Part>) -> Vec<u32> {
    let hour = clock.hour;
    match (clock.half, part) {
        (Half::Am, _) | (Half::Unsaid, Some(Part::Morning)) => vec![hour % 12],
        (Half::Unsaid, Some(Part::Evening)) if hour == 12 => vec![24],
        (Half::Pm, _) | (Half::Unsaid, Some(Part::Afternoon | Part::Evening)) => {
            vec![hour % 12 + 12]
        }
        (Half::Whole, _) => vec![hour],
        // People who say "at 3" mean the waking half of the day.
        (Half::Unsaid, None) if (1..=6).contains(&hour) => vec![hour + 12, hour],
        (Half::Unsaid, None) if hour == 12 => vec![12],
        (Half::Unsaid, None) => vec![hour, hour + 12],
    }
}

fn at(date: NaiveDate, hour: u32, clock: Clock) -> Option<NaiveDateTime> {
    if hour == 24 {
        return date.succ_opt()?.and_hms_opt(0, clock.minute, clock.second);
    }
    date.and_hms_opt(hour, clock.minute, clock.second)
}

fn on_day(
    clock: Clock,
    part: Option<Part>,
    date: NaiveDate,
    now: NaiveDateTime,
) -> Option<NaiveDateTime> {
    let candidates: Vec<NaiveDateTime> = hours(clock, part)
        .into_iter()
        .filter_map(|hour| at(date, hour, clock))
        .collect();
    // Today's "at 9" said at noon is tonight.
    candidates
        .iter()
        .find(|candidate| date != now.date() || **candidate > now)
        .or(candidates.first())
        .copied()
}

/// The next time the clock shows that.
fn next_clock(clock: Clock, part: Option<Part>, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let today = now.date();
    let candidates = [today, today.succ_opt()?];
    let all = candidates.iter().flat_map(|date| {
        hours(clock, part)
            .into_iter()
            .filter_map(|hour| at(*date, hour, clock))
    });
    all.filter(|candidate| *candidate > now).min()
}

fn next_part(part: Part, now: NaiveDateTime) -> Option<NaiveDate> {
    let over = match part {
        Part::Morning => 12,
        Part::Afternoon => 19,
        Part::Evening => 24,
    };
    if now.hour() < over {
        Some(now.date())
    } else {
        now.date().succ_opt()
    }
}

/// The day that was written, seen from `today`.
fn day(written: &Day, today: NaiveDate) -> Option<NaiveDate> {
    match written {
        Day::Offset(days) => days_later(today, *days),
        Day::Weekday { weekday, which } => weekday_day(*weekday, *which, today),
        Day::WeekdayOfWeek { weekday, offset } => days_later(
            period::monday(today)?,
            i64::from(*offset) * 7 + i64::from(weekday.num_days_from_monday()),
        ),
        Day::WeekdayAhead { weekday, count } => weekday_ahead(*weekday, *count, today),
        Day::OfMonth {
            day,
            weekday,
            months,
        } => of_month(*day, *weekday, *months, today),
        Day::Calendar {
            month,
            day,
            year: Some(year),
            ..
        } => NaiveDate::from_ymd_opt(*year, *month, *day),
        Day::Calendar {
            month,
            day,
            year: None,
            weekday,
        } => in_nearest_year(*month, *day, *weekday, today),
        Day::Start(period) => period::first(*period, today),
        Day::End(period) => period::last(*period, today),
        Day::Nth {
            nth,
            counted,
            period,
        } => period::nth(*nth, *counted, *period, today),
        Day::Holiday {
            holiday,
            year: Some(year),
            ..
        } => holiday.day_in(*year),
        Day::Holiday {
            holiday,
            year: None,
            which,
        } => holiday_day(*holiday, *which, today),
        Day::Moved { count, unit, from } => moved(day(from, today)?, i64::from(*count) * 4, *unit),
    }
}

/// Days from today to the next such weekday, never 0: "tuesday" said on a Tuesday is next week's.
fn days_ahead(weekday: Weekday, today: NaiveDate) -> i64 {
    i64::from((weekday.num_days_from_monday() + 6 - today.weekday().num_days_from_monday()) % 7) + 1
}

fn weekday_day(weekday: Weekday, which: Which, today: NaiveDate) -> Option<NaiveDate> {
    let ahead = days_ahead(weekday, today);
    match which {
        Which::Coming | Which::This => days_later(today, ahead),
        Which::Next => days_later(
            period::monday(today)?,
            7 + i64::from(weekday.num_days_from_monday()),
        ),
        Which::AfterNext => days_later(today, ahead + 7),
        Which::Last => days_later(today, if ahead == 7 { -7 } else { ahead - 7 }),
    }
}

fn weekday_ahead(weekday: Weekday, count: i32, today: NaiveDate) -> Option<NaiveDate> {
    let ahead = days_ahead(weekday, today);
    let count = i64::from(count);
    if count > 0 {
        return days_later(today, ahead + (count - 1) * 7);
    }
    let back = if ahead == 7 { 7 } else { 7 - ahead };
    days_later(today, -back + (count + 1) * 7)
}

fn of_month(
    day: u32,
    weekday: Option<Weekday>,
    months: Option<i32>,
    today: NaiveDate,
) -> Option<NaiveDate> {
    let this_month = today.with_day(1)?;
    if let Some(months) = months {
        return months_later(this_month, i64::from(months))?.with_day(day);
    }
    // A weekday and a day of the month meet again within a year, or not at all in our lifetime's patience.
    (0..12)
        .filter_map(|k| months_later(this_month, k)?.with_day(day))
        .find(|date| *date >= today && weekday.is_none_or(|weekday| date.weekday() == weekday))
}

fn in_nearest_year(
    month: u32,
    day: u32,
    weekday: Option<Weekday>,
    today: NaiveDate,
) -> Option<NaiveDate> {
    let year = today.year();
    let Some(weekday) = weekday else {
        return (year..=year + 8)
            .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
            .find(|date| *date >= today);
    };
    // The weekday says which year is meant; one that is years away is a slip, not a date.
    let fits = (year - 1..=year + 2)
        .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
        .filter(|date| date.weekday() == weekday);
    fits.min_by_key(|date| (*date - today).num_days().abs())
        .filter(|date| (*date - today).num_days().abs() < 2 * 365)
}

fn holiday_day(holiday: Holiday, which: Which, today: NaiveDate) -> Option<NaiveDate> {
    let year = today.year();
    match which {
        Which::Coming | Which::This | Which::Next => (year..=year + 1)
            .filter_map(|y| holiday.day_in(y))
            .find(|date| *date >= today),
        Which::AfterNext => holiday.day_in(year + 1),
        Which::Last => (year - 1..=year)
            .rev()
            .filter_map(|y| holiday.day_in(y))
            .find(|date| *date < today),
    }
}

/// The last of the days before `date`, for callers that need an end and have the next start.
pub(super) fn day_before(date: NaiveDate) -> Option<NaiveDate> {
    date.checked_sub_days(Days::new(1))
}
