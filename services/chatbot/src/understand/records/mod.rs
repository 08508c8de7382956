//! Leads, deals, contacts, numbers and agents: what is asked about records other than to-dos. Rules only; a message fits when
//! its own words name such a record.

mod agents;
mod deals;
mod leads;
mod metrics;
mod parts;

use chrono::NaiveDateTime;

use super::lexicon::any;
use super::normalise::{self, Word, contains, starts_with};
use super::{Intent, Slots};

/// What a rule found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) intent: Intent,
    pub(super) slots: Slots,
    pub(super) confidence: f32,
}

impl Found {
    const fn new(intent: Intent, slots: Slots, confidence: f32) -> Self {
        Self {
            intent,
            slots,
            confidence,
        }
    }
}

/// A message as these rules see it.
struct Message<'m> {
    raw: &'m str,
    words: Vec<Word>,
    now: NaiveDateTime,
}

impl Message<'_> {
    fn texts(&self) -> Vec<&str> {
        normalise::texts(&self.words)
    }

    /// The text of the words `from..to` as written.
    fn written(&self, from: usize, to: usize) -> Option<String> {
        let (first, last) = (self.words.get(from)?, self.words.get(to.checked_sub(1)?)?);
        (from < to).then(|| self.raw[first.span.start..last.span.end].to_owned())
    }
}

/// Words that ask for something to be shown.
const SHOW: &[&str] = &[
    "show", "find", "list", "search", "get", "give", "look", "lookup", "display", "open", "which",
    "what", "whats", "who", "whos", "do", "are", "any", "fetch", "pull", "see", "view", "tell",
    "where",
];
/// Things of the to-do list: a message that names one is about to-dos.
const TODOS: &[&str] = &[
    "todo",
    "todos",
    "task",
    "tasks",
    "reminder",
    "reminders",
    "remind",
    "list",
    "calendar",
    "alarm",
    "meeting",
    "appointment",
];

/// Reads a message about such a record.
pub(super) fn read(raw: &str, now: NaiveDateTime) -> Option<Found> {
    let message = Message {
        raw,
        words: normalise::words(raw),
        now,
    };
    let texts = message.texts();
    let start = opener(&texts);
    let command = texts.get(start..).filter(|command| !command.is_empty())?;
    agents::read(&message, command, start)
        .or_else(|| leads::create(&message, command, start))
        .or_else(|| {
            let todos = any(command, TODOS) && !matches!(command[0], "list");
            if todos {
                return None;
            }
            leads::read(&message, command, start)
                .or_else(|| deals::read(&message, command, start))
                .or_else(|| leads::contact(&message, command, start))
                .or_else(|| metrics::read(&message, command))
        })
}

/// "please", "can you", "I want to".
fn opener(texts: &[&str]) -> usize {
    const OPENERS: &[&str] = &[
        "please",
        "can you",
        "could you",
        "would you",
        "i want to",
        "i would like to",
        "id like to",
        "i need to",
        "lets",
        "hey",
        "hi",
        "ok",
        "now",
        "and",
        "then",
        "me",
        "also",
    ];
    let mut at = 0;
    while let Some(length) = OPENERS
        .iter()
        .filter_map(|phrase| starts_with(&texts[at..], phrase))
        .max()
    {
        at += length;
    }
    at
}

/// "how many", "number of", "count".
fn counts(words: &[&str]) -> bool {
    ["how many", "number of", "count"]
        .iter()
        .any(|phrase| contains(words, phrase))
}
