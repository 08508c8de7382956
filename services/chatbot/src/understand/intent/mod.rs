//! What the user wants. Rules in a fixed order, each looking at whole words; the first that fits decides. They prefer to
//! say "unknown" over acting on something that was not meant for this product.

mod ask;
mod change;
mod create;
mod delete;
mod small_talk;

use std::ops::Range;

use super::lexicon::OPENERS;
use super::normalise::{self, Word};
use super::{Filter, Intent};

/// What a rule found: the intent, how sure it is, and which bytes of the message hold its arguments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub(super) intent: Intent,
    pub(super) confidence: f32,
    /// Where the title of a new to-do, or the words that name an existing one, stand.
    pub(super) argument: Range<usize>,
    /// Where the new title stands, or the new time.
    pub(super) second: Option<Range<usize>>,
    pub(super) filter: Option<Filter>,
    /// Every to-do is meant.
    pub(super) all: bool,
}

impl Reading {
    fn of(intent: Intent, confidence: f32) -> Self {
        Self {
            intent,
            confidence,
            argument: 0..0,
            second: None,
            filter: None,
            all: false,
        }
    }

    fn with(intent: Intent, confidence: f32, argument: Range<usize>) -> Self {
        Self {
            argument,
            ..Self::of(intent, confidence)
        }
    }
}

/// The words of a message as the rules see them.
pub(super) struct Message<'m> {
    pub(super) raw: &'m str,
    words: &'m [Word],
    /// The texts of `words`.
    pub(super) texts: &'m [&'m str],
    /// The first word of the command itself, after "can you please".
    pub(super) start: usize,
}

impl Message<'_> {
    /// The command's words.
    pub(super) fn command(&self) -> &[&str] {
        &self.texts[self.start..]
    }

    /// The bytes from word `from` (counted in `texts`) to the end.
    pub(super) fn rest(&self, from: usize) -> Range<usize> {
        let start = match from
            .checked_sub(1)
            .and_then(|before| self.words.get(before))
        {
            Some(before) => before.span.end,
            None => 0,
        };
        start..self.raw.len()
    }

    /// The bytes of the words `from..to`.
    pub(super) fn between(&self, from: usize, to: usize) -> Range<usize> {
        match (
            self.words.get(from),
            to.checked_sub(1).and_then(|last| self.words.get(last)),
        ) {
            (Some(first), Some(last)) if from < to => first.span.start..last.span.end,
            _ => 0..0,
        }
    }
}

/// Reads a message.
pub(super) fn read(raw: &str) -> Reading {
    let words = normalise::words(raw);
    let texts = normalise::texts(&words);
    if texts.is_empty() {
        return Reading::of(Intent::Unknown, 0.0);
    }
    let message = Message {
        raw,
        words: &words,
        texts: &texts,
        start: opener(&texts),
    };
    small_talk::answer(&message)
        .or_else(|| ask::leads(&message))
        .or_else(|| change::rename(&message))
        .or_else(|| change::reschedule(&message))
        .or_else(|| change::complete(&message))
        .or_else(|| delete::delete(&message))
        .or_else(|| create::explicit(&message))
        .or_else(|| create::later(&message))
        .or_else(|| create::clockwork(&message))
        .or_else(|| small_talk::help(&message))
        .or_else(|| ask::list(&message))
        .or_else(|| create::implied(&message))
        .or_else(|| small_talk::greeting(&message))
        .unwrap_or_else(|| Reading::of(Intent::Unknown, 0.0))
}

/// How many words stand before the command.
fn opener(texts: &[&str]) -> usize {
    let mut start = 0;
    while let Some(length) = OPENERS
        .iter()
        .filter_map(|phrase| normalise::starts_with(&texts[start..], phrase))
        .max()
    {
        if start + length >= texts.len() {
            break;
        }
        start += length;
    }
    start
}
