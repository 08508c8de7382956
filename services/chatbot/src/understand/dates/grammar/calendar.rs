//! Dates of the calendar: "2/15", "31-Oct-74", "march 3rd 2015", "the 20th of next month".

use chrono::Weekday;

use super::{Day, Found, Parser};

const MONTHS: &[(&str, &str)] = &[
    ("january", "jan"),
    ("february", "feb"),
    ("march", "mar"),
    ("april", "apr"),
    ("may", "may"),
    ("june", "jun"),
    ("july", "jul"),
    ("august", "aug"),
    ("september", "sep"),
    ("october", "oct"),
    ("november", "nov"),
    ("december", "dec"),
];

impl Parser<'_> {
    /// The number of a month's name.
    pub(super) fn month(&self, i: usize) -> Found<u32> {
        let word = self.word(i);
        let at = MONTHS.iter().position(|(long, short)| {
            word == *long || word == *short || word == "sept" && *short == "sep"
        })?;
        let abbreviated = word.len() == 3 && self.word(i + 1) == "." && self.glued(i + 1);
        Some((
            u32::try_from(at).ok()? + 1,
            if abbreviated { i + 2 } else { i + 1 },
        ))
    }

    /// A weekday's name.
    pub(super) fn weekday(&self, i: usize) -> Found<Weekday> {
        let weekday = match self.word(i) {
            "monday" | "mondays" | "mon" => Weekday::Mon,
            "tuesday" | "tuesdays" | "tue" | "tues" => Weekday::Tue,
            "wednesday" | "wednesdays" | "wed" => Weekday::Wed,
            "thursday" | "thursdays" | "thu" | "thur" | "thurs" => Weekday::Thu,
            "friday" | "fridays" | "fri" => Weekday::Fri,
            "saturday" | "saturdays" | "sat" => Weekday::Sat,
            "sunday" | "sundays" | "sun" => Weekday::Sun,
            _ => return None,
        };
        let abbreviated = self.word(i).len() <= 4 && self.word(i + 1) == "." && self.glued(i + 1);
        Some((weekday, if abbreviated { i + 2 } else { i + 1 }))
    }

    /// A year: four digits, or two after an apostrophe-less short date ("10/31/74").
    pub(super) fn year(&self, i: usize) -> Found<i32> {
        let token = self.tokens.get(i)?;
        let value = i32::try_from(token.digits()?).ok()?;
        match token.text.len() {
            4 if (1900..=2200).contains(&value) => Some((value, i + 1)),
            _ => None,
        }
    }

    fn short_year(&self, i: usize) -> Found<i32> {
        let token = self.tokens.get(i)?;
        let value = i32::try_from(token.digits()?).ok()?;
        // POSIX strptime: 69 to 99 belong to the last century.
        (token.text.len() == 2).then(|| {
            (
                if value < 69 {
                    2000 + value
                } else {
                    1900 + value
                },
                i + 1,
            )
        })
    }

    /// Any date of the calendar.
    pub(super) fn calendar(&self, i: usize) -> Found<Day> {
        let (weekday, at) = match self.weekday(i) {
            Some((weekday, at)) => (Some(weekday), self.skip(at, &[","])),
            None => (None, i),
        };
        let found = self
            .iso_date(at)
            .or_else(|| self.numeric_date(at))
            .or_else(|| self.named_date(at));
        let (day, end) = found.or_else(|| self.day_of_month(at, weekday))?;
        match (day, weekday) {
            (
                Day::Calendar {
                    month, day, year, ..
                },
                None,
            ) => {
                let at = self.skip(end, &[","]);
                let after = self.weekday(at).filter(|_| at > end);
                let weekday = after.map(|(weekday, _)| weekday);
                Some((
                    Day::Calendar {
                        month,
                        day,
                        year,
                        weekday,
                    },
                    after.map_or(end, |(_, end)| end),
                ))
            }
            (
                Day::Calendar {
                    month, day, year, ..
                },
                weekday,
            ) => Some((
                Day::Calendar {
                    month,
                    day,
                    year,
                    weekday,
                },
                end,
            )),
            (day, _) => Some((day, end)),
        }
    }

    /// "2015-03-03".
    fn iso_date(&self, i: usize) -> Found<Day> {
        let (year, at) = self.year(i)?;
        let separator = self.word(at);
        if !matches!(separator, "-" | "/") || self.word(at + 2) != separator {
            return None;
        }
        let month = self.tokens.get(at + 1)?.digits()?;
        let day = self.tokens.get(at + 3)?.digits()?;
        valid(month, day).then_some((
            Day::Calendar {
                month,
                day,
                year: Some(year),
                weekday: None,
            },
            at + 4,
        ))
    }

    /// "2/15", "10-31-74", "31/Oct/1974"; month first, as American English writes it, unless that cannot be.
    fn numeric_date(&self, i: usize) -> Found<Day> {
        let first = self.tokens.get(i)?.digits()?;
        let separator = self.word(i + 1);
        if !matches!(separator, "/" | "-" | ".") {
            return None;
        }
        if let Some((month, at)) = self.month(i + 2) {
            let (year, end) = self.dated_year(at, separator)?;
            return valid(month, first).then_some((
                Day::Calendar {
                    month,
                    day: first,
                    year: Some(year),
                    weekday: None,
                },
                end,
            ));
        }
        let second = self.tokens.get(i + 2)?.digits()?;
        let (year, end) = match self.dated_year(i + 3, separator) {
            Some((year, end)) => (Some(year), end),
            // Without a year only a slash is a date, except when nothing else was written.
            None if separator == "/" || separator == "-" && self.lenient => (None, i + 3),
            None => return None,
        };
        let (month, day) = if first > 12 {
            (second, first)
        } else {
            (first, second)
        };
        valid(month, day).then_some((
            Day::Calendar {
                month,
                day,
                year,
                weekday: None,
            },
            end,
        ))
    }

    fn dated_year(&self, i: usize, separator: &str) -> Found<i32> {
        if self.word(i) != separator {
            return None;
        }
        self.year(i + 1).or_else(|| self.short_year(i + 1))
    }

    /// "march 3rd 2015", "the first of march", "14april 2015".
    fn named_date(&self, i: usize) -> Found<Day> {
        let (month, day, end) = self.month_first(i).or_else(|| self.day_first(i))?;
        let at = self.skip(self.skip(end, &[","]), &["of", "in"]);
        let year = self.year(at).or_else(|| {
            self.short_year(end)
                .filter(|(year, _)| *year >= 2000 && self.lenient)
        });
        let (year, end) = year.map_or((None, end), |(year, end)| (Some(year), end));
        valid(month, day).then_some((
            Day::Calendar {
                month,
                day,
                year,
                weekday: None,
            },
            end,
        ))
    }

    fn month_first(&self, i: usize) -> Option<(u32, u32, usize)> {
        let (month, at) = self.month(i)?;
        let at = self.skip(at, &["the"]);
        let (day, end) = self
            .ordinal(at)
            .or_else(|| self.number(at).filter(|(day, _)| *day <= 31))?;
        // "march 3pm" names no day.
        let is_time = self.meridiem(end).is_some()
            || self.word(end) == ":"
            || self.word(end) == "h" && self.glued(end);
        (!is_time).then_some((month, day, end))
    }

    fn day_first(&self, i: usize) -> Option<(u32, u32, usize)> {
        let at = self.skip(i, &["the"]);
        if self.words(at, &["ides", "of"]).is_some() {
            let (month, end) = self.month(at + 2)?;
            return Some((
                month,
                if matches!(month, 3 | 5 | 7 | 10) {
                    15
                } else {
                    13
                },
                end,
            ));
        }
        let (day, next) = self.ordinal(at).or_else(|| self.number(at))?;
        let next = self.skip(next, &["day"]);
        let (month, end) = self.month(self.skip(next, &["of"]))?;
        Some((month, day, end))
    }

    /// "the 24", "on the 15th", "Tuesday the 19th", "20th of the next month".
    fn day_of_month(&self, i: usize, weekday: Option<Weekday>) -> Found<Day> {
        let at = self.skip(i, &["the"]);
        let bare_allowed = at > i && self.lenient;
        let (day, next) = match self.ordinal(at) {
            Some(found) => found,
            None => self
                .number(at)
                .filter(|(_, next)| bare_allowed || self.month_reference(*next).is_some())?,
        };
        let (months, end) = self
            .month_reference(next)
            .map_or((None, next), |(months, end)| (Some(months), end));
        // "first" alone is no date, "the first" and "1st" are.
        let numeric = self.word(at).bytes().all(|b| b.is_ascii_digit());
        let the = at > i || i > 0 && self.word(i - 1) == "the";
        let said = numeric && (weekday.is_some() || self.lenient || self.preceded_by_on(i))
            || the
            || months.is_some();
        let counts_something = months.is_none()
            && !self.ends_a_number(end)
            && self.clock(end).is_none()
            && self.part(end).is_none();
        ((1..=31).contains(&day) && said && !counts_something).then_some((
            Day::OfMonth {
                day,
                weekday,
                months,
            },
            end,
        ))
    }

    fn preceded_by_on(&self, i: usize) -> bool {
        i > 0 && matches!(self.word(i - 1), "on" | "by" | "for" | "until" | "before")
    }

    /// "of next month", "of the current month", "day of next month".
    fn month_reference(&self, i: usize) -> Found<i32> {
        let at = self.skip(i, &["day"]);
        let at = self.words(at, &["of"])?;
        let at = self.skip(at, &["the"]);
        let (offset, at) = self.running_offset(at)?;
        self.words(at, &["month"]).map(|end| (offset, end))
    }
}

fn valid(month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}
