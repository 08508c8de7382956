//! To-do commands in other languages than English, and which language a message is in. Everything that differs between them
//! is data: one lexicon a language. Dates are put into English word by word and read by the same grammar.

mod clocks;
mod lexicon;
mod moments;
mod places;
mod read;

use std::ops::Range as Span;

use super::Language;
use super::normalise;
pub(super) use lexicon::Lexicon;
pub(super) use read::read;

/// A word without accents and capitals, with its place in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Folded {
    text: String,
    span: Span<usize>,
}

/// More words of English, with those of the rules.
const ENGLISH: &[&str] = &[
    "the",
    "to",
    "my",
    "is",
    "on",
    "in",
    "for",
    "and",
    "of",
    "at",
    "remind",
    "mark",
    "as",
    "i",
    "it",
    "with",
    "tomorrow",
    "today",
    "this",
    "that",
    "not",
    "all",
    "many",
    "am",
    "was",
    "me",
    "a",
    "an",
    "call",
    "buy",
    "yes",
    "no",
    "help",
    "by",
    "complete",
    "note",
    "minute",
    "minutes",
    "august",
    "september",
    "november",
    "april",
    "week",
    "be",
    "we",
    "or",
    "if",
    "from",
    "your",
    "our",
    "off",
    "up",
    "out",
    "about",
    "after",
    "before",
    "next",
    "last",
    "every",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "morning",
    "night",
    "done",
    "need",
    "want",
    "die",
    "place",
    "mail",
    "pack",
    "fur",
    "mach",
    "mars",
    "sept",
    "lit",
    "son",
    "pour",
    "ten",
    "pm",
    "dates",
    "notes",
    "mi",
    "son",
    "mine",
    "let",
];

/// Whether a word is English.
fn is_english(word: &str) -> bool {
    use super::lexicon as rules;
    let lists = [
        ENGLISH,
        rules::OWN_NOUNS,
        rules::DATED_NOUNS,
        rules::FOREIGN,
        rules::ADD_VERBS,
        rules::MAKE_VERBS,
        rules::DELETE_VERBS,
        rules::SHOW_VERBS,
        rules::QUESTIONS,
        rules::OPENERS,
    ];
    lists.iter().any(|list| list.contains(&word))
}

/// The language of a message: that of most of its function words and command words, and of its letters. When two fit as
/// well, that of the talk before; English when nothing speaks for another one.
pub(super) fn detect(message: &str, before: Option<Language>) -> Language {
    best(&scores(message), before)
}

/// The language to answer in. The talk's language stays for an "ok" or a name, which say little about the language.
pub fn spoken(message: &str, before: Option<Language>) -> Language {
    let scores = scores(message);
    let found = best(&scores, before);
    let score = |language| scores.iter().find(|(one, _)| *one == language);
    match before.and_then(&score) {
        Some((before, known)) if score(found).is_none_or(|(_, best)| best - known <= LITTLE) => {
            *before
        }
        _ => found,
    }
}

/// What one word says about a language.
const LITTLE: usize = 2;

fn best(scores: &[(Language, usize)], before: Option<Language>) -> Language {
    let rank = |(language, score): &(Language, usize)| (*score, before == Some(*language));
    // Of equals the first: English.
    let best = scores.iter().rev().max_by_key(|one| rank(one));
    best.map(|(language, _)| *language).unwrap_or_default()
}

/// How much speaks for each language.
fn scores(message: &str) -> Vec<(Language, usize)> {
    let words = folded(message);
    // A word that two languages have speaks for neither.
    let english: Vec<bool> = words.iter().map(|word| is_english(&word.text)).collect();
    let known = 2 * english.iter().filter(|known| **known).count();
    let mut scores = vec![(Language::En, known)];
    for language in [Language::Es, Language::De, Language::Fr] {
        let Some(lexicon) = Lexicon::of(language) else {
            continue;
        };
        let known: usize = words
            .iter()
            .zip(&english)
            .map(|(word, english)| match lexicon.weight(&word.text) {
                weight @ 1.. if *english => weight.min(2),
                weight => weight,
            })
            .sum();
        let letters = message
            .to_lowercase()
            .chars()
            .filter(|c| letters_of(language).contains(*c))
            .count();
        scores.push((language, known + 2 * letters.min(2)));
    }
    scores
}

/// Whether a message, in any of these languages, asks for nothing but to have the last thing taken back.
pub fn takes_back(message: &str) -> bool {
    let words = folded(message);
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let all = [Language::Es, Language::De, Language::Fr].map(Lexicon::of);
    let whole = |lexicon: &Lexicon| lexicon.begins("undo", &texts) == texts.len();
    !texts.is_empty() && all.into_iter().flatten().any(whole)
}

/// Letters and signs that the language has and the others have not, or seldom.
const fn letters_of(language: Language) -> &'static str {
    match language {
        Language::En => "",
        Language::Es => "\u{f1}\u{bf}\u{a1}\u{e1}\u{ed}\u{f3}\u{fa}",
        Language::De => "\u{e4}\u{f6}\u{fc}\u{df}",
        Language::Fr => "\u{e7}\u{e8}\u{ea}\u{e0}\u{f9}\u{f4}\u{ee}\u{fb}\u{153}",
    }
}

/// The words without accents.
fn folded(message: &str) -> Vec<Folded> {
    normalise::words(message)
        .into_iter()
        .map(|word| Folded {
            text: fold(&word.text),
            span: word.span,
        })
        .collect()
}

/// The words alone.
pub(super) fn plain_words(text: &str) -> Vec<String> {
    folded(text).into_iter().map(|word| word.text).collect()
}

/// A text in lower case without accents.
fn fold(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            '\u{e1}' | '\u{e0}' | '\u{e2}' | '\u{e4}' => plain.push('a'),
            '\u{e9}' | '\u{e8}' | '\u{ea}' | '\u{eb}' => plain.push('e'),
            '\u{ed}' | '\u{ee}' | '\u{ef}' => plain.push('i'),
            '\u{f3}' | '\u{f4}' | '\u{f6}' => plain.push('o'),
            '\u{fa}' | '\u{f9}' | '\u{fb}' | '\u{fc}' => plain.push('u'),
            '\u{f1}' => plain.push('n'),
            '\u{e7}' => plain.push('c'),
            '\u{df}' => plain.push_str("ss"),
            '\u{153}' => plain.push_str("oe"),
            '\'' | '\u{2019}' => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_apart() {
        for (message, language) in [
            ("remind me to call Jos\u{e9} tomorrow", Language::En),
            ("add Cr\u{e8}me br\u{fb}l\u{e9}e to my list", Language::En),
            ("hola", Language::Es),
            (
                "recu\u{e9}rdame llamar a mam\u{e1} ma\u{f1}ana",
                Language::Es,
            ),
            ("agrega leche a mi lista", Language::Es),
            ("erinnere mich morgen daran, Ada anzurufen", Language::De),
            ("setze Milch auf die Liste", Language::De),
            ("ja", Language::De),
            ("rappelle-moi d'appeler Ada demain", Language::Fr),
            ("ajoute du lait \u{e0} la liste", Language::Fr),
            ("oui", Language::Fr),
            ("no", Language::En),
            ("", Language::En),
        ] {
            assert_eq!(detect(message, None), language, "{message}");
        }
    }

    #[test]
    fn a_talk_goes_on_in_its_language_until_another_one_is_clearly_spoken() {
        let german = Some(Language::De);
        for (message, before, language) in [
            ("ok", german, Language::De),
            ("yes", german, Language::De),
            ("no", Some(Language::Es), Language::Es),
            ("Ada", german, Language::De),
            ("what's on my list?", german, Language::En),
            ("muestra mis tareas", german, Language::Es),
            (
                "was steht auf meiner Liste?",
                Some(Language::En),
                Language::De,
            ),
            ("ok", None, Language::En),
        ] {
            assert_eq!(spoken(message, before), language, "{message}");
        }
        assert_eq!(detect("no", Some(Language::Es)), Language::Es);
    }

    #[test]
    fn the_wish_to_have_it_taken_back_is_known_when_it_is_all_that_is_said() {
        for said in [
            "R\u{fc}ckg\u{e4}ngig!",
            "deshaz eso",
            "annuler",
            "Mach das r\u{fc}ckg\u{e4}ngig",
        ] {
            assert!(takes_back(said), "{said}");
        }
        for other in ["annule le rendez-vous", "undo", "", "deshaz la maleta"] {
            assert!(!takes_back(other), "{other}");
        }
    }
}
