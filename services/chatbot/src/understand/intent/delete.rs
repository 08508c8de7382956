//! Commands that delete: they always ask first, so a plain object is enough.

use super::super::Intent;
use super::super::lexicon::{DATED_NOUNS, DELETE_VERBS, FOREIGN, OWN_NOUNS, QUESTIONS, any};
use super::super::normalise::{contains, starts_with};
use super::change::everything;
use super::{Message, Reading, Shown, ask};

/// "delete X", "take X off my list", "get rid of X", "I no longer need X".
pub(super) fn delete(message: &Message<'_>) -> Option<Reading> {
    let (from, confidence) = delete_verb(message)?;
    let words = &message.texts[from..];
    let own = any(words, OWN_NOUNS) || any(words, DATED_NOUNS);
    if any(words, FOREIGN) && !any(words, OWN_NOUNS) && !any(words, DATED_NOUNS) {
        return None;
    }
    // A bare "delete it" has no object of ours; deletes ask first, so a plain object is enough.
    let confidence = if own { confidence } else { confidence - 0.25 };
    let all = everything(words);
    (!words.is_empty()).then(|| Reading {
        all,
        shown: ask::shown(words).filter(|shown| all && *shown != Shown::All),
        ..Reading::with(Intent::TodoDelete, confidence, message.rest(from))
    })
}

/// The index after the words that say "delete", and how sure that is.
fn delete_verb(message: &Message<'_>) -> Option<(usize, f32)> {
    const PHRASES: &[&str] = &[
        "get rid of",
        "throw out",
        "throw away",
        "cross out",
        "rub out",
        "take away",
        "forget about",
        "i no longer need to",
        "we no longer need",
        "i no longer need",
        "i will no longer be",
        "i dont need",
        "i do not need",
        "dont remind me",
        "do not remind me",
        "stop reminding me",
        "never remind me",
        "i dont want",
        "i no longer want",
        "no longer",
        "wipe out",
        "clear out",
        "clean out",
        "clean up",
        "blow away",
    ];
    let command = message.command();
    let own_noun = |words: &[&str]| any(words, OWN_NOUNS) || any(words, DATED_NOUNS);
    if let Some(length) = PHRASES
        .iter()
        .filter_map(|phrase| starts_with(command, phrase))
        .max()
    {
        let needless = matches!(command[0], "i") && contains(command, "no longer");
        return (needless || own_noun(command)).then_some((message.start + length, 0.9));
    }
    if let Some(verb) = command.first().filter(|verb| DELETE_VERBS.contains(*verb)) {
        let particle = usize::from(
            command
                .get(1)
                .is_some_and(|word| matches!(*word, "out" | "off" | "away" | "me")),
        );
        let turns = matches!(
            *verb,
            "undo"
                | "destroy"
                | "drop"
                | "kill"
                | "strike"
                | "nuke"
                | "abolish"
                | "suspend"
                | "clean"
                | "forget"
                | "disregard"
                | "reset"
                | "skip"
                | "blank"
        );
        return (!turns || own_noun(command)).then_some((message.start + 1 + particle, 0.95));
    }
    let taken = matches!(command.first(), Some(&"take" | &"clean"))
        && (contains(command, "off")
            || contains(command, "out of")
            || contains(command, "from")
            || contains(command, "out"));
    if taken && own_noun(command) {
        let particle = usize::from(
            command
                .get(1)
                .is_some_and(|word| matches!(*word, "off" | "out")),
        );
        return Some((message.start + 1 + particle, 0.9));
    }
    let silenced = [
        "close",
        "turn off",
        "shut off",
        "switch off",
        "stop",
        "end",
        "turn",
    ]
    .iter()
    .filter_map(|phrase| starts_with(command, phrase))
    .max();
    if let Some(length) = silenced
        && any(
            command,
            &["alarm", "alarms", "reminder", "reminders", "timer"],
        )
        && (length == 2 || command[0] != "turn" || contains(command, "off"))
    {
        return Some((message.start + length, 0.9));
    }
    later_verb(message)
}

/// The verb stands later: "on my list, remove milk", "this event needs to be deleted".
fn later_verb(message: &Message<'_>) -> Option<(usize, f32)> {
    let words = message.texts;
    if any(&words[..1], QUESTIONS) && message.start == 0
        || !(any(words, OWN_NOUNS) || any(words, DATED_NOUNS))
    {
        return None;
    }
    let passive = [
        "be deleted",
        "be removed",
        "be cancelled",
        "be canceled",
        "be erased",
        "be cleared",
        "to go away",
        "deleted",
        "removed",
        "cancelled",
        "canceled",
        "cleared",
        "erased",
    ];
    if passive.iter().any(|phrase| contains(words, phrase)) {
        return Some((message.start, 0.8));
    }
    if words.first() == Some(&"add") || contains(words, "remind me") {
        return None;
    }
    let at = words
        .iter()
        .position(|word| matches!(*word, "delete" | "remove" | "cancel" | "erase"))?;
    Some((at + 1, 0.75))
}
