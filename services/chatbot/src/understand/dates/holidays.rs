//! The holidays that people name instead of a date.

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// How a holiday's day is found in a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holiday {
    /// The same day each year.
    Fixed { month: u32, day: u32 },
    /// The nth weekday of a month, moved by days; 0 is the last.
    Floating {
        nth: u32,
        weekday: Weekday,
        month: u32,
        moved: i64,
    },
    /// Easter Sunday moved by that many days.
    Easter(i64),
}

const fn fixed(month: u32, day: u32) -> Holiday {
    Holiday::Fixed { month, day }
}

const fn floating(nth: u32, weekday: Weekday, month: u32) -> Holiday {
    Holiday::Floating {
        nth,
        weekday,
        month,
        moved: 0,
    }
}

/// Longer names first; a name is written without apostrophes.
const NAMES: &[(&str, Holiday)] = &[
    ("martin luther king jr day", floating(3, Weekday::Mon, 1)),
    ("martin luther kings day", floating(3, Weekday::Mon, 1)),
    ("martin luther king day", floating(3, Weekday::Mon, 1)),
    ("mlk jr . day", floating(3, Weekday::Mon, 1)),
    ("mlk day", floating(3, Weekday::Mon, 1)),
    ("thanksgiving day", floating(4, Weekday::Thu, 11)),
    ("thanksgiving", floating(4, Weekday::Thu, 11)),
    (
        "black friday",
        Holiday::Floating {
            nth: 4,
            weekday: Weekday::Thu,
            month: 11,
            moved: 1,
        },
    ),
    (
        "cyber monday",
        Holiday::Floating {
            nth: 4,
            weekday: Weekday::Thu,
            month: 11,
            moved: 4,
        },
    ),
    ("memorial day", floating(0, Weekday::Mon, 5)),
    ("labor day", floating(1, Weekday::Mon, 9)),
    ("labour day", floating(1, Weekday::Mon, 9)),
    ("columbus day", floating(2, Weekday::Mon, 10)),
    ("presidents day", floating(3, Weekday::Mon, 2)),
    ("mothers day", floating(2, Weekday::Sun, 5)),
    ("fathers day", floating(3, Weekday::Sun, 6)),
    ("new years eve", fixed(12, 31)),
    ("new year eve", fixed(12, 31)),
    ("new years day", fixed(1, 1)),
    ("new year day", fixed(1, 1)),
    ("new years", fixed(1, 1)),
    ("christmas eve", fixed(12, 24)),
    ("christmas day", fixed(12, 25)),
    ("christmas", fixed(12, 25)),
    ("xmas", fixed(12, 25)),
    ("boxing day", fixed(12, 26)),
    ("valentines day", fixed(2, 14)),
    ("valentine day", fixed(2, 14)),
    ("valentines", fixed(2, 14)),
    ("halloween", fixed(10, 31)),
    ("independence day", fixed(7, 4)),
    ("veterans day", fixed(11, 11)),
    ("earth day", fixed(4, 22)),
    ("april fools day", fixed(4, 1)),
    ("april fools", fixed(4, 1)),
    ("saint patricks day", fixed(3, 17)),
    ("st patricks day", fixed(3, 17)),
    ("st . patricks day", fixed(3, 17)),
    ("saint paddys day", fixed(3, 17)),
    ("st paddys day", fixed(3, 17)),
    ("maundy thursday", Holiday::Easter(-3)),
    ("good friday", Holiday::Easter(-2)),
    ("palm sunday", Holiday::Easter(-7)),
    ("ash wednesday", Holiday::Easter(-46)),
    ("mardi gras", Holiday::Easter(-47)),
    ("easter sunday", Holiday::Easter(0)),
    ("easter monday", Holiday::Easter(1)),
    ("easter mon", Holiday::Easter(1)),
    ("easter", Holiday::Easter(0)),
    ("ascension day", Holiday::Easter(39)),
    ("whit monday", Holiday::Easter(50)),
    ("pentecost", Holiday::Easter(49)),
    ("trinity sunday", Holiday::Easter(56)),
];

/// The holiday whose name the words begin with, and how many words that took.
pub(super) fn named(words: &[&str]) -> Option<(Holiday, usize)> {
    NAMES.iter().find_map(|(name, holiday)| {
        let length = name.split(' ').count();
        let same = words.len() >= length && name.split(' ').zip(words).all(|(a, b)| a == *b);
        same.then_some((*holiday, length))
    })
}

impl Holiday {
    /// Its day in `year`.
    pub(super) fn day_in(self, year: i32) -> Option<NaiveDate> {
        match self {
            Self::Fixed { month, day } => NaiveDate::from_ymd_opt(year, month, day),
            Self::Easter(moved) => moved_by(easter(year)?, moved),
            Self::Floating {
                nth,
                weekday,
                month,
                moved,
            } => {
                let day = if nth == 0 {
                    last_weekday(year, month, weekday)?
                } else {
                    NaiveDate::from_weekday_of_month_opt(
                        year,
                        month,
                        weekday,
                        u8::try_from(nth).ok()?,
                    )?
                };
                moved_by(day, moved)
            }
        }
    }
}

fn moved_by(day: NaiveDate, days: i64) -> Option<NaiveDate> {
    day.checked_add_signed(chrono::TimeDelta::try_days(days)?)
}

fn last_weekday(year: i32, month: u32, weekday: Weekday) -> Option<NaiveDate> {
    let next = if month == 12 {
        NaiveDate::from_ymd_opt(year + 1, 1, 1)?
    } else {
        NaiveDate::from_ymd_opt(year, month + 1, 1)?
    };
    let last = next.pred_opt()?;
    last.checked_sub_days(Days::new(u64::from(last.weekday().days_since(weekday))))
}

/// Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher; "Astronomical Algorithms", chapter 8).
fn easter(year: i32) -> Option<NaiveDate> {
    let a = year % 19;
    let (b, c) = (year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let month = (h + l - 7 * m + 114) / 31;
    let day = (h + l - 7 * m + 114) % 31 + 1;
    NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_feasts_fall_on_their_days() {
        assert_eq!(easter(2013), NaiveDate::from_ymd_opt(2013, 3, 31));
        assert_eq!(easter(2026), NaiveDate::from_ymd_opt(2026, 4, 5));
        let thanksgiving = named(&["thanksgiving", "2016"]).unwrap().0;
        assert_eq!(
            thanksgiving.day_in(2016),
            NaiveDate::from_ymd_opt(2016, 11, 24)
        );
    }
}
