//! Small numbers in English words.

/// Each at the place of its number.
pub(super) const SMALL: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

/// Each at the place of its number; there is no zeroth.
pub(super) const ORDINALS: &[&str] = &[
    "",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];

/// The number of a word in one of these lists, or in a part of it that begins with the same word.
pub(super) fn index_in(list: &[&str], word: &str) -> Option<u32> {
    if word.is_empty() {
        return None;
    }
    list.iter()
        .position(|entry| *entry == word)
        .and_then(|at| u32::try_from(at).ok())
}
