//! Numbers, ordinals, units and the shifts that are made of them.

use crate::understand::numerals::{ORDINALS, SMALL, index_in};

use super::{Anchor, Found, Parser, Shift, Unit};

const TENS: &[(&str, u32)] = &[("twenty", 20), ("thirty", 30), ("forty", 40), ("fifty", 50)];

impl Parser<'_> {
    /// A number in digits or in words up to 59.
    pub(super) fn number(&self, i: usize) -> Found<u32> {
        let token = self.tokens.get(i)?;
        if let Some(value) = token.digits() {
            return Some((value, i + 1));
        }
        self.number_word(i)
    }

    /// A number in words: "three", "twenty five", "twenty-five".
    pub(super) fn number_word(&self, i: usize) -> Found<u32> {
        if let Some(value) = index_in(SMALL, self.word(i)) {
            return Some((value, i + 1));
        }
        let tens = TENS.iter().find(|(word, _)| *word == self.word(i))?.1;
        let next = self.skip(i + 1, &["-"]);
        match index_in(SMALL, self.word(next)) {
            Some(ones) if (1..10).contains(&ones) => Some((tens + ones, next + 1)),
            _ => Some((tens, i + 1)),
        }
    }

    /// "1st", "twenty third", "thirtieth".
    pub(super) fn ordinal(&self, i: usize) -> Found<u32> {
        if let Some(value) = self.tokens.get(i).and_then(super::Token::digits) {
            let suffix = self.glued(i + 1) && matches!(self.word(i + 1), "st" | "nd" | "rd" | "th");
            return suffix.then_some((value, i + 2));
        }
        if let Some(value) = index_in(ORDINALS, self.word(i)) {
            return Some((value, i + 1));
        }
        if self.word(i) == "thirtieth" {
            return Some((30, i + 1));
        }
        let tens = TENS.iter().find(|(word, _)| *word == self.word(i))?.1;
        let next = self.skip(i + 1, &["-"]);
        index_in(ORDINALS, self.word(next))
            .filter(|ones| *ones < 10)
            .map(|ones| (tens + ones, next + 1))
    }

    /// A unit of time, singular or plural.
    pub(super) fn unit(&self, i: usize) -> Found<Unit> {
        let unit = match self.word(i) {
            "sec" | "secs" | "second" | "seconds" => Unit::Second,
            "min" | "mins" | "minute" | "minutes" => Unit::Minute,
            "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
            "day" | "days" => Unit::Day,
            "week" | "weeks" | "wk" | "wks" => Unit::Week,
            "month" | "months" => Unit::Month,
            "quarter" | "quarters" | "qtr" | "qtrs" => Unit::Quarter,
            "year" | "years" | "yr" | "yrs" => Unit::Year,
            "'" if self.glued(i) => Unit::Minute,
            "\"" if self.glued(i) => Unit::Second,
            _ => return None,
        };
        Some((unit, i + 1))
    }

    /// An amount in quarters of a unit: "2", "a couple of", "half an hour", "2.5 hours", "1/4 h".
    pub(super) fn amount(&self, i: usize) -> Found<(i64, Unit)> {
        let i = self.skip(i, &["about", "another"]);
        self.fraction(i).or_else(|| self.whole_amount(i))
    }

    fn fraction(&self, i: usize) -> Found<(i64, Unit)> {
        let phrases: &[(&[&str], i64)] = &[
            (&["half", "an"], 2),
            (&["half", "a"], 2),
            (&["a", "half"], 2),
            (&["half"], 2),
            (&["a", "quarter", "of", "an"], 1),
            (&["a", "quarter", "of", "a"], 1),
            (&["three", "-", "quarters", "of", "an"], 3),
            (&["three", "quarters", "of", "an"], 3),
            (&["1", "/", "4"], 1),
            (&["1", "/", "2"], 2),
            (&["3", "/", "4"], 3),
        ];
        phrases.iter().find_map(|(words, quarters)| {
            let (unit, end) = self.unit(self.words(i, words)?)?;
            Some(((*quarters, unit), end))
        })
    }

    fn whole_amount(&self, i: usize) -> Found<(i64, Unit)> {
        if self.word(i) == "a" && self.word(i + 1) == "fortnight" {
            return Some(((14 * 4, Unit::Day), i + 2));
        }
        let (count, mut next) = self.count(i)?;
        let mut quarters = i64::from(count) * 4;
        if self.word(next) == "." && self.glued(next) && self.word(next + 1) == "5" {
            quarters += 2;
            next += 2;
        }
        for words in [&["and", "an", "half"][..], &["and", "a", "half"]] {
            if let Some(end) = self.words(next, words) {
                quarters += 2;
                next = end;
            }
        }
        let next = self.skip(next, &["more", "whole"]);
        let (unit, end) = self.unit(next)?;
        match self.words(end, &["and", "a", "half"]) {
            Some(end) => Some(((quarters + 2, unit), end)),
            None => Some(((quarters, unit), end)),
        }
    }

    /// A count before a unit: a number, an article, "a couple of", "a few".
    pub(super) fn count(&self, i: usize) -> Found<u32> {
        let phrases: &[(&[&str], u32)] = &[
            (&["a", "couple", "of"], 2),
            (&["a", "pair", "of"], 2),
            (&["a", "couple"], 2),
            (&["couple", "of"], 2),
            (&["a", "few"], 3),
            (&["few"], 3),
            (&["an"], 1),
            (&["a"], 1),
        ];
        let phrase = phrases
            .iter()
            .find_map(|(words, count)| Some((*count, self.words(i, words)?)));
        phrase.or_else(|| self.number(i))
    }

    /// A move from now: "in 2 hours", "2 minutes from now", "a week ago", "7 days hence".
    pub(super) fn shift(&self, i: usize) -> Found<Shift> {
        if let Some(at) = self
            .words(i, &["in"])
            .or_else(|| self.words(i, &["after"]))
            .or_else(|| self.words(i, &["within"]))
            && let Some(((quarters, unit), end)) = self.amount(at)
        {
            let end = self
                .words(end, &["from", "now"])
                .or_else(|| self.words(end, &["time"]))
                .unwrap_or(end);
            return Some((
                Shift {
                    quarters,
                    unit,
                    anchor: Anchor::Now,
                },
                end,
            ));
        }
        if let Some(minutes) = self.bare_minutes(i) {
            return Some((
                Shift {
                    quarters: i64::from(minutes) * 4,
                    unit: Unit::Minute,
                    anchor: Anchor::Now,
                },
                i + 2,
            ));
        }
        let ((quarters, unit), end) = self.amount(i)?;
        let (anchor, sign, end) = self.direction(end)?;
        Some((
            Shift {
                quarters: sign * quarters,
                unit,
                anchor,
            },
            end,
        ))
    }

    /// "in 15" at the end of the text.
    fn bare_minutes(&self, i: usize) -> Option<u32> {
        let minutes = self.tokens.get(self.words(i, &["in"])?)?.digits()?;
        (self.word(i + 2).is_empty() && minutes < 100).then_some(minutes)
    }

    fn direction(&self, i: usize) -> Option<(Anchor, i64, usize)> {
        let phrases: &[(&[&str], Anchor, i64)] = &[
            (&["from", "now"], Anchor::Now, 1),
            (&["from", "right", "now"], Anchor::RightNow, 1),
            (&["from", "today"], Anchor::Today, 1),
            (&["hence"], Anchor::Now, 1),
            (&["later"], Anchor::Now, 1),
            (&["ago"], Anchor::Now, -1),
            (&["back"], Anchor::Now, -1),
        ];
        phrases
            .iter()
            .find_map(|(words, anchor, sign)| Some((*anchor, *sign, self.words(i, words)?)))
    }
}
