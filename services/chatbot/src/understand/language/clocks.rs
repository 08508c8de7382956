//! Times of the day in other languages: which number is an hour, and what says the minutes ("y media", "halb zehn").

use super::Folded;
use super::lexicon::{Lexicon, TimeOfDay};
use crate::understand::Intent;
use crate::understand::numerals::{SMALL, index_in};

/// The words in which a time may stand.
#[derive(Clone, Copy)]
pub(super) struct Sentence<'a> {
    pub(super) message: &'a str,
    pub(super) words: &'a [Folded],
    pub(super) texts: &'a [&'a str],
    pub(super) lexicon: &'a Lexicon,
}

impl Sentence<'_> {
    /// The time that begins at a word, in English, and how many words say it.
    pub(super) fn clock(&self, at: usize) -> Option<(usize, String)> {
        let said = self.lexicon.clocks.iter();
        let with_minutes = said.filter_map(|said| self.with_minutes(at, said)).max();
        with_minutes
            .or_else(|| self.dotted(at))
            .or_else(|| Some((1, oclock(self.bare_hour(at)?))))
    }

    /// "um 10.30", "10:30 Uhr"; "am 10.12." is a day. A zero before the hour says that it is one of the morning.
    fn dotted(&self, at: usize) -> Option<(usize, String)> {
        let (hour, minutes) = (
            self.hour(at).map(|_| self.texts[at])?,
            self.minutes_at(at + 1)?,
        );
        let dotted = [".", ":"].contains(&self.between(at));
        let more = self.between(at + 1).starts_with(['.', ':']);
        let unit = self
            .texts
            .get(at + 2)
            .is_some_and(|word| self.is_unit(word));
        let is_time = dotted && !more && (unit || self.leads(at) > 0);
        is_time.then(|| (2 + usize::from(unit), format!("{hour}:{minutes:02}")))
    }

    /// "Uhr", "horas", "h": says that a number is an hour.
    fn is_unit(&self, word: &str) -> bool {
        let mut said = self.lexicon.clocks.iter();
        said.any(|one| one.minutes == 0 && matches!(&one.after[..], [unit] if unit == word))
    }

    /// "halb 10", "10 y media", "10 Uhr 30". What begins with the hour is a time only after a word that leads to one.
    fn with_minutes(&self, at: usize, said: &TimeOfDay) -> Option<(usize, String)> {
        let rest = &self.texts[at..];
        let after = rest.strip_prefix(words(&said.before, rest)?)?;
        let (hour, after) = (self.hour(at + said.before.len())?, after.get(1..)?);
        words(&said.after, after)?;
        if said.before.is_empty() && self.leads(at) == 0 {
            return None;
        }
        let length = said.before.len() + 1 + said.after.len();
        if said.minutes != 0 {
            return Some((length, minutes_past(hour, said.minutes)));
        }
        match self.minutes(at + length) {
            Some(minutes) => Some((length + 1, minutes_past(hour, minutes))),
            None => Some((length, oclock(hour))),
        }
    }

    /// "10 Uhr 30": two digits that count nothing.
    fn minutes(&self, at: usize) -> Option<i32> {
        let minutes = self.minutes_at(at)?;
        let counts = at + 1 < self.words.len() && self.may_be_counted(at + 1);
        (!counts && !self.is_punctuated(at)).then_some(minutes)
    }

    fn minutes_at(&self, at: usize) -> Option<i32> {
        let text = self.texts.get(at).filter(|text| text.len() == 2)?;
        text.parse()
            .ok()
            .filter(|minutes| (0..60).contains(minutes))
    }

    /// "um 10 Pedro anzurufen": after a word that leads to a time, a number is an hour when nothing is counted by it; also
    /// before a name, which might be a thing, where the time is said before what is to be done.
    fn bare_hour(&self, at: usize) -> Option<u32> {
        let (hour, leads) = (self.hour(at)?, self.leads(at));
        let next = self.texts.get(at + 1)?;
        if leads == 0 || self.is_punctuated(at) || self.lexicon.date_at(&self.texts[at + 1..]) {
            return None;
        }
        let counts = self.lexicon.is_counted(next);
        let open = !self.may_be_counted(at + 1) || self.is_said_first(at - leads);
        (open && !counts).then_some(hour)
    }

    /// How many words before it lead to a time: "um", "a las".
    fn leads(&self, at: usize) -> usize {
        self.lexicon.ends("hours", &self.texts[..at])
    }

    /// A time before what is to be done: it begins the sentence, or stands after the request or the day.
    fn is_said_first(&self, at: usize) -> bool {
        let before = &self.texts[..at];
        let requests = self.lexicon.patterns.iter();
        let mut requests = requests.filter(|one| one.intent == Intent::TodoCreate);
        let ends = |words: &[String]| {
            let skipped = before.len().checked_sub(words.len());
            !words.is_empty() && skipped.is_some_and(|n| words == &before[n..])
        };
        before.is_empty()
            || self.lexicon.ends("openers", before) > 0
            || requests.any(|one| ends(&one.head))
            || self
                .lexicon
                .dates
                .iter()
                .any(|(day, english)| english.len() > 3 && ends(day))
    }

    /// Whether a word may be a thing of which there are several: of capitals and plurals one cannot know.
    fn may_be_counted(&self, at: usize) -> bool {
        let word = &self.words[at];
        let capital = self.message[word.span.start..].starts_with(char::is_uppercase);
        capital || self.lexicon.is_counted(&word.text)
    }

    /// "10:30", "3.5": what touches the number says more of it.
    fn is_punctuated(&self, at: usize) -> bool {
        let between = self.between(at);
        at + 1 < self.words.len() && !between.starts_with([' ', ','])
    }

    /// What stands between a word and the next one, or the end.
    fn between(&self, at: usize) -> &str {
        let Some(word) = self.words.get(at) else {
            return "";
        };
        let next = self.words.get(at + 1).map(|next| next.span.start);
        &self.message[word.span.end..next.unwrap_or(self.message.len())]
    }

    fn hour(&self, at: usize) -> Option<u32> {
        let text = *self.texts.get(at)?;
        let in_digits = text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
        let hour = match in_digits {
            true => text.parse().ok(),
            false => index_in(SMALL, self.lexicon.english_of(text)?),
        };
        hour.filter(|hour| (1..=24).contains(hour))
    }
}

/// The first words, when they are these.
fn words<'a, 't>(wanted: &[String], words: &'a [&'t str]) -> Option<&'a [&'t str]> {
    let first = words.get(..wanted.len())?;
    (wanted == first).then_some(first)
}

fn oclock(hour: u32) -> String {
    format!("{hour} oclock")
}

/// "halb 1" is half past twelve.
fn minutes_past(hour: u32, minutes: i32) -> String {
    let day = if hour <= 12 { 12 * 60 } else { 24 * 60 };
    let total = (i32::try_from(hour).unwrap_or(0) * 60 + minutes).rem_euclid(day);
    let hour = match (total / 60, day) {
        (0, 720) => 12,
        (hour, _) => hour,
    };
    format!("{hour}:{:02}", total % 60)
}
