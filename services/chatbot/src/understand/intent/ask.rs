//! Questions: what is on the list.

use super::super::Intent;
use super::super::lexicon::{DATED_NOUNS, FOREIGN, OWN_NOUNS, QUESTIONS, SHOW_VERBS, any};
use super::super::normalise::{contains, starts_with};
use super::{Message, Reading, Shown};

/// "what's on my list?", "show my to-dos", "is milk on my list", "do I have any reminders".
pub(super) fn list(message: &Message<'_>) -> Option<Reading> {
    let words = message.texts;
    let command = message.command();
    let first = *command.first()?;
    let asks = QUESTIONS.contains(&first)
        || SHOW_VERBS.contains(&first)
        || QUESTIONS.contains(&words[0])
        || SHOW_VERBS.contains(&words[0]);
    // "how do I schedule a meeting" asks how it is done, not what there is.
    const WAYS: &[&str] = &[
        "how do i",
        "how can i",
        "how do you",
        "how can you",
        "how is a",
        "do i do to",
        "can i have a",
    ];
    if WAYS.iter().any(|way| contains(words, way))
        && !any(words, &["many", "much", "see", "view", "check", "find"])
    {
        return None;
    }
    let own = any(words, OWN_NOUNS);
    let personal = any(words, &["my", "i", "me", "mine", "our", "we", "im"]);
    // Anybody's events are news; mine are on my list.
    let public = any(words, &["event", "events"])
        && !personal
        && !any(words, &["calendar", "schedule", "agenda"]);
    let dated = any(words, DATED_NOUNS) && !public && (personal || !any(words, FOREIGN));
    let duty = DUTIES.iter().any(|phrase| contains(words, phrase)) && !any(words, FOREIGN);
    let foreign = any(
        words,
        &[
            "playlist",
            "playlists",
            "music",
            "songs",
            "song",
            "news",
            "emails",
            "email",
            "contacts",
            "weather",
            "train",
            "movies",
        ],
    );
    if foreign
        && !any(
            words,
            &[
                "todo",
                "todos",
                "task",
                "tasks",
                "reminder",
                "reminders",
                "calendar",
            ],
        )
    {
        return None;
    }
    let confidence = if asks && own {
        0.95
    } else if asks && dated || duty {
        0.85
    } else if own && words.len() <= 4 {
        0.7
    } else {
        return None;
    };
    let argument = message.rest(message.start);
    Some(Reading {
        shown: shown(words),
        ..Reading::with(Intent::TodoList, confidence, argument)
    })
}

/// Ways to ask for to-dos without naming one.
const DUTIES: &[&str] = &[
    "i have to do",
    "i need to do",
    "i should do",
    "am i supposed to",
    "i supposed to do",
    "i got to do",
    "on my plate",
    "do i have planned",
    "i have planned",
    "i have scheduled",
    "do i have scheduled",
    "have i planned",
    "my plans",
    "do i have going on",
    "i have going on",
    "am i doing",
    "due today",
    "due tomorrow",
    "overdue",
    "is due",
    "i have due",
    "am i free",
    "am i busy",
    "am i available",
    "do i need to remember",
    "wanted to remember",
    "want to remember",
    "trying to remember",
    "not want to forget",
    "left to do",
    "i have left",
    "do i have today",
    "do i have tomorrow",
    "do i have on",
    "do i have this",
    "do i have next",
    "my day look",
    "my week look",
    "i have today",
    "i have tomorrow",
    "whats next",
    "i have done",
    "did i finish",
    "did i complete",
    "have i completed",
    "have i finished",
    "do i have to",
    "what should i do",
    "do i have plans",
    "is my plan",
    "whats coming up",
    "left for today",
    "need to get done",
    "do i need to buy",
    "i have planned",
    "my schedule",
    "my agenda",
    "my calendar",
    "my upcoming week",
    "my day open",
    "my alarm",
    "my alarms",
    "next alarm",
    "do i have anything planned",
    "when is my",
];

pub(super) fn shown(words: &[&str]) -> Option<Shown> {
    let has = |list: &[&str]| any(words, list);
    if has(&["overdue", "late"]) || contains(words, "past due") {
        Some(Shown::Overdue)
    } else if has(&["done", "completed", "finished", "complete"]) && !has(&["not", "isnt", "arent"])
    {
        Some(Shown::Done)
    } else if has(&["today", "todays", "tonight"]) {
        Some(Shown::Today)
    } else if has(&["tomorrow", "tomorrows"]) {
        Some(Shown::Tomorrow)
    } else if starts_with(words, "list all").is_some()
        || has(&["all", "everything", "every", "entire", "whole"])
    {
        Some(Shown::All)
    } else {
        None
    }
}
