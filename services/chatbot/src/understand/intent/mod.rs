//! What the user wants. Rules in a fixed order, each looking at whole words; the first that fits decides. They prefer to
//! say "unknown" over acting on something that was not meant for this product.

mod adjust;
mod answer;
mod ask;
mod change;
mod create;
mod delete;
mod lengthen;
mod small_talk;

use std::ops::Range;

pub use answer::waits_for_answer;

use super::Intent;
use super::lexicon::{self, OPENERS};
use super::normalise::{self, Word};

/// What a rule found: the intent, how sure it is, and which bytes of the message hold its arguments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub(super) intent: Intent,
    pub(super) confidence: f32,
    /// Where the title of a new to-do, or the words that name an existing one, stand.
    pub(super) argument: Range<usize>,
    /// What an existing one gets.
    pub(super) second: Option<Second>,
    pub(super) shown: Option<Shown>,
    /// Every to-do is meant.
    pub(super) all: bool,
    /// The message is put as a question about the user.
    pub(super) question: bool,
    /// A to-do, task or reminder is named.
    pub(super) own: bool,
}

/// What an existing to-do gets, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Second {
    Title(Range<usize>),
    Time(Range<usize>),
    /// Another priority, assignee or recurrence.
    Extras,
}

/// Which to-dos to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Today,
    Tomorrow,
    Overdue,
    Done,
    All,
}

impl Reading {
    fn of(intent: Intent, confidence: f32) -> Self {
        Self {
            intent,
            confidence,
            argument: 0..0,
            second: None,
            shown: None,
            all: false,
            question: false,
            own: false,
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
    let words = unquoted(raw);
    let texts = normalise::texts(&words);
    if texts.is_empty() {
        return Reading::of(Intent::None, 0.0);
    }
    let message = Message {
        raw,
        words: &words,
        texts: &texts,
        start: opener(&texts),
    };
    let mut reading = first_that_fits(&message);
    reading.question =
        lexicon::any(&texts[..1], lexicon::QUESTIONS) && lexicon::any(&texts, &["i", "my"]);
    reading.own = lexicon::any(
        &texts,
        &["todo", "todos", "task", "tasks", "reminder", "reminders"],
    );
    reading
}

/// The words; what stands in quotation marks is a title, whatever its words say.
fn unquoted(raw: &str) -> Vec<Word> {
    let mut words = normalise::words(raw);
    let marks: Vec<usize> = raw
        .char_indices()
        .filter(|(_, c)| matches!(c, '"' | '\u{201c}' | '\u{201d}'))
        .map(|(at, _)| at)
        .collect();
    for pair in marks.chunks_exact(2) {
        for word in &mut words {
            if pair[0] < word.span.start && word.span.end <= pair[1] {
                "quoted".clone_into(&mut word.text);
            }
        }
    }
    words
}

/// The same message read as another intent than the rules found: its whole command is the argument.
pub(super) fn reread(raw: &str, intent: Intent, confidence: f32) -> Reading {
    let words = normalise::words(raw);
    let texts = normalise::texts(&words);
    let message = Message {
        raw,
        words: &words,
        texts: &texts,
        start: opener(&texts),
    };
    Reading {
        shown: ask::shown(&texts).filter(|_| intent == Intent::TodoList),
        ..Reading::with(intent, confidence, message.rest(message.start))
    }
}

/// The rules in their order.
fn first_that_fits(message: &Message<'_>) -> Reading {
    answer::answer(message)
        .or_else(|| adjust::reopen(message))
        .or_else(|| adjust::adjust(message))
        .or_else(|| lengthen::lengthen(message))
        .or_else(|| change::rename(message))
        .or_else(|| change::reschedule(message))
        .or_else(|| change::complete(message))
        .or_else(|| delete::delete(message))
        .or_else(|| create::explicit(message))
        .or_else(|| create::later(message))
        .or_else(|| create::clockwork(message))
        .or_else(|| small_talk::help(message))
        .or_else(|| ask::list(message))
        .or_else(|| create::implied(message))
        .or_else(|| small_talk::greeting(message))
        .unwrap_or_else(|| Reading::of(Intent::None, 0.0))
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
