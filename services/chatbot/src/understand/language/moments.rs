//! Dates of other languages: the words that the lexicon has are put into English, the others are blanked, and the English
//! grammar reads the result.

use std::ops::Range as Span;

use chrono::NaiveDateTime;

use super::Folded;
use super::clocks::Sentence;
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
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let sentence = Sentence {
        message,
        words,
        texts: &texts,
        lexicon,
    };
    let mut at = 0;
    while at < words.len() {
        let known = lexicon.dates.iter().find(|(phrase, _)| {
            texts.len() >= at + phrase.len() && phrase.iter().zip(&texts[at..]).all(|(a, b)| a == b)
        });
        let (length, text) = match (sentence.clock(at), known) {
            (Some(clock), _) => clock,
            (None, Some((phrase, english))) => (phrase.len(), english.clone()),
            (None, None) => (
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
        at += length;
    }
    (english, pieces)
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
