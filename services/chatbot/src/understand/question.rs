//! Questions, and the words in them that say what they are about.

use super::Language;
use super::language::{self, Lexicon};
use super::lexicon::QUESTIONS;
use super::normalise;

/// Words of English that say nothing about the matter, besides those that open a question.
const FILLERS: &[&str] = &[
    "a", "about", "after", "all", "an", "and", "as", "at", "be", "been", "before", "by", "can",
    "could", "for", "from", "get", "got", "had", "he", "her", "his", "i", "if", "in", "it", "its",
    "many", "may", "me", "much", "must", "my", "need", "no", "not", "of", "on", "or", "our",
    "please", "she", "shall", "so", "some", "tell", "than", "that", "the", "their", "them",
    "there", "they", "this", "to", "us", "want", "we", "why", "with", "would", "you", "your",
    "explain", "happens", "happen", "long", "often", "know", "give", "per",
];
/// Words of the other languages, besides those of their lexica.
const MORE: &[&str] = &[
    "cuantos", "cuantas", "cuanto", "cuanta", "cual", "cuales", "como", "donde", "cuando", "quien",
    "hay", "tenemos", "tengo", "tiene", "por", "para", "del", "viele", "viel", "welche", "welcher",
    "welches", "haben", "hat", "gibt", "wir", "unser", "unsere", "unserer", "lange", "werden",
    "wird", "kann", "combien", "quel", "quelle", "quels", "quelles", "comment", "pourquoi",
    "avons", "avez", "ont", "notre", "nos", "est", "sont", "peut", "dans", "pour", "avec", "faut",
];
/// The letters that two forms of a word have in common at least, and the share of the longer one.
const COMMON: (usize, f32) = (4, 0.6);

/// Whether a message asks something.
#[must_use]
pub fn is_question(message: &str, language: Language) -> bool {
    if message.trim_end().ends_with('?') {
        return true;
    }
    let words = language::plain_words(message);
    let texts: Vec<&str> = words.iter().map(String::as_str).collect();
    match Lexicon::of(language) {
        Some(lexicon) => lexicon.begins("questions", &texts) > 0,
        None => {
            let asks = QUESTIONS.iter().chain(&["why"]);
            let asked = |phrase: &&str| normalise::starts_with(&texts, phrase).is_some();
            texts
                .first()
                .is_some_and(|first| asks.clone().any(|word| word == first))
                || ["tell me about", "explain"].iter().any(asked)
        }
    }
}

/// The words that say what a question is about, each once, without accents.
#[must_use]
pub fn matter(question: &str, language: Language) -> Vec<String> {
    let lexicon = Lexicon::of(language);
    let empty = |word: &str| {
        FILLERS.contains(&word)
            || MORE.contains(&word)
            || QUESTIONS.contains(&word)
            || lexicon.is_some_and(|lexicon| lexicon.has("function", word))
    };
    let mut words = language::plain_words(question);
    words.retain(|word| !empty(word) && (word.chars().count() > 2 || word.parse::<u64>().is_ok()));
    let mut once: Vec<String> = Vec::new();
    for word in words {
        if !once.iter().any(|known| same_word(known, &word)) {
            once.push(word);
        }
    }
    once
}

/// How many of the words a text has, in any form.
#[must_use]
pub fn shared(matter: &[String], text: &str) -> usize {
    let words = language::plain_words(text);
    let has = |one: &&String| words.iter().any(|word| same_word(one, word));
    matter.iter().filter(has).count()
}

/// Two forms of one word: "policy" and "policies".
fn same_word(one: &str, other: &str) -> bool {
    let common = one
        .chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let longer = one.chars().count().max(other.chars().count());
    one == other || common >= COMMON.0 && common as f32 >= COMMON.1 * longer as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_from_statements() {
        for (message, language) in [
            ("what is our refund policy", Language::En),
            ("Why do we ship from Hamburg", Language::En),
            ("tell me about the warranty", Language::En),
            ("Refunds?", Language::En),
            ("wie lange gilt die Garantie", Language::De),
        ] {
            assert!(is_question(message, language), "{message}");
        }
        for message in ["the refund policy is bad", "add milk", "explaining is hard"] {
            assert!(!is_question(message, Language::En), "{message}");
        }
    }

    #[test]
    fn the_matter_are_the_words_that_are_not_of_the_question() {
        let matter = |question, language| matter(question, language).join(" ");
        assert_eq!(
            matter("How many days of vacation do I get per year?", Language::En),
            "days vacation year"
        );
        assert_eq!(matter("What is it?", Language::En), "");
        assert_eq!(
            matter("Wie lange gilt die Garantie?", Language::De),
            "gilt garantie"
        );
    }

    #[test]
    fn forms_of_a_word_are_that_word_and_like_ones_are_not() {
        let words = ["policy".to_owned(), "contract".to_owned()];
        assert_eq!(shared(&words, "All policies are here."), 1);
        assert_eq!(shared(&words, "Contact us."), 0);
    }
}
