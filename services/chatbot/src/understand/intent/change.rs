//! Commands about a to-do that exists: rename, reschedule, complete.

use super::super::Intent;
use super::super::lexicon::{DATED_NOUNS, FOREIGN, OWN_NOUNS, QUESTIONS, any};
use super::super::normalise::{contains, position, starts_with};
use super::{Message, Reading, Second};

/// "rename X to Y", "change the title of X to Y".
pub(super) fn rename(message: &Message<'_>) -> Option<Reading> {
    const VERBS: &[&str] = &[
        "rename",
        "retitle",
        "relabel",
        "reword",
        "change the title of",
        "change the name of",
        "change the text of",
        "edit the title of",
        "update the title of",
        "change the wording of",
        "edit the name of",
        "edit",
        "change",
        "update",
        "replace",
    ];
    let command = message.command();
    let length = VERBS
        .iter()
        .filter_map(|verb| starts_with(command, verb))
        .max()?;
    let from = message.start + length;
    let joint = ["to", "into", "as", "with"]
        .iter()
        .filter_map(|word| position(&message.texts[from..], word))
        .min()?;
    let middle = from + joint;
    let explicit = length > 1 || matches!(command[0], "rename" | "retitle" | "relabel" | "reword");
    if joint == 0
        || middle + 1 >= message.texts.len()
        || length == 1 && fills_or_clears(&message.texts[from..])
    {
        return None;
    }
    // "change my alarm to 7" moves it; "change the color to red" is not about to-dos.
    let (old, new) = (message.between(from, middle), message.rest(middle + 1));
    let own = any(&message.texts[from..middle], OWN_NOUNS);
    let quoted = message.raw.contains('"');
    let moves = super::super::dates::says_a_time(&message.raw[new.clone()]);
    if !explicit && (!(own || quoted) || moves) {
        return None;
    }
    let confidence = if explicit { 0.95 } else { 0.8 };
    Some(Reading {
        second: Some(Second::Title(new)),
        ..Reading::with(Intent::TodoUpdate, confidence, old)
    })
}

/// "move X to friday", "postpone X until 5pm", "snooze my alarm for 10 minutes".
pub(super) fn reschedule(message: &Message<'_>) -> Option<Reading> {
    const VERBS: &[&str] = &[
        "reschedule",
        "postpone",
        "snooze",
        "push back",
        "push",
        "move",
        "delay",
        "bring forward",
        "change",
        "update",
        "shift",
        "adjust",
        "extend",
        "put off",
        "edit",
        "modify",
    ];
    let command = message.command();
    let verb = VERBS
        .iter()
        .filter_map(|verb| Some((starts_with(command, verb)?, *verb)))
        .max()?;
    let from = message.start + verb.0;
    let words = &message.texts[from..];
    let own = any(words, OWN_NOUNS) || any(words, DATED_NOUNS);
    let elsewhere =
        matches!(verb.1, "change" | "update" | "edit" | "move") && fills_or_clears(words);
    let timed = super::super::dates::says_a_time(&message.raw[message.rest(from)]);
    let clear = matches!(verb.1, "reschedule" | "postpone" | "snooze");
    if elsewhere
        || any(words, FOREIGN) && !own
        || !(own
            || clear && (timed || words.is_empty())
            || timed && matches!(verb.1, "move" | "push" | "delay" | "push back" | "put off"))
    {
        return None;
    }
    let joint = ["to", "until", "till", "by", "for", "from"]
        .iter()
        .filter_map(|word| position(words, word))
        .filter(|at| *at > 0)
        .min();
    let confidence = if timed { 0.9 } else { 0.7 };
    let (argument, second) = match joint {
        Some(at) => (
            message.between(from, from + at),
            Some(Second::Time(message.rest(from + at))),
        ),
        None => (message.rest(from), Some(Second::Time(message.rest(from)))),
    };
    Some(Reading {
        second,
        ..Reading::with(Intent::TodoUpdate, confidence, argument)
    })
}

/// "update my list with shoes" adds, "change that off the list" and "edit this event out of my calendar" delete.
fn fills_or_clears(words: &[&str]) -> bool {
    const CLEARED: &[&str] = &[
        "off the list",
        "off my list",
        "out of my",
        "out of the",
        "to trash",
        "to the trash",
        "delete",
        "remove",
        "erase",
        "removed",
    ];
    let list = words
        .iter()
        .position(|word| matches!(*word, "list" | "lists"));
    let filled = list.is_some_and(|at| words.get(at + 1) == Some(&"with"));
    filled || CLEARED.iter().any(|phrase| contains(words, phrase))
}

/// Said before what is done.
const FINISHED: &[&str] = &[
    "check off",
    "tick off",
    "cross off",
    "complete",
    "finish",
    "mark off",
    "close",
    "i have finished",
    "ive finished",
    "i finished",
    "i just finished",
    "i completed",
    "i have completed",
    "ive completed",
    "i just completed",
    "i did",
    "i have done",
    "ive done",
    "i already did",
    "im done with",
    "i am done with",
    "done with",
    "done",
    "finished",
    "finished with",
    "completed",
    "i am finished with",
    "im finished with",
    "we finished",
    "i checked off",
    "i took care of",
    "ive taken care of",
];
/// Said after what is marked.
const MARKED: &[&str] = &[
    "as done",
    "as complete",
    "as completed",
    "as finished",
    "done",
    "complete",
    "completed",
    "finished",
    "is done",
    "is complete",
    "is completed",
    "is finished",
    "off my list",
    "off the list",
    "has been done",
    "are done",
    "to done",
    "as closed",
    "off",
    "to complete",
    "to completed",
];

/// "mark X as done", "check off X", "I finished X", "X is done".
pub(super) fn complete(message: &Message<'_>) -> Option<Reading> {
    marked(message)
        .or_else(|| finished(message))
        .or_else(|| reported(message))
}

/// "mark X as done", "check X off my list".
fn marked(message: &Message<'_>) -> Option<Reading> {
    let command = message.command();
    let first = *command.first()?;
    let set =
        matches!(first, "set" | "change") && !any(command, &["reminder", "alarm", "timer", "off"]);
    let marks = matches!(first, "mark" | "tick" | "check" | "cross" | "flag") || set;
    if !marks || first == "cross" && command.get(1) == Some(&"out") {
        return None;
    }
    let end = MARKED
        .iter()
        .filter_map(|end| closing(command, end))
        .min()?;
    let from = message.start + 1;
    let argument = if command.get(1) == Some(&"off") {
        message.rest(from + 1)
    } else {
        message.between(from, message.start + end)
    };
    Some(Reading {
        all: everything(&command[1..]),
        ..Reading::with(Intent::TodoComplete, 0.95, argument)
    })
}

/// "I finished X", "check off X", "done with X".
fn finished(message: &Message<'_>) -> Option<Reading> {
    let words = message.texts;
    let whole = FINISHED
        .iter()
        .filter_map(|phrase| starts_with(words, phrase))
        .max();
    let opened = FINISHED
        .iter()
        .filter_map(|phrase| starts_with(message.command(), phrase))
        .max();
    let at = whole.max(opened.map(|length| message.start + length))?;
    // "I did not ...", "I did add milk" report no finished to-do.
    let denied = words
        .get(at)
        .is_none_or(|word| matches!(*word, "not" | "nt" | "i" | "remember" | "add" | "put"));
    // "close the alarm" silences it.
    let silenced = words[at - 1] == "close"
        && any(
            &words[at..],
            &["alarm", "alarms", "timer", "reminder", "reminders"],
        );
    if denied || silenced || any(&words[at..], FOREIGN) {
        return None;
    }
    Some(Reading {
        all: everything(&words[at..]),
        ..Reading::with(Intent::TodoComplete, 0.85, message.rest(at))
    })
}

/// "the invoice is done".
fn reported(message: &Message<'_>) -> Option<Reading> {
    const ENDINGS: &[&str] = &[
        "is done",
        "is complete",
        "is completed",
        "is finished",
        "are done",
        "has been done",
    ];
    let words = message.texts;
    let at = ENDINGS.iter().find_map(|end| {
        position(words, end).filter(|at| at + end.split(' ').count() == words.len())
    })?;
    let question = any(&words[..1], QUESTIONS) && message.start == 0;
    (at > 0 && !question).then(|| {
        Reading::with(
            Intent::TodoComplete,
            0.8,
            message.between(message.start.min(at - 1), at),
        )
    })
}

/// Where `phrase` ends the command, but for the list that it is on.
fn closing(command: &[&str], phrase: &str) -> Option<usize> {
    let at = position(command, phrase).filter(|at| *at > 0)?;
    let after = command
        .get(at + phrase.split(' ').count())
        .copied()
        .unwrap_or_default();
    matches!(
        after,
        "" | "of" | "from" | "on" | "in" | "my" | "the" | "please" | "now" | "today"
    )
    .then_some(at)
}

/// "all my to-dos", "everything", "my whole list".
pub(super) fn everything(words: &[&str]) -> bool {
    let opening = words
        .first()
        .is_some_and(|word| matches!(*word, "all" | "everything" | "every" | "each"));
    let whole = [
        "my list",
        "the list",
        "my todo list",
        "my todos",
        "whole list",
        "entire list",
        "whole todo list",
        "entire todo list",
        "my tasks",
        "my reminders",
        "all of my",
        "all my",
        "all the",
    ];
    opening
        || whole
            .iter()
            .any(|phrase| starts_with(words, phrase) == Some(words.len()))
        || contains(words, "everything")
        || contains(words, "all of my")
        || contains(words, "all my")
}
