//! Dates of other languages: the words that the lexicon has are put into English, the others are blanked, and the English
//! grammar reads the result.

use std::ops::Range as Span;

use chrono::NaiveDateTime;

use super::Folded;
use super::lexicon::Lexicon;
use crate::understand::dates;

/// A moment, and the bytes of the message that say it.
pub(super) struct Moment {
    pub(super) moment: dates::Moment,
    pub(super) spans: Vec<Span<usize>>,
}

/// A piece of the English text and where it comes from.
struct Piece {
    english: Span<usize>,
    source: Span<usize>,
}

/// Finds the moment that a message names.
pub(super) fn find(
    message: &str,
    words: &[Folded],
    lexicon: &Lexicon,
    now: NaiveDateTime,
) -> Option<Moment> {
    let (english, pieces) = translated(message, words, lexicon);
    let found = dates::find(&english, now)?;
    let spans = found
        .spans
        .iter()
        .filter_map(|span| {
            let mut inside = pieces
                .iter()
                .filter(|piece| piece.english.start < span.end && piece.english.end > span.start);
            let first = inside.next()?;
            let last = inside.next_back().unwrap_or(first);
            Some(first.source.start..last.source.end)
        })
        .collect();
    Some(Moment {
        moment: found.moment,
        spans,
    })
}

fn translated(message: &str, words: &[Folded], lexicon: &Lexicon) -> (String, Vec<Piece>) {
    let mut english = String::new();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let texts: Vec<&str> = words[at..].iter().map(|word| word.text.as_str()).collect();
        let known = lexicon.dates.iter().find(|(phrase, _)| {
            texts.len() >= phrase.len() && phrase.iter().zip(&texts).all(|(a, b)| a == b)
        });
        let (length, text) = match known {
            Some((phrase, english)) => (phrase.len(), english.clone()),
            None => (
                1,
                number(message, words, at).unwrap_or_else(|| "xx".to_owned()),
            ),
        };
        let begin = english.len();
        english.push_str(&text);
        // A time keeps its colon: "15:30" are two words.
        let last = at + length - 1;
        let glue = words
            .get(last + 1)
            .is_some_and(|next| &message[words[last].span.end..next.span.start] == ":");
        let source = words[at].span.start..words[last].span.end;
        pieces.push(Piece {
            english: begin..english.len(),
            source,
        });
        english.push(if glue { ':' } else { ' ' });
        if known.is_none() && is_hour_before_a_verb(words, at) {
            english.push_str(". ");
        }
        at += length;
    }
    (english, pieces)
}

/// "a las 10 llamar a Ada": an infinitive is nothing that one counts, so the number before it is an hour.
fn is_hour_before_a_verb(words: &[Folded], at: usize) -> bool {
    let text = |n: usize| words.get(n).map_or("", |word| word.text.as_str());
    let after_hours = at >= 2 && text(at - 2) == "a" && text(at - 1) == "las";
    let is_verb = |word: &str| ["ar", "er", "ir"].iter().any(|end| word.ends_with(end));
    after_hours && is_verb(text(at + 1))
}

/// A number stays as it is; "15h30" and "15h" are times.
fn number(message: &str, words: &[Folded], at: usize) -> Option<String> {
    let text = words[at].text.as_str();
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if digits {
        let dotted = words.get(at + 1).is_some_and(|next| {
            &message[words[at].span.end..next.span.start] == "."
                && next.text.bytes().all(|b| b.is_ascii_digit())
        });
        return (!dotted).then(|| text.to_owned());
    }
    if matches!(
        text.trim_start_matches(|c: char| c.is_ascii_digit()),
        "am" | "pm"
    ) && text.len() > 2
    {
        return Some(text.to_owned());
    }
    let (hour, minute) = text.split_once('h')?;
    let plain = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
    if hour.is_empty() || !plain(hour) || !plain(minute) {
        return None;
    }
    let minute = if minute.is_empty() { "00" } else { minute };
    Some(format!("{hour}:{minute}"))
}
