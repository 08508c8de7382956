//! The message as words: lower case, without apostrophes and punctuation, each with its place in the original text.

use std::ops::Range;

/// A word of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// Lower case, apostrophes removed ("what's" is `whats`), "to-do" and "to do" joined to `todo`.
    pub(crate) text: String,
    /// Its bytes in the message.
    pub(crate) span: Range<usize>,
}

/// Splits a message into words.
pub(crate) fn words(message: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (at, c) in message.char_indices() {
        let end = at + c.len_utf8();
        let apostrophe = matches!(c, '\'' | '\u{2019}' | '\u{2018}' | '`');
        if c.is_alphanumeric() || open && apostrophe {
            match words.last_mut().filter(|_| open) {
                Some(word) => {
                    if !apostrophe {
                        word.text.extend(c.to_lowercase());
                        word.span.end = end;
                    }
                }
                None => words.push(Word {
                    text: c.to_lowercase().collect(),
                    span: at..end,
                }),
            }
            open = true;
        } else {
            open = false;
        }
    }
    join_todo(&words)
}

/// "to do list", "to-do", "todos": one word, because "to" and "do" apart mean something else.
fn join_todo(words: &[Word]) -> Vec<Word> {
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    let mut i = 0;
    while i < words.len() {
        let next = words.get(i + 1).map_or("", |word| word.text.as_str());
        let third = words.get(i + 2).map_or("", |word| word.text.as_str());
        let before = joined.last().map_or("", |word| word.text.as_str());
        let noun = matches!(
            third,
            "list" | "lists" | "item" | "items" | "s" | "task" | "tasks"
        ) || matches!(
            before,
            "a" | "my" | "new" | "the" | "list" | "another" | "open"
        ) || next == "dos"
            || adjacent(words, i);
        if words[i].text == "to" && matches!(next, "do" | "dos") && noun {
            let text = if next == "dos" { "todos" } else { "todo" };
            joined.push(Word {
                text: text.to_owned(),
                span: words[i].span.start..words[i + 1].span.end,
            });
            i += 2;
        } else {
            joined.push(words[i].clone());
            i += 1;
        }
    }
    joined
}

/// One character between two words: a hyphen ("to-do") as well as a space, so look at what follows too.
fn adjacent(words: &[Word], i: usize) -> bool {
    let Some(next) = words.get(i + 1) else {
        return false;
    };
    // "to do" at the end of a sentence after a noun ("my list to do") is the noun phrase as well.
    next.span.start == words[i].span.end + 1
        && words.get(i + 2).is_none()
        && i > 0
        && words[i - 1].text == "list"
}

/// The words as plain text, for rules that look at phrases.
pub(crate) fn texts(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}

/// True when `phrase` (words separated by spaces) stands at the beginning of `words`.
pub(crate) fn starts_with(words: &[&str], phrase: &str) -> Option<usize> {
    let mut count = 0;
    for expected in phrase.split(' ') {
        if words.get(count) != Some(&expected) {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// Where `phrase` stands in `words`.
pub(crate) fn position(words: &[&str], phrase: &str) -> Option<usize> {
    (0..words.len()).find(|i| starts_with(&words[*i..], phrase).is_some())
}

/// True when `phrase` stands anywhere in `words`.
pub(crate) fn contains(words: &[&str], phrase: &str) -> bool {
    position(words, phrase).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_to_do_is_one_word_and_to_do_something_is_two() {
        let text = |message| {
            words(message)
                .into_iter()
                .map(|word| word.text)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(text("What's on my to-do list?"), "whats on my todo list");
        assert_eq!(text("I need to do the dishes"), "i need to do the dishes");
        assert_eq!(text("add a to do: call Ada"), "add a todo call ada");
    }
}
