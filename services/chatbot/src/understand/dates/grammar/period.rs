//! Stretches of the calendar: "next week", "October 2014", "4th quarter 2018", "this weekend", and what is counted in them.

use super::{Counted, Day, Found, Parser, Period, Unit, Which};

impl Parser<'_> {
    /// "this", "next", "last" and their relatives as an offset of the running unit.
    pub(super) fn running_offset(&self, i: usize) -> Found<i32> {
        let offset = match self.word(i) {
            "this" | "current" => 0,
            "next" | "following" | "upcoming" | "coming" => 1,
            "last" | "past" | "previous" => -1,
            _ => return None,
        };
        Some((offset, i + 1))
    }

    /// The same words for a thing that has a name.
    pub(super) fn which(&self, i: usize) -> Found<Which> {
        let (offset, end) = self.running_offset(i)?;
        Some((
            if offset > 0 {
                Which::Next
            } else if offset < 0 {
                Which::Last
            } else {
                Which::This
            },
            end,
        ))
    }

    /// A week, month, quarter, year or weekend.
    pub(super) fn period(&self, i: usize) -> Found<Period> {
        let at = self.skip(i, &["the"]);
        self.running_period(at)
            .or_else(|| self.quarter(at))
            .or_else(|| self.month_period(at))
            .or_else(|| self.year_period(at))
    }

    fn running_period(&self, i: usize) -> Found<Period> {
        if let Some((count, unit, end)) = self.upcoming_count(i) {
            return Some((
                Period::Running {
                    unit,
                    offset: count,
                },
                end,
            ));
        }
        let (offset, at) = self.running_offset(i)?;
        if let Some(end) = self.weekend(at) {
            return Some((Period::Weekend(offset), end));
        }
        let (unit, end) = self.unit(at)?;
        matches!(unit, Unit::Week | Unit::Month | Unit::Quarter | Unit::Year)
            .then_some((Period::Running { unit, offset }, end))
    }

    /// "upcoming two weeks", "two upcoming weeks".
    fn upcoming_count(&self, i: usize) -> Option<(i32, Unit, usize)> {
        let (count, at) = match self.words(i, &["upcoming"]) {
            Some(at) => self.number(at)?,
            None => {
                let (count, at) = self.number(i)?;
                (count, self.words(at, &["upcoming"])?)
            }
        };
        let (unit, end) = self.unit(at)?;
        Some((i32::try_from(count).ok()?, unit, end))
    }

    fn weekend(&self, i: usize) -> Option<usize> {
        let forms: &[&[&str]] = &[
            &["weekend"],
            &["wkend"],
            &["week", "-", "end"],
            &["week", "end"],
        ];
        forms.iter().find_map(|form| self.words(i, form))
    }

    /// "third quarter", "4th qtr of 2018", "2018Q4", "18q4".
    fn quarter(&self, i: usize) -> Found<Period> {
        if let Some((quarter, at)) = self.ordinal(i)
            && (1..=4).contains(&quarter)
            && let Some((Unit::Quarter, at)) = self.unit(at)
        {
            let year = self.year(self.skip(at, &["of"]));
            let (year, end) = year.map_or((None, at), |(year, end)| (Some(year), end));
            return Some((Period::Quarter { quarter, year }, end));
        }
        let year = i32::try_from(self.tokens.get(i)?.digits()?).ok()?;
        let quarter = self.tokens.get(i + 2).filter(|t| t.glued)?.digits()?;
        if self.word(i + 1) != "q" || !(1..=4).contains(&quarter) {
            return None;
        }
        let year = if year < 100 { 2000 + year } else { year };
        Some((
            Period::Quarter {
                quarter,
                year: Some(year),
            },
            i + 3,
        ))
    }

    /// "October 2014", "next March", "March after next", "2014-10", "2/2013".
    fn month_period(&self, i: usize) -> Found<Period> {
        let (which, at) = self.which(i).unwrap_or((Which::Coming, i));
        if let Some((month, end)) = self.month(at) {
            if let Some(end) = self.words(end, &["after", "next"]) {
                return Some((
                    Period::Month {
                        month,
                        year: None,
                        which: Which::AfterNext,
                    },
                    end,
                ));
            }
            let year = self.year(self.skip(end, &["of", ","]));
            let (year, end) = year.map_or((None, end), |(year, end)| (Some(year), end));
            return Some((Period::Month { month, year, which }, end));
        }
        if let Some((year, at)) = self.year(i) {
            let month = self
                .tokens
                .get(at + 1)?
                .digits()
                .filter(|month| (1..=12).contains(month))?;
            let joined = matches!(self.word(at), "-" | "/") && self.glued(at) && self.glued(at + 1);
            return joined.then_some((
                Period::Month {
                    month,
                    year: Some(year),
                    which: Which::Coming,
                },
                at + 2,
            ));
        }
        let month = self
            .tokens
            .get(i)?
            .digits()
            .filter(|month| (1..=12).contains(month))?;
        let (year, end) = self.year(i + 2).filter(|_| self.word(i + 1) == "/")?;
        Some((
            Period::Month {
                month,
                year: Some(year),
                which: Which::Coming,
            },
            end,
        ))
    }

    fn year_period(&self, i: usize) -> Found<Period> {
        let (year, end) = self.year(i)?;
        let end = self
            .words(end, &["ad"])
            .or_else(|| self.words(end, &["a", ".", "d", "."]))
            .unwrap_or(end);
        let era = matches!(self.word(end), "bc" | "b");
        let preceded = i > 0 && matches!(self.word(i - 1), "in" | "of" | "by");
        (!era && (self.lenient || preceded)).then_some((Period::Year(year), end))
    }

    /// "last Monday of March", "third day of october", "second last week of 2018", "the week of october 6th".
    pub(super) fn nth(&self, i: usize) -> Found<Day> {
        let at = self.skip(i, &["the"]);
        let (nth, at) = self.rank(at)?;
        let (counted, at) = match self.weekday(at) {
            Some((weekday, at)) => (Counted::Weekday(weekday), at),
            None => match self.unit(at)? {
                (Unit::Day, at) => (Counted::Day, at),
                (Unit::Week, at) => (Counted::Week, at),
                _ => return None,
            },
        };
        let at = self
            .words(at, &["of"])
            .or_else(|| self.words(at, &["in"]))?;
        let (period, end) = self.period(at).or_else(|| {
            let end = self.words(at, &["the", "month"])?;
            Some((
                Period::Running {
                    unit: Unit::Month,
                    offset: 0,
                },
                end,
            ))
        })?;
        Some((
            Day::Nth {
                nth,
                counted,
                period,
            },
            end,
        ))
    }

    fn rank(&self, i: usize) -> Found<i32> {
        if let Some(at) = self.words(i, &["last"]) {
            return Some((-1, at));
        }
        let (rank, at) = self.ordinal(i)?;
        let rank = i32::try_from(rank).ok()?;
        Some(
            self.words(at, &["last"])
                .map_or((rank, at), |at| (-rank, at)),
        )
    }

    /// "end of the month", "EOD", "end of next week", "beginning of January".
    pub(super) fn edge(&self, i: usize) -> Found<Day> {
        let running = |unit| Day::End(Period::Running { unit, offset: 0 });
        let at = self.skip(i, &["the"]);
        match self.word(at) {
            "eod" => return Some((Day::Offset(0), at + 1)),
            "eow" => return Some((running(Unit::Week), at + 1)),
            "eom" => return Some((running(Unit::Month), at + 1)),
            "eoy" => return Some((running(Unit::Year), at + 1)),
            _ => {}
        }
        let start = matches!(self.word(at), "beginning" | "start");
        if !start && self.word(at) != "end" {
            return None;
        }
        let at = self.words(at + 1, &["of"])?;
        if let Some(end) = self
            .words(at, &["the", "day"])
            .or_else(|| self.words(at, &["day"]))
        {
            return Some((Day::Offset(0), end));
        }
        let (period, end) = self.period(at).or_else(|| {
            let (unit, end) = self.unit(self.skip(at, &["the"]))?;
            Some((Period::Running { unit, offset: 0 }, end))
        })?;
        Some((
            if start {
                Day::Start(period)
            } else {
                Day::End(period)
            },
            end,
        ))
    }
}
