//! The title of a new to-do, and the words that name an existing one: the command's argument without the date, the list it
//! goes on and the words that only lead to it.

mod core;

use std::ops::Range;

use self::core::{KINDS, Keep, LEADS};
use super::lexicon::OWN_NOUNS;
use super::normalise::{self, Word};

/// Removes byte ranges from `argument` of `message` and returns what is left, the pieces joined.
fn without(message: &str, argument: Range<usize>, cut: &[Range<usize>]) -> String {
    let mut left = String::new();
    let mut at = argument.start;
    for span in cut {
        let (start, end) = (
            span.start.clamp(at, argument.end),
            span.end.clamp(at, argument.end),
        );
        left.push_str(&message[at..start]);
        if end > start {
            left.push(' ');
        }
        at = end;
    }
    left.push_str(&message[at..argument.end]);
    left
}

/// A title in quotation marks is meant letter by letter.
pub(super) fn quoted(text: &str) -> Option<&str> {
    let open = text.find(['"', '\u{201c}'])?;
    let after = &text[open..];
    let opened = after.chars().next()?.len_utf8();
    let close = after[opened..].find(['"', '\u{201d}'])?;
    Some(after[opened..opened + close].trim()).filter(|inner| !inner.is_empty())
}

/// The title that a new to-do gets.
pub(super) fn of_new(
    message: &str,
    argument: Range<usize>,
    dates: &[Range<usize>],
) -> Option<String> {
    if let Some(title) = quoted(&message[argument.clone()]) {
        return Some(title.to_owned());
    }
    let left = without(message, argument, dates);
    let named = after_colon(&left).map(str::to_owned).unwrap_or(left);
    tidy(&named, Keep::Determiner)
}

/// The words that name an existing to-do.
pub(super) fn of_existing(
    message: &str,
    argument: Range<usize>,
    dates: &[Range<usize>],
) -> Option<String> {
    if let Some(title) = quoted(&message[argument.clone()]) {
        return Some(title.to_owned());
    }
    tidy(&without(message, argument, dates), Keep::Nothing)
}

/// "a to-do: call Ada": what stands after the colon, when what stands before only says that it is a to-do.
fn after_colon(text: &str) -> Option<&str> {
    let (before, after) = text.split_once(": ").or_else(|| text.split_once(" - "))?;
    let words = normalise::words(before);
    let plain = words
        .iter()
        .all(|word| LEADS.contains(&word.text.as_str()) || OWN_NOUNS.contains(&word.text.as_str()));
    (plain && !after.trim().is_empty()).then_some(after)
}

fn tidy(text: &str, keep: Keep) -> Option<String> {
    let words = normalise::words(text);
    let texts = normalise::texts(&words);
    let (from, mut to) = core::core(&texts, keep);
    // "check-in" ends with its own word.
    while words
        .get(to)
        .is_some_and(|next| to > 0 && text[words[to - 1].span.end..next.span.start] == *"-")
    {
        to += 1;
    }
    let (first, last) = (words.get(from)?, words.get(to.checked_sub(1)?)?);
    if from >= to {
        return None;
    }
    let kept = trailing_marks(text, last, words.get(to));
    let title = text[opening_mark(text, first)..kept]
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    // "to get up" is something to do, "get a reminder" is not.
    let to_do = from > 0 && texts[from - 1] == "to";
    let only_kind = !to_do
        && texts[from..to].iter().all(|word| {
            KINDS.contains(word)
                || LEADS.contains(word)
                || matches!(*word, "it" | "this" | "something")
        });
    (!title.is_empty() && !only_kind).then_some(title)
}

/// A title may begin with a sign ("#12", "$5").
fn opening_mark(text: &str, first: &Word) -> usize {
    let before = &text[..first.span.start];
    let mark = before
        .chars()
        .next_back()
        .filter(|c| matches!(c, '#' | '$' | '@' | '\u{20ac}' | '\u{a3}' | '('));
    first.span.start - mark.map_or(0, char::len_utf8)
}

fn trailing_marks(text: &str, last: &Word, next: Option<&Word>) -> usize {
    let after = &text[last.span.end..next.map_or(text.len(), |word| word.span.start)];
    let marks: usize = after
        .chars()
        .take_while(|c| matches!(c, ')' | '%' | '+' | '\'' | '\u{20ac}'))
        .map(char::len_utf8)
        .sum();
    last.span.end + marks
}
