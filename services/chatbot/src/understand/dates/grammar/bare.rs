//! Bare numbers: whether "5" is a time or counts something.

use super::{CONNECTORS, Clock, Parser};

/// Words of which nobody has a number: what stands before them is a time ("at 10 because", "at 7 my").
const UNCOUNTED: &[&str] = &[
    "a",
    "an",
    "my",
    "your",
    "our",
    "his",
    "her",
    "their",
    "me",
    "you",
    "we",
    "he",
    "she",
    "they",
    "it",
    "after",
    "if",
    "because",
    "so",
    "when",
    "while",
    "then",
    "as",
    "re",
    "regarding",
];

impl Parser<'_> {
    /// A bare number is a time after "at", next to a day, or when the whole text is a date phrase.
    pub(super) fn clock_fits(&self, clock: &Clock, end: usize, anchored: bool) -> bool {
        clock.certain
            || self.lenient
            || self.zone(end).is_some()
            || anchored && self.ends_a_number(end)
            || self.day_word_follows(end)
    }

    /// "remind me tomorrow at 10 call Pedro", a phrase from `start` with its number at `i`: when is said before what, so that
    /// the number counts nothing.
    pub(super) fn is_said_first(&self, start: usize, i: usize) -> bool {
        let before = |at: usize, n: usize| at.checked_sub(n).map_or("", |at| self.word(at));
        before(start, 2) == "remind"
            && matches!(before(start, 1), "me" | "us")
            && before(i, 1) == "at"
    }

    /// After a bare number nothing may follow that makes it a count ("at 5 guys", "for 3 people").
    pub(super) fn ends_a_number(&self, i: usize) -> bool {
        let follows = self.word(i);
        follows.is_empty()
            || CONNECTORS.contains(&follows)
            || matches!(
                follows,
                "." | "!"
                    | "?"
                    | "to"
                    | "and"
                    | "with"
                    | "that"
                    | "i"
                    | "please"
                    | "tomorrow"
                    | "tonight"
                    | "today"
                    | "every"
            )
            || UNCOUNTED.contains(&follows)
            || self.day_and_part(i).is_some()
    }

    fn day_word_follows(&self, i: usize) -> bool {
        matches!(self.word(i), "tomorrow" | "tonight" | "today")
            || self.word(i) == "this"
                && matches!(self.word(i + 1), "morning" | "afternoon" | "evening")
    }
}
