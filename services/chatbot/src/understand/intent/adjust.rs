//! Commands that change one thing about a to-do that exists: open it again, how much it matters, whose it is.

use super::super::Intent;
use super::super::lexicon::{DATED_NOUNS, FOREIGN, OWN_NOUNS, any};
use super::super::normalise::{contains, position, starts_with};
use super::super::{extras, recurrence};
use super::{Message, Reading, Second};

/// Said after what is opened again.
const OPENED: &[&str] = &[
    "as not done",
    "as undone",
    "as not completed",
    "as incomplete",
    "as not finished",
    "as unfinished",
    "as open",
    "as todo",
    "as not complete",
    "undone",
    "incomplete",
];

/// "reopen X", "mark X as not done", "uncheck X".
pub(super) fn reopen(message: &Message<'_>) -> Option<Reading> {
    const VERBS: &[&str] = &[
        "reopen",
        "re open",
        "uncheck",
        "untick",
        "unmark",
        "uncomplete",
        "restore",
    ];
    let command = message.command();
    if let Some(length) = VERBS
        .iter()
        .filter_map(|verb| starts_with(command, verb))
        .max()
    {
        let foreign = any(command, FOREIGN) && !any(command, OWN_NOUNS);
        return (length < command.len() && !foreign).then(|| {
            Reading::with(
                Intent::TodoReopen,
                0.9,
                message.rest(message.start + length),
            )
        });
    }
    if matches!(command.first(), Some(&("mark" | "set" | "flag" | "change"))) {
        let end = OPENED
            .iter()
            .filter_map(|end| position(command, end))
            .min()?;
        return (end > 1).then(|| {
            let argument = message.between(message.start + 1, message.start + end);
            Reading::with(Intent::TodoReopen, 0.9, argument)
        });
    }
    let words = message.texts;
    let end = [
        "is not done",
        "isnt done",
        "is not finished",
        "isnt finished",
        "is not complete",
    ]
    .iter()
    .filter_map(|end| position(words, end))
    .min()?;
    let statement = end > 0
        && !matches!(
            words[0],
            "what" | "which" | "why" | "show" | "list" | "that" | "this" | "it"
        );
    statement.then(|| {
        Reading::with(
            Intent::TodoReopen,
            0.75,
            message.between(message.start.min(end - 1), end),
        )
    })
}

/// "set the priority of X to high", "make X urgent", "assign X to Bob", "repeat X every week".
pub(super) fn adjust(message: &Message<'_>) -> Option<Reading> {
    priority(message)
        .or_else(|| assign(message))
        .or_else(|| repeat(message))
}

fn update(confidence: f32, argument: std::ops::Range<usize>) -> Reading {
    Reading {
        second: Some(Second::Extras),
        ..Reading::with(Intent::TodoUpdate, confidence, argument)
    }
}

fn priority(message: &Message<'_>) -> Option<Reading> {
    let command = message.command();
    let said = extras::priority(message.raw)?;
    let changes = matches!(
        command.first(),
        Some(
            &("set" | "change" | "make" | "mark" | "give" | "raise" | "lower" | "update" | "flag")
        )
    );
    // "set a reminder with high priority" makes a new one.
    let new = any(command, &["a", "an", "new", "another"]) && !contains(command, "of");
    if !changes || new {
        return None;
    }
    let of = position(command, "priority of")
        .or_else(|| position(command, "importance of"))
        .map(|at| at + 2);
    if let Some(from) = of {
        let to = command
            .iter()
            .rposition(|word| matches!(*word, "to" | "as"))?;
        return (from < to).then(|| {
            update(
                0.95,
                message.between(message.start + from, message.start + to),
            )
        });
    }
    let begin = message.rest(message.start + 1).start;
    (begin < said.span.start).then(|| update(0.9, begin..said.span.start))
}

fn assign(message: &Message<'_>) -> Option<Reading> {
    let command = message.command();
    let said = extras::assignee(message.raw)?;
    let verb = matches!(command.first(), Some(&("assign" | "reassign" | "delegate")));
    let begin = message.rest(message.start + 1).start;
    (verb && begin < said.span.start).then(|| update(0.9, begin..said.span.start))
}

fn repeat(message: &Message<'_>) -> Option<Reading> {
    let command = message.command();
    let said = recurrence::find(message.raw)?;
    let makes = command.first() == Some(&"make")
        && !any(command, &["a", "an", "new"])
        && any(command, &["repeat", "recur", "recurring", "repeating"]);
    let repeats = command.first() == Some(&"repeat") && !any(command, DATED_NOUNS);
    let begin = message.rest(message.start + 1).start;
    ((makes || repeats) && begin < said.span.start).then(|| update(0.85, begin..said.span.start))
}
