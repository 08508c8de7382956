//! The grammar of English date phrases: tokens to an expression that says what was written, not yet when that is.
//!
//! Every rule is a method `rule(i) -> Option<(value, next)>`: it reads tokens from `i` on and returns what it found and
//! where it stopped. A phrase is a sequence of pieces (day, clock, part of the day, shift from now) in any order.

mod bare;
mod calendar;
mod clock;
mod day;
mod number;
mod period;

use chrono::Weekday;

use super::holidays::Holiday;
use super::tokenise::Token;

/// A unit of time that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// Which one of a repeating thing is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Said alone: the first one after today.
    Coming,
    /// "this".
    This,
    /// "next".
    Next,
    /// "last".
    Last,
    /// "after next".
    AfterNext,
}

/// A stretch of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    /// The unit now running, moved by that many.
    Running { unit: Unit, offset: i32 },
    /// A named month.
    Month {
        month: u32,
        year: Option<i32>,
        which: Which,
    },
    /// A quarter by its number.
    Quarter { quarter: u32, year: Option<i32> },
    /// A year by its number.
    Year(i32),
    /// Saturday and Sunday, of this week moved by that many.
    Weekend(i32),
}

/// What is counted inside a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Day,
    Week,
    Weekday(Weekday),
}

/// A day as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Day {
    /// Today moved by that many days.
    Offset(i64),
    Weekday {
        weekday: Weekday,
        which: Which,
    },
    /// A weekday of the running week moved by that many.
    WeekdayOfWeek {
        weekday: Weekday,
        offset: i32,
    },
    /// "3 fridays from now"; negative for "ago".
    WeekdayAhead {
        weekday: Weekday,
        count: i32,
    },
    /// "the 24th", "Tuesday the 19th", "20th of next month".
    OfMonth {
        day: u32,
        weekday: Option<Weekday>,
        months: Option<i32>,
    },
    Calendar {
        month: u32,
        day: u32,
        year: Option<i32>,
        weekday: Option<Weekday>,
    },
    /// The first day of a period.
    Start(Period),
    /// The last day of a period.
    End(Period),
    /// "third tuesday of september"; negative counts from the end.
    Nth {
        nth: i32,
        counted: Counted,
        period: Period,
    },
    Holiday {
        holiday: Holiday,
        year: Option<i32>,
        which: Which,
    },
    /// "three days after Easter".
    Moved {
        count: i32,
        unit: Unit,
        from: Box<Self>,
    },
}

/// Whether the hour of a clock time says which half of the day is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Am,
    Pm,
    /// "at 5": either.
    Unsaid,
    /// "15:00", "07:30": the 24-hour clock.
    Whole,
}

/// A time of day as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) half: Half,
    /// False for a bare number, which is a time only next to a word that makes it one.
    pub(super) certain: bool,
}

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
}

/// A move from now: "in 2 hours", "7 days ago".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    /// In quarters of the unit, so that "in 2.5 hours" and "in a quarter of an hour" are exact.
    pub(super) quarters: i64,
    pub(super) unit: Unit,
    /// "from today", "from right now": said instead of counted from the running hour.
    pub(super) anchor: Anchor,
}

/// What a shift is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Now,
    RightNow,
    Today,
}

/// A whole phrase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Phrase {
    pub(super) day: Option<Day>,
    pub(super) clock: Option<Clock>,
    pub(super) part: Option<Part>,
    pub(super) shift: Option<Shift>,
    /// "now", "asap": this very moment.
    pub(super) now: bool,
    /// The time zone after the clock, in minutes east of UTC.
    pub(super) offset: Option<i32>,
}

impl Phrase {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a rule found and the index of the first token after it.
type Found<T> = Option<(T, usize)>;

/// Words that may stand before or between the pieces of a phrase.
const CONNECTORS: &[&str] = &[
    "on",
    "at",
    "@",
    "by",
    "for",
    "around",
    "about",
    "approximately",
    "approx",
    "before",
    "until",
    "till",
    "due",
    "starting",
    "in",
    "the",
    "of",
    ",",
    "this",
    "from",
    "during",
    "exactly",
    "sharp",
];

/// The connecting words after which a bare number is a time.
const ANCHORS: &[&str] = &[
    "at",
    "@",
    "by",
    "for",
    "around",
    "about",
    "approximately",
    "before",
    "until",
    "till",
    "from",
];

/// Reads tokens.
pub(super) struct Parser<'t> {
    tokens: &'t [Token],
    /// The whole text is a date phrase: a bare number may be a time.
    lenient: bool,
}

impl<'t> Parser<'t> {
    pub(super) const fn new(tokens: &'t [Token], lenient: bool) -> Self {
        Self { tokens, lenient }
    }

    /// The longest phrase that starts at token `i`.
    pub(super) fn phrase(&self, i: usize) -> Found<Phrase> {
        let mut phrase = Phrase::default();
        let mut end = i;
        let mut at = i;
        while at < self.tokens.len() {
            let next = self.connectors(at);
            let from_here = self.piece(&mut phrase, at, (i, end > i));
            let step = from_here.or_else(|| {
                let anchored = end > i || next > at && ANCHORS.contains(&self.word(next - 1));
                if next > at {
                    self.piece(&mut phrase, next, (i, anchored))
                } else {
                    None
                }
            });
            let Some(stop) = step else { break };
            end = stop;
            at = stop;
        }
        (end > i && !phrase.is_empty()).then_some((phrase, end))
    }

    /// The index after up to four connecting words.
    fn connectors(&self, i: usize) -> usize {
        (i..i + 4)
            .find(|&j| !CONNECTORS.contains(&self.word(j)))
            .unwrap_or(i + 4)
    }

    /// Reads one piece that the phrase, which begins at `start`, does not hold yet. `anchored`: something before makes a bare
    /// number a time.
    fn piece(
        &self,
        phrase: &mut Phrase,
        i: usize,
        (start, anchored): (usize, bool),
    ) -> Option<usize> {
        // "today in one hour" is one moment, "March in a year" is not.
        let shiftable = phrase.clock.is_none() && matches!(phrase.day, None | Some(Day::Offset(_)));
        if shiftable
            && phrase.shift.is_none()
            && let Some((shift, end)) = self.shift(i)
        {
            phrase.shift = Some(shift);
            return Some(end);
        }
        if phrase.day.is_none()
            && phrase.shift.is_none()
            && let Some(((day, part), end)) = self.day_and_part(i)
        {
            phrase.day = Some(day);
            phrase.part = phrase.part.or(part);
            return Some(end);
        }
        if phrase.clock.is_none()
            && let Some((clock, end)) = self.clock(i)
            && (self.clock_fits(&clock, end, anchored) || self.is_said_first(start, i))
        {
            phrase.clock = Some(clock);
            let (offset, end) = self
                .zone(end)
                .map_or((None, end), |(found, end)| (Some(found), end));
            phrase.offset = offset;
            return Some(end);
        }
        if phrase.part.is_none()
            && let Some((part, end)) = self.part(i)
        {
            phrase.part = Some(part);
            return Some(end);
        }
        let end = self.now(i).filter(|_| self.lenient && phrase.is_empty())?;
        phrase.now = true;
        Some(end)
    }

    fn now(&self, i: usize) -> Option<usize> {
        let phrases: &[&[&str]] = &[
            &["right", "now"],
            &["just", "now"],
            &["at", "the", "moment"],
            &["now"],
            &["atm"],
            &["asap"],
            &["immediately"],
        ];
        phrases.iter().find_map(|words| self.words(i, words))
    }

    /// The text of token `i`, empty past the end.
    pub(super) fn word(&self, i: usize) -> &str {
        self.tokens.get(i).map_or("", |token| token.text.as_str())
    }

    /// The index after `words` when they stand at `i`.
    fn words(&self, i: usize, words: &[&str]) -> Option<usize> {
        words
            .iter()
            .enumerate()
            .all(|(k, word)| self.word(i + k) == *word)
            .then_some(i + words.len())
    }

    /// The index after one optional word out of `words`.
    fn skip(&self, i: usize, words: &[&str]) -> usize {
        if words.contains(&self.word(i)) {
            i + 1
        } else {
            i
        }
    }

    fn glued(&self, i: usize) -> bool {
        self.tokens.get(i).is_some_and(|token| token.glued)
    }
}
