//! Stretches of days: "this week", "last month", "the last 7 days", "in March", "since Monday".

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime};

use super::Range;
use super::normalise::{self, position};

/// The days that a sentence names; a single day is a stretch of one.
pub(super) fn find(message: &str, now: NaiveDateTime) -> Option<Range> {
    let words = normalise::words(message);
    let texts = normalise::texts(&words);
    let today = now.date();
    running(&texts, today)
        .or_else(|| rolling(&texts, today))
        .or_else(|| month(&texts, today))
}

/// "this week", "last quarter", "next month", "year to date", "today".
fn running(texts: &[&str], today: NaiveDate) -> Option<Range> {
    let whole = |word: &str| match word {
        "today" | "todays" => Some(day(today)),
        "yesterday" | "yesterdays" => today.pred_opt().map(day),
        "tomorrow" | "tomorrows" => today.succ_opt().map(day),
        _ => None,
    };
    if let Some(found) = texts.iter().find_map(|word| whole(word)) {
        return Some(found);
    }
    if position(texts, "year to date").is_some() || texts.contains(&"ytd") {
        let from = today.with_ordinal(1)?;
        return Some(Range { from, to: today });
    }
    texts.windows(2).find_map(|pair| {
        let offset = match pair[0] {
            "this" | "current" => 0,
            "last" | "previous" | "past" => -1,
            "next" | "coming" => 1,
            _ => return None,
        };
        stretch(pair[1], offset, today)
    })
}

fn day(date: NaiveDate) -> Range {
    Range {
        from: date,
        to: date,
    }
}

fn stretch(unit: &str, offset: i32, today: NaiveDate) -> Option<Range> {
    match unit {
        "week" | "weeks" => {
            let monday = shifted(today, -i64::from(today.weekday().num_days_from_monday()))?;
            let from = shifted(monday, 7 * i64::from(offset))?;
            Some(Range {
                from,
                to: shifted(from, 6)?,
            })
        }
        "weekend" => {
            let week = stretch("week", offset, today)?;
            Some(Range {
                from: shifted(week.from, 5)?,
                to: week.to,
            })
        }
        "month" | "months" => months(today.with_day(1)?, offset, 1),
        "quarter" => months(
            NaiveDate::from_ymd_opt(today.year(), today.month0() / 3 * 3 + 1, 1)?,
            offset * 3,
            3,
        ),
        "year" => months(
            NaiveDate::from_ymd_opt(today.year(), 1, 1)?,
            offset * 12,
            12,
        ),
        _ => None,
    }
}

fn shifted(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    let count = Days::new(days.unsigned_abs());
    if days < 0 {
        date.checked_sub_days(count)
    } else {
        date.checked_add_days(count)
    }
}

fn months(start: NaiveDate, offset: i32, length: u32) -> Option<Range> {
    let count = Months::new(offset.unsigned_abs());
    let from = if offset < 0 {
        start.checked_sub_months(count)?
    } else {
        start.checked_add_months(count)?
    };
    Some(Range {
        from,
        to: from.checked_add_months(Months::new(length))?.pred_opt()?,
    })
}

/// "the last 7 days", "past two weeks", "next 3 months"; today is one of them.
fn rolling(texts: &[&str], today: NaiveDate) -> Option<Range> {
    texts.windows(3).find_map(|three| {
        let back = match three[0] {
            "last" | "past" | "previous" => true,
            "next" | "coming" => false,
            _ => return None,
        };
        let count = super::recurrence::count(three[1])?;
        let far = match three[2] {
            "day" | "days" => shifted(
                today,
                if back {
                    1 - i64::from(count)
                } else {
                    i64::from(count) - 1
                },
            ),
            "week" | "weeks" => shifted(
                today,
                if back {
                    1 - 7 * i64::from(count)
                } else {
                    7 * i64::from(count) - 1
                },
            ),
            "month" | "months" if back => today.checked_sub_months(Months::new(count)),
            "month" | "months" => today.checked_add_months(Months::new(count)),
            _ => None,
        }?;
        Some(Range {
            from: far.min(today),
            to: far.max(today),
        })
    })
}

/// "in March", "for january 2026": the last one that has begun, unless a year is named.
fn month(texts: &[&str], today: NaiveDate) -> Option<Range> {
    (1..texts.len()).find_map(|at| {
        if !matches!(texts[at - 1], "in" | "for" | "during" | "of") {
            return None;
        }
        let month = super::recurrence::month_of(texts[at])?;
        let named = texts
            .get(at + 1)
            .and_then(|year| year.parse::<i32>().ok())
            .filter(|year| (1970..=2200).contains(year));
        let year = named.unwrap_or(today.year() - i32::from(month > today.month()));
        months(NaiveDate::from_ymd_opt(year, month, 1)?, 0, 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_from_and_to() {
        let now: NaiveDateTime = "2026-03-04T10:00:00".parse().unwrap();
        for (message, from, to) in [
            ("due this week", "2026-03-02", "2026-03-08"),
            ("visitors last week", "2026-02-23", "2026-03-01"),
            ("revenue last month", "2026-02-01", "2026-02-28"),
            ("deals this quarter", "2026-01-01", "2026-03-31"),
            ("the last 7 days", "2026-02-26", "2026-03-04"),
            ("past two weeks", "2026-02-19", "2026-03-04"),
            ("today", "2026-03-04", "2026-03-04"),
            ("sales in january", "2026-01-01", "2026-01-31"),
            ("sales in november", "2025-11-01", "2025-11-30"),
            ("year to date", "2026-01-01", "2026-03-04"),
        ] {
            let range = find(message, now).unwrap();
            assert_eq!(
                (range.from.to_string(), range.to.to_string()),
                (from.to_owned(), to.to_owned()),
                "{message}"
            );
        }
        assert_eq!(find("how many leads do I have", now), None);
    }
}
