//! The core of an argument: leads, kinds and list names taken off both ends.

use super::super::normalise::starts_with;

/// Words between the command and the title.
pub(super) const LEADS: &[&str] = &[
    "a new",
    "a",
    "an",
    "new",
    "another",
    "me",
    "us",
    "to",
    "that",
    "about",
    "of",
    "for",
    "on",
    "the",
    "my",
    "called",
    "named",
    "titled",
    "saying",
    "which says",
    "that says",
    "labeled",
    "with the title",
    "with title",
    "i need to",
    "i have to",
    "i should",
    "i must",
    "i want to",
    "we need to",
    "i am",
    "up",
    "down",
    "regarding",
    "it is",
    "its",
    "there is",
    "in order to",
    "you to",
    "also",
    "is",
    "not to forget to",
    "please",
    "set",
    "make",
    "create",
    "add",
    "have",
    "get",
    "off",
    "out",
    "any",
    "our",
    "personal",
    "some",
    "in a",
    "in the",
    "be to",
    "reminding me to",
    "reminding me",
    "remind me to",
    "remind me",
    "i have",
    "and",
    "as",
    "from",
    "re",
];
/// Nouns of ours that only say what kind of thing is meant.
pub(super) const KINDS: &[&str] = &[
    "todo",
    "todos",
    "task",
    "tasks",
    "reminder",
    "reminders",
    "item",
    "items",
    "entry",
    "todo item",
    "list",
    "lists",
    "checklist",
    "chore",
    "notification",
    "alert",
    "repeat reminder",
    "recurring reminder",
];
/// Words after the title that belong to the sentence.
const TAILS: &[&str] = &[
    "please",
    "thanks",
    "thank you",
    "for me",
    "now",
    "right now",
    "asap",
    "ok",
    "okay",
    "to",
    "on",
    "at",
    "for",
    "by",
    "too",
    "as well",
    "and",
    "from",
    "of",
    "in",
    "anymore",
    "the",
    "later",
    "later on",
    "is",
    "soon",
];

/// What a title keeps of its beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// "call the bank": inside a title articles stay.
    Determiner,
    /// Only what tells it from others.
    Nothing,
}

/// The words of the title inside the argument: leads, kinds and list names taken off both ends.
pub(super) fn core(texts: &[&str], keep: Keep) -> (usize, usize) {
    let mut to = list_reference(texts).unwrap_or(texts.len());
    let mut from = leading_list(&texts[..to]);
    loop {
        let rest = &texts[from..to];
        let kind = KINDS
            .iter()
            .filter_map(|kind| starts_with(rest, kind))
            .max()
            .unwrap_or(0);
        // "a reminder dentist" is about the dentist, "a list price" about the price.
        let reminds = matches!(rest.first(), Some(&("reminder" | "reminders")));
        let named =
            from > 0 && !reminds && kind > 0 && kind < rest.len() && continues_name(rest[kind]);
        if kind > 0 && kind < rest.len() && !named {
            from += kind;
            continue;
        }
        let lead = LEADS
            .iter()
            .filter_map(|lead| starts_with(rest, lead))
            .max()
            .unwrap_or(0);
        // "get milk", "make dinner": a verb of the title, not of the command, once "to" was said.
        let verb = matches!(
            rest.first(),
            Some(&("get" | "make" | "set" | "create" | "add" | "have" | "up" | "off" | "out"))
        );
        let after_to = from > 0 && texts[from - 1] == "to";
        let first_verb = from == 0 && keep == Keep::Determiner;
        if lead == 0 || lead >= rest.len() || verb && (after_to || first_verb) {
            break;
        }
        from += lead;
    }
    while let Some(cut) = TAILS
        .iter()
        .filter(|tail| ends_with(&texts[from..to], tail))
        .map(|tail| tail.split(' ').count())
        .max()
    {
        if cut >= to - from {
            break;
        }
        to -= cut;
    }
    // "the dentist reminder" is about the dentist, "a reminder" about nothing yet.
    if keep == Keep::Nothing || matches!(texts[from..to].last(), Some(&("reminder" | "reminders")))
    {
        to = without_kind_tail(texts, from, to);
    }
    (from, to)
}

/// "list" in "list price" is part of a name.
fn continues_name(word: &str) -> bool {
    !LEADS.contains(&word) && !matches!(word, "i" | "at" | "tomorrow" | "call" | "buy" | "with")
}

fn ends_with(words: &[&str], phrase: &str) -> bool {
    let count = phrase.split(' ').count();
    words.len() >= count
        && words[words.len() - count..]
            .iter()
            .copied()
            .eq(phrase.split(' '))
}

/// "the dentist reminder" names the dentist.
fn without_kind_tail(texts: &[&str], from: usize, mut to: usize) -> usize {
    while to > from + 1
        && matches!(
            texts[to - 1],
            "reminder"
                | "reminders"
                | "task"
                | "todo"
                | "item"
                | "todos"
                | "tasks"
                | "off"
                | "entry"
        )
    {
        to -= 1;
    }
    to
}

/// Where "to my to-do list" begins at the end of the words.
fn list_reference(texts: &[&str]) -> Option<usize> {
    let tail = texts.iter().rposition(|word| is_place(word))?;
    let after = &texts[tail + 1..];
    let ends = after.iter().all(|word| {
        matches!(
            *word,
            "please"
                | "for"
                | "me"
                | "now"
                | "thanks"
                | "of"
                | "things"
                | "to"
                | "do"
                | "todo"
                | "buy"
                | "today"
                | "tomorrow"
                | "and"
                | "by"
        )
    });
    if !ends {
        return None;
    }
    let begin = texts[..tail].iter().rposition(|word| {
        matches!(
            *word,
            "to" | "on" | "onto" | "in" | "into" | "from" | "off" | "of" | "for"
        )
    })?;
    let between = &texts[begin + 1..tail];
    let plain = between.len() <= 4
        && between.first().is_none_or(|word| {
            matches!(
                *word,
                "my" | "the" | "our" | "this" | "that" | "a" | "todo" | "list"
            )
        });
    (begin > 0 && plain).then(|| {
        if matches!(texts[begin - 1], "off" | "out" | "on") {
            begin - 1
        } else {
            begin
        }
    })
}

fn is_place(word: &str) -> bool {
    matches!(
        word,
        "list"
            | "lists"
            | "todo"
            | "todos"
            | "tasks"
            | "calendar"
            | "calender"
            | "schedule"
            | "agenda"
            | "reminders"
            | "checklist"
            | "wishlist"
            | "chores"
    )
}

/// "to my list: milk", "on the list milk" at the beginning.
fn leading_list(texts: &[&str]) -> usize {
    let Some(place) = texts.iter().take(5).position(|word| is_place(word)) else {
        return 0;
    };
    let opens = matches!(texts[0], "to" | "on" | "in" | "into" | "onto");
    // "to schedule a meeting" is what is to be done, "to the schedule" is where it goes.
    let owned = texts
        .get(1)
        .is_some_and(|word| matches!(*word, "my" | "the" | "our" | "list" | "todo"));
    if opens && owned && place + 1 < texts.len() {
        place + 1
    } else {
        0
    }
}
