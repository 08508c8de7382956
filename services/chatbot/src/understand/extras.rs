//! How much a to-do matters and who is to do it.

use std::ops::Range as Span;

use super::Priority;
use super::normalise::{self, Word, starts_with};

/// A part of the message and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) span: Span<usize>,
}

/// Nouns of the kind of thing.
const KINDS: &[&str] = &[
    "todo",
    "todos",
    "task",
    "tasks",
    "reminder",
    "reminders",
    "item",
    "items",
    "one",
    "ones",
];
/// What leads to a priority and goes with it.
const LEADS: &[&str] = &[
    "and set it as",
    "and mark it as",
    "and make it",
    "set it as",
    "mark it as",
    "make it",
    "marked as",
    "mark as",
    "set as",
    "with a",
    "with",
    "and its",
    "its",
    "as a",
    "as",
];

/// "urgent", "high priority", "low prio", "priority: high".
pub(super) fn priority(message: &str) -> Option<Said<Priority>> {
    let words = normalise::words(message);
    let texts = normalise::texts(&words);
    (0..texts.len())
        .find_map(|at| {
            let (value, length) = grade(&texts, at)?;
            let lead = lead(&texts, at);
            let span = words.get(at - lead)?.span.start..words.get(at + length - 1)?.span.end;
            Some(Said { value, span })
        })
        .or_else(|| of_a_record(&words, &texts))
        .filter(|said| !quoted(message, &said.span))
}

/// The priority that a word names.
pub(super) fn degree(word: &str) -> Option<Priority> {
    Some(match word {
        "high" | "higher" | "top" | "highest" | "important" => Priority::High,
        "normal" | "medium" | "regular" => Priority::Normal,
        "low" | "lower" | "lowest" => Priority::Low,
        "urgent" | "critical" => Priority::Urgent,
        _ => return None,
    })
}

/// "set the priority of call Ada to high": the priority stands last.
fn of_a_record(words: &[Word], texts: &[&str]) -> Option<Said<Priority>> {
    let of =
        normalise::contains(texts, "priority of") || normalise::contains(texts, "importance of");
    let value = degree(texts.last()?).filter(|_| of)?;
    Some(Said {
        value,
        span: words.last()?.span.clone(),
    })
}

/// A priority at a place, and how many words say it.
fn grade(texts: &[&str], at: usize) -> Option<(Priority, usize)> {
    let word = texts[at];
    let next = texts.get(at + 1).copied().unwrap_or_default();
    let noun = |word: &str| matches!(word, "priority" | "prio" | "importance");
    if let Some(value) = degree(word)
        && noun(next)
    {
        return Some((value, 2));
    }
    if noun(word)
        && let Some(value) = degree(next)
    {
        return Some((value, 2));
    }
    // "urgent care" is a place: alone it counts at an end, before the kind of thing, and after "as".
    let before = at.checked_sub(1).map_or("", |before| texts[before]);
    let stands = next.is_empty()
        || KINDS.contains(&next)
        || matches!(before, "as" | "its" | "very" | "it")
        || at == 0 && next != "care";
    match word {
        "urgent" | "urgently" if stands => Some((Priority::Urgent, 1)),
        "important" if KINDS.contains(&next) || matches!(before, "as") => Some((Priority::High, 1)),
        _ => None,
    }
}

fn lead(texts: &[&str], at: usize) -> usize {
    LEADS
        .iter()
        .map(|phrase| phrase.split(' ').count())
        .zip(LEADS)
        .filter(|(count, phrase)| {
            at >= *count && starts_with(&texts[at - count..at], phrase).is_some()
        })
        .map(|(count, _)| count)
        .max()
        .unwrap_or(0)
}

/// A title in quotation marks is meant letter by letter.
fn quoted(message: &str, span: &Span<usize>) -> bool {
    message[..span.start].matches('"').count() % 2 == 1 && message[span.end..].contains('"')
}

/// "assign to Bob", "assigned to Ada", "a task for Ada to call the bank": whose a to-do is. `me` is the user.
pub(super) fn assignee(message: &str) -> Option<Said<String>> {
    let words = normalise::words(message);
    let texts = normalise::texts(&words);
    assigned(message, &words, &texts)
        .or_else(|| for_somebody(message, &words, &texts))
        .filter(|said| !quoted(message, &said.span))
}

fn assigned(message: &str, words: &[Word], texts: &[&str]) -> Option<Said<String>> {
    let verb = texts.iter().position(|word| {
        matches!(
            *word,
            "assign" | "assigned" | "delegate" | "delegated" | "reassign"
        )
    })?;
    let to = (verb..texts.len()).rev().find(|at| texts[*at] == "to")?;
    // "assign it to Bob" and "assign to Bob" name him after the verb; "assign the call with Ada to Bob" has him last.
    let near = (verb + 1..=verb + 2).find(|at| texts.get(*at) == Some(&"to"));
    let to = near.unwrap_or(to);
    let (value, end) = name(message, words, texts, to + 1, near.is_none())?;
    let pronoun =
        to == verb + 1 || to == verb + 2 && matches!(texts[verb + 1], "it" | "this" | "that");
    let begin = if pronoun {
        let and = verb > 0 && texts[verb - 1] == "and";
        verb - usize::from(and)
    } else {
        to
    };
    Some(Said {
        value,
        span: words[begin].span.start..words[end - 1].span.end,
    })
}

/// A name only where nothing else can stand: right after the kind of thing. "buy flowers for Ada" is a title.
fn for_somebody(message: &str, words: &[Word], texts: &[&str]) -> Option<Said<String>> {
    let at = (1..texts.len()).find(|at| {
        texts[*at] == "for" && matches!(texts[at - 1], "todo" | "task" | "assignment")
    })?;
    let (value, end) = name(message, words, texts, at + 1, false)?;
    Some(Said {
        value,
        span: words[at].span.start..words[end - 1].span.end,
    })
}

/// A name of one or two words with capitals, `me`, or, where nothing follows, one word without.
fn name(
    message: &str,
    words: &[Word],
    texts: &[&str],
    at: usize,
    last: bool,
) -> Option<(String, usize)> {
    let first = words.get(at)?;
    if matches!(texts[at], "me" | "myself") {
        return Some(("me".to_owned(), at + 1));
    }
    let capital = |word: &Word| message[word.span.clone()].starts_with(char::is_uppercase);
    let day = super::dates::says_a_time(texts[at]);
    if capital(first) && !day {
        let second = words.get(at + 1).filter(|word| {
            capital(word)
                && message[first.span.end..word.span.start].trim().is_empty()
                && !super::dates::says_a_time(&word.text)
        });
        let end = second.map_or(at + 1, |_| at + 2);
        let text = &message[first.span.start..words[end - 1].span.end];
        return Some((text.to_owned(), end));
    }
    let alone = at + 1 == texts.len() && !day;
    let known = !matches!(
        texts[at],
        "the" | "my" | "it" | "them" | "someone" | "somebody"
    );
    (alone && known && (last || at >= 2)).then(|| (message[first.span.clone()].to_owned(), at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_are_words_of_priority() {
        for (message, value, said) in [
            (
                "add a high priority task to call Ada",
                Priority::High,
                "high priority",
            ),
            ("call Ada, urgent", Priority::Urgent, "urgent"),
            ("urgent: call Ada", Priority::Urgent, "urgent"),
            ("add call Ada with low prio", Priority::Low, "with low prio"),
            (
                "apply for the job and set it as high priority",
                Priority::High,
                "and set it as high priority",
            ),
            (
                "call Ada, priority: normal",
                Priority::Normal,
                "priority: normal",
            ),
            ("an important task", Priority::High, "important"),
        ] {
            let found = priority(message);
            let found = found.as_ref();
            assert_eq!(found.map(|found| found.value), Some(value), "{message}");
            assert_eq!(
                found.map(|found| &message[found.span.clone()]),
                Some(said),
                "{message}"
            );
        }
        for message in [
            "drive to urgent care today",
            "buy high chairs",
            "important dates book",
            "add \"urgent task\"",
        ] {
            assert_eq!(priority(message), None, "{message}");
        }
    }

    #[test]
    fn assignees_stand_where_only_a_name_can() {
        for (message, value) in [
            ("add a task: send the offer, assign to Bob", "Bob"),
            (
                "add send the offer and assign it to Ada Lovelace",
                "Ada Lovelace",
            ),
            ("assign the call with Grace to bob", "bob"),
            ("create a task for Ada to call the bank", "Ada"),
            ("assign it to me", "me"),
            ("show tasks assigned to Ada", "Ada"),
        ] {
            assert_eq!(
                assignee(message).map(|said| said.value).as_deref(),
                Some(value),
                "{message}"
            );
        }
        for message in [
            "buy flowers for Ada",
            "create a task for tomorrow",
            "create a task for Monday: call",
            "read the assignment",
            "remind me to go to the bank",
        ] {
            assert_eq!(assignee(message), None, "{message}");
        }
    }
}
