//! The lexica, read once from their files. A line is a phrase; `*` stands for the argument, a `+` at the end means that the
//! phrase counts only when a to-do, a reminder or a list is named too.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::fold;
use crate::understand::{Intent, Language};

static SPANISH: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::parse(include_str!("es.txt")));
static GERMAN: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::parse(include_str!("de.txt")));
static FRENCH: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::parse(include_str!("fr.txt")));

/// A way to say something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) intent: Intent,
    /// Words before the argument.
    pub(super) head: Vec<String>,
    /// Words after it.
    pub(super) tail: Vec<String>,
    /// Whether there is an argument at all.
    pub(super) open: bool,
    /// Counts only when a thing of ours is named.
    pub(super) needs_own: bool,
}

/// A way to say a time: words around the hour, and how many minutes they are after it (before it, when negative).
#[derive(Debug)]
pub(super) struct TimeOfDay {
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
    pub(super) minutes: i32,
}

/// The words of a language.
#[derive(Debug, Default)]
pub(in crate::understand) struct Lexicon {
    pub(super) patterns: Vec<Pattern>,
    sections: BTreeMap<String, Vec<Vec<String>>>,
    /// Date words and their English, the longest first.
    pub(super) dates: Vec<(Vec<String>, String)>,
    /// What is said around the hour, `*` in the file.
    pub(super) clocks: Vec<TimeOfDay>,
    weights: HashMap<String, usize>,
}

/// The sections whose lines are ways to say an intent.
const INTENTS: &[(&str, Intent)] = &[
    ("create", Intent::TodoCreate),
    ("list", Intent::TodoList),
    ("complete", Intent::TodoComplete),
    ("reopen", Intent::TodoReopen),
    ("update", Intent::TodoUpdate),
    ("delete", Intent::TodoDelete),
    ("yes", Intent::ConfirmYes),
    ("no", Intent::ConfirmNo),
    ("unsure", Intent::ConfirmUnsure),
    ("help", Intent::Help),
    ("greeting", Intent::Smalltalk),
];

impl Lexicon {
    /// The lexicon of a language; English has rules instead.
    pub(in crate::understand) fn of(language: Language) -> Option<&'static Self> {
        match language {
            Language::En => None,
            Language::Es => Some(&SPANISH),
            Language::De => Some(&GERMAN),
            Language::Fr => Some(&FRENCH),
        }
    }

    fn parse(text: &str) -> Self {
        let mut lexicon = Self::default();
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                section = name;
                continue;
            }
            lexicon.line(section, line);
        }
        lexicon
            .dates
            .sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        lexicon
    }

    fn line(&mut self, section: &str, line: &str) {
        if section == "dates" {
            if let Some((said, english)) = line.split_once('=') {
                let words = split(said);
                words.iter().for_each(|word| self.weigh(word, 1));
                self.dates.push((words, english.trim().to_owned()));
            }
            return;
        }
        if section == "clocks" {
            self.clock(line);
            return;
        }
        for phrase in line.split('|') {
            let intent = INTENTS.iter().find(|(name, _)| *name == section);
            if let Some((_, intent)) = intent {
                self.pattern(*intent, phrase);
                continue;
            }
            let words = split(phrase);
            let weight = match section {
                "function" => 2,
                // They say little about the language: "km", "euro", the ends of words.
                "hours" | "counted" | "uncounted" | "plurals" => 0,
                _ => 1,
            };
            words.iter().for_each(|word| self.weigh(word, weight));
            self.sections
                .entry(section.to_owned())
                .or_default()
                .push(words);
        }
    }

    fn clock(&mut self, line: &str) {
        let said = line.split_once('=').and_then(|(said, minutes)| {
            let (before, after) = said.split_once('*')?;
            Some((split(before), split(after), minutes.trim().parse().ok()?))
        });
        self.clocks
            .extend(said.map(|(before, after, minutes)| TimeOfDay {
                before,
                after,
                minutes,
            }));
    }

    fn pattern(&mut self, intent: Intent, phrase: &str) {
        let phrase = phrase.trim();
        let needs_own = phrase.ends_with('+');
        let phrase = phrase.trim_end_matches('+');
        let answers = matches!(
            intent,
            Intent::ConfirmYes
                | Intent::ConfirmNo
                | Intent::ConfirmUnsure
                | Intent::Help
                | Intent::Smalltalk
        );
        let (head, tail) = phrase.split_once('*').unwrap_or((phrase, ""));
        let pattern = Pattern {
            intent,
            head: split(head),
            tail: split(tail),
            open: !answers,
            needs_own,
        };
        pattern
            .head
            .iter()
            .chain(&pattern.tail)
            .for_each(|word| self.weigh(word, 3));
        self.patterns.push(pattern);
    }

    fn weigh(&mut self, word: &str, weight: usize) {
        let known = self.weights.entry(word.to_owned()).or_default();
        *known = weight.max(*known);
    }

    /// How much a word speaks for this language.
    pub(super) fn weight(&self, word: &str) -> usize {
        self.weights.get(word).copied().unwrap_or_default()
    }

    /// Whether the words begin with some of a date.
    pub(super) fn date_at(&self, words: &[&str]) -> bool {
        let begins = |phrase: &[String]| words.get(..phrase.len()).is_some_and(|all| phrase == all);
        self.dates.iter().any(|(phrase, _)| begins(phrase))
    }

    /// The English of a word of dates.
    pub(super) fn english_of(&self, word: &str) -> Option<&str> {
        let mut dates = self.dates.iter();
        let found = dates.find(|(phrase, _)| matches!(&phrase[..], [one] if one == word));
        found.map(|(_, english)| english.as_str())
    }

    /// Whether a word is a thing that a number counts: a measure, or a plural by its end.
    pub(super) fn is_counted(&self, word: &str) -> bool {
        let ends = self.sections.get("plurals").into_iter().flatten().flatten();
        let is_plural = || word.len() > 3 && ends.into_iter().any(|end| word.ends_with(end));
        self.has("counted", word) || (!self.has("uncounted", word) && is_plural())
    }

    /// Whether a section has the word alone.
    pub(in crate::understand) fn has(&self, section: &str, word: &str) -> bool {
        self.sections.get(section).is_some_and(|phrases| {
            phrases
                .iter()
                .any(|phrase| phrase.len() == 1 && phrase[0] == word)
        })
    }

    /// How many words of a phrase of the section stand at the beginning, the longest one.
    pub(in crate::understand) fn begins(&self, section: &str, words: &[&str]) -> usize {
        self.longest(section, |phrase| {
            words.len() >= phrase.len() && phrase.iter().zip(words).all(|(a, b)| a == b)
        })
    }

    /// The same at the end.
    pub(super) fn ends(&self, section: &str, words: &[&str]) -> usize {
        self.longest(section, |phrase| {
            words.len() >= phrase.len()
                && phrase
                    .iter()
                    .zip(&words[words.len() - phrase.len()..])
                    .all(|(a, b)| a == b)
        })
    }

    fn longest(&self, section: &str, fits: impl Fn(&[String]) -> bool) -> usize {
        let phrases = self
            .sections
            .get(section)
            .map(Vec::as_slice)
            .unwrap_or_default();
        phrases
            .iter()
            .filter(|phrase| fits(phrase))
            .map(Vec::len)
            .max()
            .unwrap_or(0)
    }
}

fn split(phrase: &str) -> Vec<String> {
    super::normalise::words(phrase)
        .into_iter()
        .map(|word| fold(&word.text))
        .collect()
}
