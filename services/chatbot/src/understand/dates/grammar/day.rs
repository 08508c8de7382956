//! Days: "tomorrow", "next tuesday", "3 fridays from now", "three days after Easter", holidays.

use super::super::holidays;
use super::{Day, Found, Parser, Part, Period, Unit, Which};

/// A day and the part of it that the same words name ("tonight").
type DayAndPart = (Day, Option<Part>);

impl Parser<'_> {
    /// A day, with the part that some words carry.
    pub(super) fn day_and_part(&self, i: usize) -> Found<DayAndPart> {
        if let Some(found) = self.day_with_part(i) {
            return Some(found);
        }
        let (day, end) = self.day(i)?;
        Some(((day, None), end))
    }

    fn day_with_part(&self, i: usize) -> Found<DayAndPart> {
        let at = self.skip(i, &["late", "early"]);
        if matches!(self.word(at), "tonight" | "tonite") {
            return Some(((Day::Offset(0), Some(Part::Evening)), at + 1));
        }
        let (offset, next) = match self.word(at) {
            "this" => (0, at + 1),
            "last" if self.word(at + 1) == "night" => (-1, at + 1),
            "early" | "late" => return None,
            _ => return None,
        };
        let (part, end) = self.part(next)?;
        Some(((Day::Offset(offset), Some(part)), end))
    }

    fn day(&self, i: usize) -> Found<Day> {
        self.moved(i)
            .or_else(|| self.named_day(i))
            .or_else(|| self.weekdays_ahead(i))
            .or_else(|| self.nth(i))
            .or_else(|| self.edge(i))
            .or_else(|| self.calendar(i))
            .or_else(|| self.weekday_day(i))
            .or_else(|| self.holiday(i))
            .or_else(|| self.period_day(i))
    }

    fn named_day(&self, i: usize) -> Found<Day> {
        let i = self.skip(i, &["the"]);
        let phrases: &[(&[&str], i64)] = &[
            (&["day", "after", "tomorrow"], 2),
            (&["day", "before", "yesterday"], -2),
            (&["next", "day"], 1),
            (&["today"], 0),
            (&["todays"], 0),
            (&["tomorrow"], 1),
            (&["tomorrows"], 1),
            (&["tmrw"], 1),
            (&["tomorow"], 1),
            (&["tommorow"], 1),
            (&["tommorrow"], 1),
            (&["yesterday"], -1),
            (&["at", "this", "time"], 0),
        ];
        phrases
            .iter()
            .find_map(|(words, offset)| Some((Day::Offset(*offset), self.words(i, words)?)))
    }

    /// "3 fridays from now", "2 thursdays ago".
    fn weekdays_ahead(&self, i: usize) -> Found<Day> {
        let (count, at) = self.count(i)?;
        let (weekday, at) = self.weekday(at)?;
        let count = i32::try_from(count).ok()?;
        if let Some(end) = self
            .words(at, &["from", "now"])
            .or_else(|| self.words(at, &["hence"]))
        {
            return Some((Day::WeekdayAhead { weekday, count }, end));
        }
        let end = self
            .words(at, &["ago"])
            .or_else(|| self.words(at, &["back"]))?;
        Some((
            Day::WeekdayAhead {
                weekday,
                count: -count,
            },
            end,
        ))
    }

    /// "monday", "next tuesday", "wednesday of next week", "last week's sunday", "friday after next".
    fn weekday_day(&self, i: usize) -> Found<Day> {
        if let Some(at) = self.words(i, &["last", "weeks"]) {
            let (weekday, end) = self.weekday(at)?;
            return Some((
                Day::WeekdayOfWeek {
                    weekday,
                    offset: -1,
                },
                end,
            ));
        }
        let (which, at) = self.which(i).unwrap_or((Which::Coming, i));
        let (weekday, end) = self.weekday(at)?;
        if let Some(end) = self.words(end, &["after", "next"]) {
            return Some((
                Day::Weekday {
                    weekday,
                    which: Which::AfterNext,
                },
                end,
            ));
        }
        let week = self.skip(self.skip(end, &["of", "from"]), &["the"]);
        if let Some((offset, at)) = self.running_offset(week)
            && let Some(end) = self.words(at, &["week"])
        {
            return Some((Day::WeekdayOfWeek { weekday, offset }, end));
        }
        Some((Day::Weekday { weekday, which }, end))
    }

    /// "christmas", "last easter", "thanksgiving of next year", "black friday 2017".
    fn holiday(&self, i: usize) -> Found<Day> {
        let (which, at) = self.which(i).unwrap_or((Which::Coming, i));
        let words: Vec<&str> = (at..self.tokens.len().min(at + 5))
            .map(|k| self.word(k))
            .collect();
        let (holiday, length) = holidays::named(&words)?;
        let end = at + length;
        if let Some((year, end)) = self.year(self.skip(end, &["in", "of"])) {
            return Some((
                Day::Holiday {
                    holiday,
                    year: Some(year),
                    which,
                },
                end,
            ));
        }
        let of = self.skip(end, &["of"]);
        if let Some((which, at)) = self.which(of).filter(|_| of > end)
            && let Some((Unit::Year, end)) = self.unit(at)
        {
            let which = if which == Which::Next {
                Which::AfterNext
            } else {
                which
            };
            return Some((
                Day::Holiday {
                    holiday,
                    year: None,
                    which,
                },
                end,
            ));
        }
        Some((
            Day::Holiday {
                holiday,
                year: None,
                which,
            },
            end,
        ))
    }

    /// A period stands for its first day: "next week", "October 2014".
    fn period_day(&self, i: usize) -> Found<Day> {
        let (period, end) = self.period(i)?;
        // "may" and "march" are verbs too: alone they are months only after a preposition.
        if let Period::Month {
            year: None,
            which: Which::Coming,
            ..
        } = period
            && !self.lenient
            && !(i > 0
                && matches!(
                    self.word(i - 1),
                    "in" | "by" | "until" | "during" | "before" | "for"
                ))
        {
            return None;
        }
        Some((Day::Start(period), end))
    }

    /// "three days after Easter", "a year from Christmas", "thanksgiving in 9 months".
    fn moved(&self, i: usize) -> Found<Day> {
        let ((quarters, unit), at) = self.amount(i)?;
        let sign = match self.word(at) {
            "after" | "from" => 1,
            "before" => -1,
            _ => return None,
        };
        let at = self.skip(at + 1, &["the"]);
        let (day, end) = self
            .named_day(at)
            .or_else(|| self.calendar(at))
            .or_else(|| self.holiday(at))
            .or_else(|| self.weekday_day(at))?;
        // A year after Christmas may be counted from the last one or from the next one.
        let ambiguous = unit == Unit::Year && matches!(day, Day::Holiday { year: None, .. });
        let count = i32::try_from(sign * quarters / 4).ok()?;
        (quarters % 4 == 0 && !ambiguous).then_some((
            Day::Moved {
                count,
                unit,
                from: Box::new(day),
            },
            end,
        ))
    }
}
