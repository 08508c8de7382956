//! Help and greetings.

use super::super::Intent;
use super::super::lexicon::{OWN_NOUNS, any};
use super::super::normalise::{contains, starts_with};
use super::{Message, Reading};

/// Whole messages that ask for help.
const WHOLE: &[&str] = &[
    "help",
    "help me",
    "commands",
    "usage",
    "what now",
    "i need help",
    "help please",
];
/// Parts of questions that ask for help.
const PARTS: &[&str] = &[
    "what can you do",
    "what do you do",
    "what can i ask",
    "what can i say",
    "what are you able to",
    "what are you capable",
    "what else can you",
    "how do you work",
    "what are your capabilities",
    "what kind of things can you",
    "what sort of things can",
    "what sorts of things",
    "what type of things",
    "what questions can",
    "questions can i ask",
    "things can i ask",
    "topics can i ask",
    "what can you help",
    "how can you help",
    "what could you",
    "what all can you",
    "what should i ask",
    "what am i able to ask",
    "what am i allowed to ask",
    "what can you tell",
    "can i ask you",
    "can you help me with",
    "are you familiar with",
    "do you know about",
    "what could i ask",
    "help me with",
    "you are capable",
    "youre capable",
    "you can do",
    "ask you about",
    "able to ask",
    "able to help",
    "what can i use you",
];

/// Questions about what this assistant can do.
pub(super) fn help(message: &Message<'_>) -> Option<Reading> {
    let joined = message.texts.join(" ");
    let asked = WHOLE.contains(&joined.as_str())
        || PARTS.iter().any(|part| contains(message.texts, part)) && !any(message.texts, OWN_NOUNS);
    asked.then(|| Reading::of(Intent::Help, 0.9))
}

/// "hello", "good morning".
pub(super) fn greeting(message: &Message<'_>) -> Option<Reading> {
    const GREETINGS: &[&str] = &[
        "hello",
        "hi",
        "hey",
        "good morning",
        "good afternoon",
        "good evening",
        "greetings",
        "hiya",
        "howdy",
        "yo",
        "how are you",
        "hows it going",
        "whats up",
        "sup",
        "how is it going",
        "how do you do",
        "nice to meet you",
        "thanks",
        "thank you",
        "how are things",
        "how have you been",
        "hello there",
    ];
    let greeted = GREETINGS
        .iter()
        .filter_map(|phrase| starts_with(message.texts, phrase))
        .max()?;
    (message.texts.len() <= greeted + 4).then(|| Reading::of(Intent::Smalltalk, 0.9))
}
