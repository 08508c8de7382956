//! Yes, no and maybe.

use super::super::Intent;
use super::super::lexicon::{DATED_NOUNS, OWN_NOUNS, any};
use super::super::normalise::{self, contains, starts_with};
use super::{Message, Reading};

const YES: &[&str] = &[
    "yes",
    "yep",
    "yeah",
    "yea",
    "yup",
    "ya",
    "y",
    "sure",
    "ok",
    "okay",
    "confirm",
    "confirmed",
    "correct",
    "right",
    "absolutely",
    "definitely",
    "affirmative",
    "exactly",
    "indeed",
    "certainly",
    "of course",
    "do it",
    "go ahead",
    "please do",
    "sounds good",
    "thats right",
    "that is right",
    "thats correct",
    "that is correct",
    "thats true",
    "that is true",
    "im sure",
    "i am sure",
    "i agree",
    "fine",
    "by all means",
    "true",
    "for sure",
    "proceed",
    "uh huh",
    "you bet",
    "positive",
    "totally",
    "i confirm",
    "delete it",
    "yes please",
    "all right",
    "alright",
    "you got it",
    "accepted",
    "approved",
    "thats a yes",
    "that is a yes",
    "that is affirmative",
    "you are correct",
    "do that",
    "sure thing",
    "that would be great",
    "that would be awesome",
    "it is",
    "agreed",
];
const NO: &[&str] = &[
    "no",
    "nope",
    "nah",
    "n",
    "never",
    "negative",
    "never mind",
    "nevermind",
    "cancel",
    "stop",
    "abort",
    "halt",
    "quit",
    "dont",
    "do not",
    "not now",
    "no way",
    "not really",
    "i dont think so",
    "i do not think so",
    "thats wrong",
    "that is wrong",
    "thats not right",
    "that is not right",
    "thats false",
    "that is false",
    "thats not true",
    "that is not true",
    "false",
    "wrong",
    "keep it",
    "leave it",
    "forget it",
    "on second thought",
    "hold on",
    "absolutely not",
    "definitely not",
    "of course not",
    "not at all",
    "i changed my mind",
    "incorrect",
    "rather not",
    "please dont",
    "please stop",
    "cancel that",
    "cancel it",
    "stop it",
    "stop that",
];
/// Said anywhere in a short message, these deny; taking a denial too seriously deletes nothing.
const DENIALS: &[&str] = &[
    "not right",
    "not true",
    "not correct",
    "not the case",
    "is false",
    "its false",
    "thats false",
    "isnt right",
    "isnt true",
    "is incorrect",
    "i dont think so",
    "i do not think so",
    "is negative",
    "a no",
    "be a no",
    "is no",
    "false statement",
    "not doing that",
    "dont do that",
    "do not do that",
    "stop that",
    "stop it",
    "stop now",
    "stop please",
    "please stop",
    "cancel it",
    "cancel that",
    "cancel the action",
    "cancel this",
    "current action",
    "the current task",
    "stop talking",
    "quit talking",
    "negative for",
];
const NEGATIONS: &[&str] = &[
    "no", "not", "dont", "isnt", "nope", "never", "false", "wrong", "cant", "wont", "doesnt",
    "but", "wait", "maybe", "unsure",
];

/// A bare answer to a question of ours. Short, and nothing in it names a to-do.
pub(super) fn answer(message: &Message<'_>) -> Option<Reading> {
    let words = message.texts;
    if words.len() > 9 || any(words, OWN_NOUNS) || any(words, DATED_NOUNS) {
        return None;
    }
    // "that is not false" is neither.
    let doubly = ["not false", "not wrong", "not incorrect", "not untrue"];
    if doubly.iter().any(|phrase| contains(words, phrase)) {
        return None;
    }
    unsure(words).or_else(|| no(message)).or_else(|| yes(words))
}

/// "maybe", "I am not sure".
fn unsure(words: &[&str]) -> Option<Reading> {
    const UNSURE: &[&str] = &[
        "maybe",
        "perhaps",
        "possibly",
        "not sure",
        "unsure",
        "uncertain",
        "no idea",
        "no clue",
        "i dont know",
        "i do not know",
        "dont really know",
        "i have no opinion",
        "not certain",
        "cant decide",
        "cannot decide",
        "hard to say",
        "i believe so",
        "i guess so",
        "i suppose so",
        "it depends",
        "undecided",
    ];
    let said = UNSURE.iter().any(|phrase| contains(words, phrase));
    let asks = matches!(words[0], "what" | "how" | "who" | "where" | "when" | "why");
    (said && !asks && words.len() <= 8).then(|| Reading::of(Intent::ConfirmUnsure, 0.85))
}

/// Whether the assistant's words are a question that a yes or a no answers.
#[must_use]
pub fn waits_for_answer(said: &str) -> bool {
    const OPEN: &[&str] = &[
        "which",
        "what",
        "when",
        "who",
        "where",
        "how",
        "why",
        "welche",
        "was",
        "wann",
        "wie",
        "wer",
        "cu\u{e1}l",
        "cual",
        "qu\u{e9}",
        "cu\u{e1}ndo",
        "quel",
        "quelle",
        "lequel",
        "laquelle",
        "quoi",
        "quand",
    ];
    let question = said.rsplit_once('?').map(|(before, _)| {
        let start = before.rfind(['.', '!', '\n', '?']).map_or(0, |at| at + 1);
        normalise::words(&before[start..])
    });
    question.is_some_and(|words| {
        words
            .first()
            .is_none_or(|word| !OPEN.contains(&word.text.as_str()))
    })
}

fn longest(words: &[&str], phrases: &[&str]) -> Option<usize> {
    phrases
        .iter()
        .filter_map(|phrase| starts_with(words, phrase))
        .max()
}

fn no(message: &Message<'_>) -> Option<Reading> {
    let words = message.texts;
    if let Some(length) = longest(words, NO) {
        if length == words.len() {
            return Some(Reading::of(Intent::ConfirmNo, 0.97));
        }
        // "cancel my trip" is a command about something else, "cancel please" an answer.
        let takes_object = matches!(
            words[0],
            "cancel"
                | "stop"
                | "abort"
                | "halt"
                | "quit"
                | "dont"
                | "do"
                | "never"
                | "hold"
                | "forget"
                | "keep"
                | "leave"
                | "wrong"
        );
        let fill = [
            "please", "it", "that", "this", "now", "do", "thanks", "action", "the",
        ];
        if !takes_object || words[length..].iter().all(|word| fill.contains(word)) {
            return Some(Reading::of(Intent::ConfirmNo, 0.85));
        }
    }
    let whole_command = longest(message.command(), NO) == Some(message.command().len());
    let denied = whole_command || DENIALS.iter().any(|phrase| contains(words, phrase));
    denied.then(|| Reading::of(Intent::ConfirmNo, 0.8))
}

fn yes(words: &[&str]) -> Option<Reading> {
    let length = longest(words, YES)?;
    let tail = &words[length..];
    if tail.is_empty() {
        return Some(Reading::of(Intent::ConfirmYes, 0.97));
    }
    let plain = matches!(
        words[0],
        "yes"
            | "yep"
            | "yeah"
            | "yea"
            | "yup"
            | "affirmative"
            | "correct"
            | "absolutely"
            | "definitely"
            | "exactly"
    );
    let hedged = any(tail, NEGATIONS) || any(tail, &["know", "if", "or"]);
    (!hedged && (plain || says_nothing_else(words[0], tail)))
        .then(|| Reading::of(Intent::ConfirmYes, 0.85))
}

/// Words that add nothing to a yes.
const FILL: &[&str] = &[
    "please",
    "thanks",
    "it",
    "thats",
    "that",
    "is",
    "right",
    "correct",
    "true",
    "go",
    "ahead",
    "do",
    "sure",
    "im",
    "i",
    "am",
    "of",
    "course",
    "yes",
    "so",
    "the",
    "fine",
    "good",
    "sounds",
    "ok",
    "okay",
    "delete",
    "confirm",
    "very",
    "much",
    "think",
    "know",
    "would",
    "like",
    "agree",
    "one",
    "accurate",
    "absolutely",
    "a",
    "definitely",
    "indeed",
    "exactly",
    "for",
    "certain",
    "its",
    "this",
    "you",
    "may",
    "can",
    "want",
    "to",
    "proceed",
    "got",
    "answer",
];

/// "ok show my list" is a command; "yes, that is right" is an answer.
fn says_nothing_else(first: &str, tail: &[&str]) -> bool {
    let polite = matches!(
        first,
        "ok" | "okay" | "right" | "fine" | "true" | "go" | "it" | "for"
    );
    tail.iter().all(|word| FILL.contains(word))
        && !(polite
            && tail
                .first()
                .is_some_and(|word| matches!(*word, "i" | "you" | "this")))
}
