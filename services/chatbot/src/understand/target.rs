//! Which of the user's to-dos is meant: exact, contained, or sharing words, with room for typing errors. Two that are about
//! equally close are asked about, never guessed.

use super::normalise;
use super::numerals::{ORDINALS, SMALL, index_in};

/// The outcome for one list of titles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The index of the one that is meant.
    One(usize),
    /// These are about equally close.
    Ambiguous(Vec<usize>),
    /// None fits.
    Nothing,
}

/// The share of words that must agree.
const ENOUGH: f64 = 0.6;
/// How much closer the best one must be than the second.
const CLEARLY: f64 = 0.15;

/// Finds the title that `target` means.
#[must_use]
pub fn resolve(target: &str, titles: &[&str]) -> Resolution {
    let wanted = key_words(target);
    let exact = indices(titles, |title| folded(title) == folded(target));
    if !exact.is_empty() {
        return decided(exact);
    }
    let mut scored: Vec<(usize, f64)> = titles
        .iter()
        .enumerate()
        .map(|(at, title)| (at, closeness(&wanted, &key_words(title))))
        .collect();
    scored.retain(|(_, score)| *score >= ENOUGH);
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    let Some((_, best)) = scored.first().copied() else {
        return ordinal(target, titles.len()).map_or(Resolution::Nothing, Resolution::One);
    };
    let close: Vec<usize> = scored
        .iter()
        .filter(|(_, score)| best - score < CLEARLY)
        .map(|(at, _)| *at)
        .collect();
    decided(close)
}

fn decided(found: Vec<usize>) -> Resolution {
    match found.as_slice() {
        [one] => Resolution::One(*one),
        _ => Resolution::Ambiguous(found),
    }
}

fn indices(titles: &[&str], fits: impl Fn(&str) -> bool) -> Vec<usize> {
    titles
        .iter()
        .enumerate()
        .filter(|(_, title)| fits(title))
        .map(|(at, _)| at)
        .collect()
}

fn folded(text: &str) -> String {
    normalise::texts(&normalise::words(text)).join(" ")
}

/// The words that carry meaning, without endings ("calling" is "call").
fn key_words(text: &str) -> Vec<String> {
    const EMPTY: &[&str] = &[
        "the", "a", "an", "my", "with", "to", "for", "of", "on", "at", "about", "and", "in",
        "that", "this", "one", "todo", "task", "reminder", "item", "it", "from", "our", "me", "i",
        "please", "is",
    ];
    let words = normalise::words(text);
    let keep: Vec<String> = words
        .iter()
        .filter(|word| !EMPTY.contains(&word.text.as_str()))
        .map(|word| stem(&word.text))
        .collect();
    if keep.is_empty() {
        words.into_iter().map(|word| word.text).collect()
    } else {
        keep
    }
}

fn stem(word: &str) -> String {
    let cut = |suffix: &str, least: usize| {
        word.strip_suffix(suffix)
            .filter(|rest| rest.chars().count() >= least)
    };
    cut("ing", 3)
        .or_else(|| cut("ies", 3))
        .or_else(|| cut("ed", 3))
        .or_else(|| cut("s", 3).filter(|rest| !rest.ends_with('s')))
        .unwrap_or(word)
        .to_owned()
}

/// From 0 (nothing in common) to 1 (the same words in any order).
fn closeness(wanted: &[String], title: &[String]) -> f64 {
    if wanted.is_empty() || title.is_empty() {
        return 0.0;
    }
    let mut free: Vec<&String> = title.iter().collect();
    let mut shared = 0.0;
    for word in wanted {
        let best = free
            .iter()
            .enumerate()
            .map(|(at, other)| (at, alike(word, other)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((at, score)) = best.filter(|(_, score)| *score > 0.0) {
            shared += score;
            free.remove(at);
        }
    }
    let (asked, held) = (wanted.len() as f64, title.len() as f64);
    // All that was said is in the title: "the Miller thing" may be short for a long title.
    let contained = if shared >= asked * 0.9 {
        0.65 + 0.35 * shared / held
    } else {
        0.0
    };
    contained.max(2.0 * shared / (asked + held)).min(1.0)
}

/// 1 for the same word, less for a typing error or a word that the other begins with, 0 for different ones.
fn alike(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let length = a.chars().count().min(b.chars().count());
    if length >= 4 && (a.starts_with(b) || b.starts_with(a)) {
        return 0.95;
    }
    let allowed = if length >= 8 {
        2
    } else {
        usize::from(length >= 4)
    };
    let distance = distance(a, b);
    if distance <= allowed { 0.9 } else { 0.0 }
}

/// Edits between two words; swapped neighbours count one (optimal string alignment distance).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut cost = (rows[i - 1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(rows[i - 2][j - 2] + 1);
            }
            row.push(cost);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// "the first one", "number 2", "the last one": a place in the list as it is shown.
fn ordinal(target: &str, length: usize) -> Option<usize> {
    let words = normalise::words(target);
    let meaning: Vec<&str> = words
        .iter()
        .map(|w| w.text.as_str())
        .filter(|w| {
            !matches!(
                *w,
                "the"
                    | "my"
                    | "item"
                    | "number"
                    | "todo"
                    | "task"
                    | "reminder"
                    | "on"
                    | "list"
                    | "no"
                    | "no."
            )
        })
        .collect();
    let word = match meaning.as_slice() {
        [word] => *word,
        [word, "one"] => *word,
        _ => return None,
    };
    let at = if matches!(word, "last" | "latest") {
        length.checked_sub(1)
    } else {
        let named = index_in(&ORDINALS[..=10], word)
            .or_else(|| index_in(&SMALL[..=10], word))
            .or_else(|| word.parse().ok());
        usize::try_from(named?).ok()?.checked_sub(1)
    };
    at.filter(|at| *at < length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TITLES: &[&str] = &[
        "call Ada",
        "Send the invoice to Miller",
        "Buy milk",
        "Buy oat milk",
        "Prepare quarterly report",
    ];

    #[test]
    fn the_one_that_is_meant_is_found() {
        for (target, title) in [
            ("call Ada", "call Ada"),
            ("the call with Ada", "call Ada"),
            ("calling ada", "call Ada"),
            ("CALL  ADA!", "call Ada"),
            ("milelr invoice", "Send the invoice to Miller"),
            ("the invoice", "Send the invoice to Miller"),
            ("quartely report", "Prepare quarterly report"),
            ("buy milk", "Buy milk"),
            ("oat milk", "Buy oat milk"),
            ("the second one", "Send the invoice to Miller"),
            ("number 5", "Prepare quarterly report"),
            ("last", "Prepare quarterly report"),
        ] {
            let Resolution::One(at) = resolve(target, TITLES) else {
                panic!("{target}: {:?}", resolve(target, TITLES))
            };
            assert_eq!(TITLES[at], title, "{target}");
        }
    }

    #[test]
    fn what_fits_nothing_or_two_is_said_so() {
        assert_eq!(resolve("water the plants", TITLES), Resolution::Nothing);
        assert_eq!(
            resolve("call Bob", &["call Ada", "email Bob", "call the bank"]),
            Resolution::Nothing
        );
        assert_eq!(
            resolve("report", &["Sales report", "Tax report"]),
            Resolution::Ambiguous(vec![0, 1])
        );
        assert_eq!(
            resolve("call Ada", &["call Ada", "Call ada"]),
            Resolution::Ambiguous(vec![0, 1])
        );
        assert_eq!(resolve("call Ada", &[]), Resolution::Nothing);
    }
}
