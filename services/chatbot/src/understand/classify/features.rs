//! What the classifier sees of a message: words, pairs of words, pieces of words, and what the rules make of it, each hashed
//! to a number.

use super::BUCKETS;

/// The features of a message, as bucket numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// Words and pieces of words.
    pub text: Vec<u32>,
    /// What the rules make of it.
    pub hint: Vec<u32>,
}

/// FNV-1a over the parts, folded into the buckets.
fn bucket(kind: u8, parts: &[&str]) -> u32 {
    let mut hash: u32 = 0x811c_9dc5;
    let mut eat = |byte: u8| {
        hash ^= u32::from(byte);
        hash = hash.wrapping_mul(0x0100_0193);
    };
    eat(kind);
    for part in parts {
        part.bytes().for_each(&mut eat);
        eat(0);
    }
    (hash ^ hash >> 16) % BUCKETS
}

/// Numbers differ, what they stand for does not: "5" and "7" are one word.
fn shape(word: &str) -> String {
    word.chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect()
}

/// The features of the words of a message and of the name of the rules' intent.
pub(super) fn extract(words: &[&str], rules: &str, sure: bool) -> Features {
    let words: Vec<String> = words.iter().map(|word| shape(word)).collect();
    let mut text = Vec::with_capacity(words.len() * 12);
    for (at, word) in words.iter().enumerate() {
        text.push(bucket(b'w', &[word]));
        let next = words.get(at + 1).map_or("$", String::as_str);
        text.push(bucket(b'b', &[word, next]));
        if at == 0 {
            text.push(bucket(b'f', &[word]));
        }
        if at + 1 < words.len() {
            let third = words.get(at + 2).map_or("$", String::as_str);
            text.push(bucket(b't', &[word, next, third]));
        }
        pieces(word, &mut text);
    }
    text.push(bucket(b'l', &[length(words.len())]));
    text.sort_unstable();
    text.dedup();
    let hint = vec![
        bucket(b'r', &[rules]),
        bucket(b's', &[rules, if sure { "sure" } else { "unsure" }]),
    ];
    Features { text, hint }
}

const fn length(words: usize) -> &'static str {
    match words {
        0..=2 => "tiny",
        3..=5 => "short",
        6..=12 => "usual",
        _ => "long",
    }
}

/// Three and four characters at a time, with the ends of the word marked, so that endings and typing errors matter little.
fn pieces(word: &str, text: &mut Vec<u32>) {
    let marked: Vec<char> = std::iter::once('<')
        .chain(word.chars().take(24))
        .chain(std::iter::once('>'))
        .collect();
    for size in [3, 4] {
        for window in marked.windows(size) {
            let piece: String = window.iter().collect();
            text.push(bucket(b'c', &[&piece]));
        }
    }
}
