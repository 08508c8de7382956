//! Times of the day: "3pm", "half past three", "15h30", "ten thirty", "at 1030", and its parts.

use super::{Clock, Found, Half, Parser, Part};

const fn exact(hour: u32, minute: u32, half: Half) -> Clock {
    Clock {
        hour,
        minute,
        second: 0,
        half,
        certain: true,
    }
}

impl Parser<'_> {
    /// "GMT", "(BST)".
    pub(super) fn zone(&self, i: usize) -> Found<i32> {
        let at = self.skip(i, &["("]);
        let offset = super::super::zones::offset(self.word(at))?;
        Some((offset, self.skip(at + 1, &[")"])))
    }

    /// A time of the day.
    pub(super) fn clock(&self, i: usize) -> Found<Clock> {
        self.named_clock(i)
            .or_else(|| self.relative_clock(i))
            .or_else(|| self.written_clock(i))
            .or_else(|| self.spoken_clock(i))
            .or_else(|| self.plain_clock(i))
    }

    fn named_clock(&self, i: usize) -> Found<Clock> {
        let at = self
            .words(i, &["12"])
            .filter(|at| matches!(self.word(*at), "noon" | "midnight"))
            .unwrap_or(i);
        match self.word(at) {
            "noon" | "midday" => Some((exact(12, 0, Half::Whole), at + 1)),
            "mid" if self.word(at + 1) == "day" => Some((exact(12, 0, Half::Whole), at + 2)),
            "midnight" => Some((exact(24, 0, Half::Whole), at + 1)),
            _ => None,
        }
    }

    /// "a quarter past 3", "20 to noon", "half past three pm", "half three".
    fn relative_clock(&self, i: usize) -> Found<Clock> {
        if self.word(i) == "half" {
            let at = self.skip(i + 1, &["past"]);
            let (hour, end) = self.hour_only(at)?;
            return Some((
                Clock {
                    minute: 30,
                    certain: true,
                    ..hour
                },
                end,
            ));
        }
        let (minutes, next) = self.minutes_of_hour(i)?;
        let sign = match self.word(next) {
            "past" | "after" => 1,
            "to" | "till" | "before" => -1,
            "from" if minutes < 60 => -1,
            _ => return None,
        };
        let (hour, end) = self.hour_only(next + 1)?;
        // "15 minutes from 1pm" is after it, "15 from 1" is not said.
        let sign = if self.word(next) == "from" { 1 } else { sign };
        let total = i64::from(hour.hour) * 60 + sign * i64::from(minutes);
        let total = u32::try_from(total.rem_euclid(24 * 60)).ok()?;
        Some((
            Clock {
                hour: total / 60,
                minute: total % 60,
                certain: true,
                ..hour
            },
            end,
        ))
    }

    fn minutes_of_hour(&self, i: usize) -> Found<u32> {
        if let Some(end) = self
            .words(i, &["a", "quarter"])
            .or_else(|| self.words(i, &["quarter"]))
        {
            return Some((15, end));
        }
        let (minutes, next) = self.number(i)?;
        (minutes < 60).then(|| {
            (
                minutes,
                self.skip(next, &["minutes", "minute", "mins", "min"]),
            )
        })
    }

    fn hour_only(&self, i: usize) -> Found<Clock> {
        self.named_clock(i)
            .or_else(|| self.written_clock(i))
            .or_else(|| self.plain_clock(i))
            .filter(|(clock, _)| clock.minute == 0)
    }

    /// "15:15", "9:01:10 AM", "3:15p", "15h15", "15h", "9.30 pm".
    fn written_clock(&self, i: usize) -> Found<Clock> {
        let hour = self.tokens.get(i)?.digits().filter(|hour| *hour <= 24)?;
        let separator = self.word(i + 1);
        if separator == "h" && self.glued(i + 1) {
            let minute = self
                .tokens
                .get(i + 2)
                .filter(|t| t.glued)
                .and_then(super::Token::digits)
                .filter(|m| *m < 60);
            let end = if minute.is_some() { i + 3 } else { i + 2 };
            return Some((exact(hour, minute.unwrap_or(0), Half::Whole), end));
        }
        let minute_token = self
            .tokens
            .get(i + 2)
            .filter(|t| t.glued && t.text.len() == 2)?;
        let minute = minute_token.digits().filter(|m| *m < 60)?;
        let (second, next) = match self.word(i + 3) {
            ":" => match self.tokens.get(i + 4).and_then(super::Token::digits) {
                Some(second) if second < 60 => (second, i + 5),
                _ => (0, i + 3),
            },
            _ => (0, i + 3),
        };
        let meridiem = self.meridiem(next);
        match separator {
            ":" => {}
            "." if meridiem.is_some() => {}
            _ => return None,
        }
        let (half, end) = meridiem.unwrap_or_else(|| (self.twelve_hours(i, hour), next));
        Some((
            Clock {
                hour,
                minute,
                second,
                half,
                certain: true,
            },
            end,
        ))
    }

    /// A leading zero, a zero or an hour after twelve belongs to the 24-hour clock.
    fn twelve_hours(&self, i: usize, hour: u32) -> Half {
        if hour > 12 || self.word(i).starts_with('0') {
            Half::Whole
        } else {
            Half::Unsaid
        }
    }

    /// "ten thirty", "nine fifty nine a m", "twelve oh three", "at 3 15".
    fn spoken_clock(&self, i: usize) -> Found<Clock> {
        let (hour, next) = self.number(i).filter(|(hour, _)| (1..=12).contains(hour))?;
        let digits = self.tokens.get(i)?.digits().is_some();
        let next = if digits {
            next
        } else {
            self.skip(next, &["-"])
        };
        let (minute, end) = if matches!(self.word(next), "oh" | "o" | "ou" | "zero") {
            let next = self.skip(next + 1, &["-"]);
            self.number(next)
                .filter(|(minute, _)| (1..10).contains(minute))?
        } else {
            self.number(next)
                .filter(|(minute, _)| (10..60).contains(minute))?
        };
        let follows_unit = self.unit(end).is_some();
        if digits && (self.glued(next) || !self.lenient && self.meridiem(end).is_none())
            || follows_unit
        {
            return None;
        }
        let (half, end) = self.meridiem(end).unwrap_or((Half::Unsaid, end));
        Some((
            Clock {
                hour,
                minute,
                second: 0,
                half,
                certain: half != Half::Unsaid,
            },
            end,
        ))
    }

    /// "3pm", "3 oclock", "three", "815", "1030".
    fn plain_clock(&self, i: usize) -> Found<Clock> {
        let ((hour, minute), next) = self.hour_and_minute(i)?;
        let (oclock, next) = match self.word(next) {
            "oclock" => (true, next + 1),
            "ish" => (false, next + 1),
            "hundred" if self.meridiem(next + 1).is_some() => (true, next + 1),
            _ => (false, next),
        };
        if let Some((half, end)) = self.meridiem(next) {
            let end = self.skip(end, &["approximately", "sharp"]);
            let clock = Clock {
                hour,
                minute,
                second: 0,
                half,
                certain: true,
            };
            return (hour <= 12).then_some((clock, end));
        }
        if self.unit(next).is_some() || hour == 0 && self.word(i).len() < 3 {
            return None;
        }
        let half = if oclock {
            Half::Unsaid
        } else {
            self.twelve_hours(i, hour)
        };
        Some((
            Clock {
                hour,
                minute,
                second: 0,
                half,
                certain: oclock,
            },
            next,
        ))
    }

    /// "3", "three" as an hour, "815" and "1030" as an hour and its minutes.
    fn hour_and_minute(&self, i: usize) -> Found<(u32, u32)> {
        let (value, next) = self.number(i)?;
        let token = self.tokens.get(i)?;
        let both = token.digits().is_some() && token.text.len() >= 3;
        let (hour, minute) = if both {
            (value / 100, value % 100)
        } else {
            (value, 0)
        };
        let continues = self.glued(next)
            && matches!(self.word(next), "/" | "-" | "%" | "st" | "nd" | "rd" | "th");
        (hour <= 24 && minute < 60 && !continues).then_some(((hour, minute), next))
    }

    /// "am", "p.m.", "p m", "in the AM"; a single letter only when it touches the number.
    pub(super) fn meridiem(&self, i: usize) -> Found<Half> {
        let at = self
            .words(i, &["in", "the"])
            .filter(|at| matches!(self.word(*at), "am" | "pm"))
            .unwrap_or(i);
        let half = |letter: &str| {
            if letter.starts_with('a') {
                Half::Am
            } else {
                Half::Pm
            }
        };
        match self.word(at) {
            word @ ("am" | "pm") => Some((half(word), at + 1)),
            word @ ("a" | "p") => {
                let dotted = self
                    .words(at + 1, &[".", "m"])
                    .or_else(|| self.words(at + 1, &["m"]));
                match dotted {
                    Some(end) => Some((half(word), self.skip(end, &["."]))),
                    None if self.glued(at) => Some((half(word), at + 1)),
                    None => None,
                }
            }
            _ => None,
        }
    }

    /// "morning", "in the afternoon", "tonight"'s evening; with "early" and "late" before it.
    pub(super) fn part(&self, i: usize) -> Found<Part> {
        let at = self
            .words(i, &["in", "the"])
            .or_else(|| self.words(i, &["in"]))
            .unwrap_or(i);
        let at = self.skip(at, &["early", "late", "mid"]);
        let at = self.words(at, &["in", "the"]).unwrap_or(at);
        let part = match self.word(at) {
            "morning" => Part::Morning,
            "afternoon" => Part::Afternoon,
            // "tomorrow lunch with Mom" is about the lunch.
            "lunch" | "lunchtime" if at > 0 && self.word(at - 1) == "at" => Part::Afternoon,
            "evening" | "night" => Part::Evening,
            _ => return None,
        };
        Some((part, at + 1))
    }
}
