//! Later, longer or again: snoozing an alarm, adding time to a timer, pausing one. All change when something is due.

use super::super::Intent;
use super::super::lexicon::any;
use super::super::normalise::{contains, starts_with};
use super::{Message, Reading, Second};

/// Things that ring.
const RINGS: &[&str] = &[
    "alarm",
    "alarms",
    "timer",
    "timers",
    "reminder",
    "reminders",
];

/// "snooze for 10 minutes", "add 5 minutes to my alarm", "pause the timer".
pub(super) fn lengthen(message: &Message<'_>) -> Option<Reading> {
    let words = message.texts;
    let command = message.command();
    let first = *command.first()?;
    let rings = any(words, RINGS);
    let snoozed = any(words, &["snooze", "snoozed", "snoozing"]) && !any(words, &["without"]);
    let amount = command.iter().position(|word| is_unit(word));
    let lengthened = matches!(first, "add" | "put" | "give")
        && amount.is_some_and(|at| (1..=4).contains(&at) && longer_follows(&command[at + 1..]));
    let pushed = rings && pushes(words, first);
    let asked = matches!(
        words[0],
        "what"
            | "whats"
            | "is"
            | "which"
            | "show"
            | "list"
            | "how"
            | "when"
            | "do"
            | "cancel"
            | "delete"
            | "remove"
            | "stop"
            | "disable"
            | "turn"
    );
    let fits = !asked && (snoozed || lengthened || pushed);
    fits.then(|| {
        let rest = message.rest(message.start + 1);
        Reading {
            second: Some(Second::Time(rest.clone())),
            ..Reading::with(Intent::TodoUpdate, 0.85, rest)
        }
    })
}

/// "pause the timer", "repeat this alarm", "make the alarm half an hour later".
fn pushes(words: &[&str], first: &str) -> bool {
    matches!(
        first,
        "bump" | "pause" | "hold" | "continue" | "resume" | "relabel" | "label"
    ) || contains(words, "repeat this")
        || contains(words, "repeat last")
        || first == "make" && any(words, &["later", "earlier"])
}

fn is_unit(word: &str) -> bool {
    matches!(
        word,
        "minute" | "minutes" | "min" | "mins" | "hour" | "hours" | "second" | "seconds"
    )
}

/// "10 minutes to the alarm", and not "10 minutes of yoga to my list".
fn longer_follows(words: &[&str]) -> bool {
    [
        "to the alarm",
        "to my alarm",
        "to alarm",
        "to the timer",
        "to my timer",
        "to timer",
        "to each alarm",
        "more",
    ]
    .iter()
    .any(|phrase| starts_with(words, phrase).is_some())
}
