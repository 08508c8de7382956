//! Commands that make a to-do.

use super::super::Intent;
use super::super::lexicon::{
    ADD_VERBS, DATED_NOUNS, FOREIGN, MAKE_VERBS, OWN_NOUNS, QUESTIONS, any,
};
use super::super::normalise::{contains, position, starts_with};
use super::{Message, Reading};

/// What may be reminded of comes after one of these.
const TRIGGERS: &[&str] = &[
    "remind me",
    "do remind me",
    "do remind",
    "remind us",
    "remind my",
    "remind",
    "be reminded",
    "get reminded",
    "reminded",
    "reminder me",
    "note to self",
    "remember to",
    "dont let me forget",
    "do not let me forget",
    "dont forget to",
    "do not forget to",
    "dont forget",
    "make sure i remember",
    "make sure i dont forget",
    "make sure i do not forget",
    "make sure i",
    "i need to remember",
    "i must remember",
    "i have to remember",
    "help me remember",
    "notify me",
    "alert me",
    "ping me",
    "be notified",
    "let me not forget",
    "wake me up",
    "wake me",
    "warn me",
    "nudge me",
    "remember that i",
    "give me a reminder",
    "count down",
    "counting down",
    "notify us",
    "notification for",
    "make a note to",
    "make a note",
    "tell me to",
    "let me know in",
];

/// Clear requests for a new to-do.
pub(super) fn explicit(message: &Message<'_>) -> Option<Reading> {
    triggered(message)
        .or_else(|| updated(message))
        .or_else(|| added(message))
        .or_else(|| made(message))
}

/// "remind me to call Ada", also after a time ("tomorrow at 5 remind me to ...").
fn triggered(message: &Message<'_>) -> Option<Reading> {
    let words = message.texts;
    let command = message.command();
    if let Some(length) = TRIGGERS
        .iter()
        .filter_map(|trigger| starts_with(command, trigger))
        .max()
    {
        let length = length + somebody(&command[..length], &command[length..]);
        let asks = asks_back(&command[length..]);
        return (!asks).then(|| {
            Reading::with(
                Intent::TodoCreate,
                0.95,
                message.rest(message.start + length),
            )
        });
    }
    let begins_as_question = message.start == 0 && any(&words[..1], QUESTIONS);
    let (at, length) = TRIGGERS
        .iter()
        .filter(|t| t.contains(' '))
        .filter_map(|t| Some((position(words, t)?, t.split(' ').count())))
        .min()?;
    if begins_as_question && !matches!(words[0], "when" | "will" | "have") {
        return None;
    }
    let tail = at + length;
    let argument = if tail >= words.len() || at > 2 && words.len() - tail < 2 {
        message.between(message.start, at)
    } else {
        message.rest(tail)
    };
    Some(Reading::with(Intent::TodoCreate, 0.85, argument))
}

/// "remind my husband to get eggs": what is to be done stands after the person.
fn somebody(trigger: &[&str], rest: &[&str]) -> usize {
    let person = trigger.last() == Some(&"my");
    let joint = rest
        .iter()
        .take(4)
        .position(|word| matches!(*word, "to" | "that"))
        .filter(|at| *at > 0 && person);
    joint.unwrap_or(0)
}

/// "update my grocery list with milk".
fn updated(message: &Message<'_>) -> Option<Reading> {
    let command = message.command();
    let list = command
        .iter()
        .position(|word| matches!(*word, "list" | "lists"))?;
    let adds = matches!(command[0], "update" | "edit" | "change")
        && command.get(list + 1) == Some(&"with")
        && list + 2 < command.len();
    adds.then(|| {
        Reading::with(
            Intent::TodoCreate,
            0.85,
            message.rest(message.start + list + 2),
        )
    })
}

/// "remind me what is on my list" wants to be told now.
fn asks_back(words: &[&str]) -> bool {
    const BACK: &[&str] = &[
        "what",
        "which",
        "how many",
        "when my",
        "when is",
        "of what",
        "of the tasks",
        "of my reminders",
        "of my todo",
        "of the date",
        "of the items",
        "where",
    ];
    BACK.iter()
        .any(|phrase| starts_with(words, phrase).is_some())
}

/// "on my to-do list, add dishes", "I am out of milk, please put that on my list".
pub(super) fn later(message: &Message<'_>) -> Option<Reading> {
    let words = message.texts;
    if !(any(words, OWN_NOUNS) || any(words, DATED_NOUNS)) || any(words, FOREIGN) {
        return None;
    }
    let question = any(&words[..1], QUESTIONS) && message.start == 0;
    let conditional = [
        "if not",
        "if it is not",
        "if it isnt",
        "if they arent",
        "if its not",
        "please add",
        "please put",
        "can you add",
    ]
    .iter()
    .any(|phrase| contains(words, phrase));
    let at = words
        .iter()
        .rposition(|word| matches!(*word, "add" | "put" | "added"))?;
    if at == 0 || question && !conditional {
        return None;
    }
    let names_itself = words.get(at + 1).is_none_or(|word| {
        matches!(
            *word,
            "it" | "that" | "this" | "them" | "to" | "please" | "one"
        )
    });
    let argument = if names_itself {
        message.between(message.start, at)
    } else {
        message.rest(at + 1)
    };
    Some(Reading::with(Intent::TodoCreate, 0.75, argument))
}

/// "10 minute timer", "alarm ten am", "turn on the alarm".
pub(super) fn clockwork(message: &Message<'_>) -> Option<Reading> {
    const THINGS: &[&str] = &["alarm", "timer", "alarms", "countdown"];
    let command = message.command();
    let thing = any(command, THINGS);
    let turned_on = command.first() == Some(&"turn") && any(command, &["on"]) && thing;
    let at_an_end = command.len() <= 6
        && (THINGS.contains(&command[0]) || THINGS.contains(&command[command.len() - 1]));
    let timed = super::super::dates::says_a_time(message.raw)
        || any(
            command,
            &["minute", "minutes", "hour", "hours", "second", "seconds"],
        );
    let asked = any(
        command,
        &[
            "any",
            "next",
            "all",
            "show",
            "left",
            "remaining",
            "the",
            "my",
        ],
    ) || any(&command[..1], QUESTIONS);
    (turned_on || at_an_end && timed && !asked)
        .then(|| Reading::with(Intent::TodoCreate, 0.75, message.rest(message.start)))
}

/// "add milk", "add a to-do: call Ada", "put milk on my list".
fn added(message: &Message<'_>) -> Option<Reading> {
    let command = message.command();
    let first = *command.first()?;
    if ADD_VERBS.contains(&first) {
        let own = any(command, OWN_NOUNS) || any(command, DATED_NOUNS);
        let next = command.get(1).copied().unwrap_or_default();
        let foreign = any(command, FOREIGN) && !own
            || any(
                command,
                &["playlist", "contacts", "contact", "inbox", "volume"],
            )
            || next == "up";
        let bare = own || first == "add" && !foreign;
        let particle = usize::from(matches!(next, "down" | "in"));
        return (bare && !foreign && (first != "note" || own)).then(|| {
            Reading::with(
                Intent::TodoCreate,
                if own { 0.95 } else { 0.8 },
                message.rest(message.start + 1 + particle),
            )
        });
    }
    let listed = ["on", "to", "in", "onto", "into", "down"]
        .iter()
        .any(|word| contains(command, word))
        && (any(command, OWN_NOUNS) || any(command, DATED_NOUNS));
    (matches!(
        first,
        "put"
            | "place"
            | "write"
            | "stick"
            | "throw"
            | "enter"
            | "get"
            | "save"
            | "record"
            | "pencil"
    ) && listed)
        .then(|| Reading::with(Intent::TodoCreate, 0.9, message.rest(message.start + 1)))
}

/// "create a to-do to ...", "set an alarm for 7", "schedule a meeting with Tom", "new task: ...".
fn made(message: &Message<'_>) -> Option<Reading> {
    let command = message.command();
    let first = *command.first()?;
    let noun = command
        .iter()
        .position(|word| OWN_NOUNS.contains(word) || DATED_NOUNS.contains(word))?;
    let shows = matches!(
        first,
        "open"
            | "get"
            | "give"
            | "have"
            | "mark"
            | "need"
            | "turn"
            | "up"
            | "track"
            | "throw"
            | "keep"
            | "post"
    );
    if any(command, &["playlist", "rundown", "overview", "summary"])
        || contains(command, "run down")
    {
        return None;
    }
    let article = command[..noun].iter().any(|word| {
        matches!(
            *word,
            "a" | "an" | "another" | "new" | "some" | "two" | "multiple"
        )
    });
    if MAKE_VERBS.contains(&first) && (!shows || article && first != "have") {
        return Some(Reading::with(
            Intent::TodoCreate,
            if noun <= 5 { 0.9 } else { 0.7 },
            message.rest(message.start + 1),
        ));
    }
    let wants = [
        "i need",
        "i want",
        "i would like",
        "id like",
        "i require",
        "need",
        "want",
        "i could use",
        "we need",
        "i will need",
        "ill need",
    ];
    let wanting = wants
        .iter()
        .filter_map(|phrase| starts_with(message.texts, phrase))
        .max();
    if let Some(length) = wanting
        && (article
            || contains(message.texts, "set")
            || contains(message.texts, "added")
            || contains(message.texts, "scheduled"))
        && !any(message.texts, &["hear", "see", "know", "what", "if"])
    {
        return Some(Reading::with(
            Intent::TodoCreate,
            0.85,
            message.rest(length.max(message.start)),
        ));
    }
    let labelled = matches!(
        first,
        "todo" | "task" | "reminder" | "alarm" | "timer" | "appointment" | "meeting"
    ) && command.len() > 2;
    let connects = matches!(
        command.get(1).copied().unwrap_or_default(),
        "to" | "for" | "about" | "at" | "that" | "with" | "on"
    ) || message.raw.contains(':');
    (labelled && connects)
        .then(|| Reading::with(Intent::TodoCreate, 0.85, message.rest(message.start)))
}

/// Statements that imply a to-do: "I have a meeting with Al on March 21st at ten".
pub(super) fn implied(message: &Message<'_>) -> Option<Reading> {
    let words = message.texts;
    let statement = [
        "i have a",
        "i have an",
        "ive got a",
        "i got a",
        "theres a",
        "there is a",
        "i have",
    ]
    .iter()
    .filter_map(|phrase| starts_with(words, phrase))
    .max()?;
    let dated = super::super::dates::says_a_time(message.raw);
    (dated && any(words, DATED_NOUNS))
        .then(|| Reading::with(Intent::TodoCreate, 0.6, message.rest(statement)))
}
