//! English date phrases, without a model: tokens, a grammar, and the resolution to local time. What is not understood is
//! declined; a wrong date in a to-do is worse than none.

mod grammar;
mod holidays;
mod period;
mod resolve;
mod tokenise;
mod zones;

use std::ops::Range;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use grammar::{Day, Parser, Phrase, Which};
use tokenise::Token;

/// A moment in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The day, and the time of it when one was said (else an hour that means nothing).
    pub at: NaiveDateTime,
    /// True when a time of the day was said.
    pub has_clock: bool,
    /// True when a day was said, or how far from now it is.
    pub has_day: bool,
    /// The time zone that was said, in minutes east of UTC; the user's when none was.
    pub offset: Option<i32>,
}

impl Moment {
    /// The instant, for a user who lives in `zone`.
    #[must_use]
    pub fn instant(&self, zone: Tz) -> DateTime<Utc> {
        match self.offset {
            Some(minutes) => (self.at - TimeDelta::minutes(i64::from(minutes))).and_utc(),
            None => super::instant(self.at, zone),
        }
    }
}

/// A moment that a sentence names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The moment.
    pub moment: Moment,
    /// The bytes of the sentence that say it, in order.
    pub spans: Vec<Range<usize>>,
    /// True for "every monday" and "tomorrow's meeting": the phrase says when, and stays part of the title.
    pub part_of_title: bool,
}

/// Reads a text that is a date phrase and nothing else.
#[must_use]
pub fn parse(text: &str, now: NaiveDateTime) -> Option<Moment> {
    let tokens = tokenise::tokenise(text);
    let (phrase, end) = Parser::new(&tokens, true).phrase(0)?;
    let rest_is_noise = tokens[end..]
        .iter()
        .all(|token| matches!(token.text.as_str(), "." | "," | "!"));
    if !rest_is_noise {
        return None;
    }
    resolve::resolve(&phrase, now)
}

/// A phrase in a sentence.
struct Hit {
    phrase: Phrase,
    first: usize,
    end: usize,
    part_of_title: bool,
}

/// Finds the moment that a sentence names. A day and a time may stand apart ("tomorrow call Ada at 3pm").
#[must_use]
pub fn find(text: &str, now: NaiveDateTime) -> Option<Mention> {
    let tokens = tokenise::tokenise(text);
    let hits = hits(&tokens);
    let dated = hits
        .iter()
        .rposition(|hit| hit.phrase.day.is_some() || hit.phrase.shift.is_some());
    let main = dated.or_else(|| hits.len().checked_sub(1))?;
    let mut phrase = hits[main].phrase.clone();
    let mut used = vec![main];
    if phrase.clock.is_none() && phrase.shift.is_none() {
        let other = hits.iter().rposition(|hit| {
            hit.phrase.day.is_none() && hit.phrase.shift.is_none() && hit.phrase.clock.is_some()
        });
        if let Some(other) = other {
            phrase.clock = hits[other].phrase.clock;
            phrase.offset = hits[other].phrase.offset;
            phrase.part = phrase.part.or(hits[other].phrase.part);
            used.push(other);
        }
    }
    used.sort_unstable();
    let moment = resolve::resolve(&phrase, now)?;
    let spans = used
        .iter()
        .map(|k| tokens[hits[*k].first].start..tokens[hits[*k].end - 1].end)
        .collect();
    Some(Mention {
        moment,
        spans,
        part_of_title: used.iter().any(|k| hits[*k].part_of_title),
    })
}

/// True when a sentence names a day or a time at all.
#[must_use]
pub fn says_a_time(text: &str) -> bool {
    !hits(&tokenise::tokenise(text)).is_empty()
}

fn hits(tokens: &[Token]) -> Vec<Hit> {
    let parser = Parser::new(tokens, false);
    let mut hits = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        match parser.phrase(i) {
            Some((phrase, end)) if stands_out(tokens, &phrase, i, end) => {
                let recurring = i > 0 && matches!(tokens[i - 1].text.as_str(), "every" | "each");
                let possessive = matches!(
                    tokens[end - 1].text.as_str(),
                    "tomorrows" | "todays" | "tonights"
                );
                hits.push(Hit {
                    phrase,
                    first: i,
                    end,
                    part_of_title: recurring || possessive,
                });
                i = end;
            }
            _ => i += 1,
        }
    }
    hits
}

/// What may follow a date that stands alone.
const CLOSES: &[&str] = &[
    "", ".", "!", "?", ",", ":", "to", "that", "at", "and", "i", "about", "please", "for", "from",
];

/// Words that may be something else ("monday report", "christmas presents", "night shift") are dates only where a date
/// would stand: after a preposition, at an end of the sentence, or before a word that cannot continue a name.
fn stands_out(tokens: &[Token], phrase: &Phrase, first: usize, end: usize) -> bool {
    let noun_like = matches!(
        phrase.day,
        Some(
            Day::Weekday {
                which: Which::Coming,
                ..
            } | Day::Holiday { .. }
        )
    );
    let part_only = phrase.part.is_some()
        && phrase.day.is_none()
        && phrase.clock.is_none()
        && phrase.shift.is_none();
    let named_only = noun_like && phrase.clock.is_none();
    if !named_only && !part_only {
        return true;
    }
    let prepositions = [
        "on", "by", "for", "before", "until", "till", "in", "this", "due", "at", "every", "each",
        "during",
    ];
    let opening = tokens[first].text.as_str();
    let after = tokens.get(end).map_or("", |token| token.text.as_str());
    // "for morning walk" names the walk.
    let names_more = part_only && opening == "for" && !CLOSES.contains(&after);
    if prepositions.contains(&opening) && !names_more {
        return true;
    }
    if part_only {
        return false;
    }
    first == 0 || CLOSES.contains(&after) || tokens[first - 1].text == "every"
}
