//! What a new password must be (NIST SP 800-63B-4 section 3.1.1.2, OWASP ASVS 5.0 V6.2): long enough and not one that
//! everybody tries first. No rules about character classes, no expiry.

use std::{collections::HashSet, sync::LazyLock};

use bz_kernel::{ExposeSecret, SecretString};
use icu_normalizer::ComposingNormalizerBorrowed;

/// The fewest characters of a password.
const FEWEST_CHARACTERS: usize = 8;
/// The most characters of a password.
const MOST_CHARACTERS: usize = 128;
/// The most bytes of a password in UTF-8.
const MOST_BYTES: usize = 512;
/// Context words shorter than this are in too many good passwords.
const SHORTEST_CONTEXT: usize = 4;

/// Passwords that are tried first, in lower case.
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("common.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect()
});

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Under 8 characters.
    TooShort,
    /// Over 128 characters or 512 bytes.
    TooLong,
    /// On the list of passwords that are tried first.
    TooCommon,
    /// Little more than the address, the name or the product.
    TooPredictable,
}

impl Weakness {
    /// The stable code of the answer.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::TooCommon => "too_common",
            Self::TooPredictable => "too_predictable",
        }
    }

    /// What to tell a person.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::TooShort => "must have at least 8 characters",
            Self::TooLong => "must have at most 128 characters and 512 bytes",
            Self::TooCommon => "is one of the passwords that are tried first",
            Self::TooPredictable => "is little more than the address, the name or the product",
        }
    }
}

/// The first thing that is wrong with a new password. `context` is what an attacker knows of the user: the address, names.
#[must_use]
pub fn weakness(password: &SecretString, context: &[&str]) -> Option<Weakness> {
    // Before any other work, so that a huge password costs nothing.
    if is_too_long(password.expose_secret()) {
        return Some(Weakness::TooLong);
    }
    let password = normalise(password);
    let password = password.expose_secret();
    if password.chars().count() < FEWEST_CHARACTERS {
        return Some(Weakness::TooShort);
    }
    let lower = password.to_lowercase();
    if COMMON.contains(lower.as_str()) || is_one_pattern(&lower) {
        return Some(Weakness::TooCommon);
    }
    is_predictable(&lower, context).then_some(Weakness::TooPredictable)
}

/// Whether a password is longer than any that is accepted.
pub(super) fn is_too_long(password: &str) -> bool {
    password.len() > MOST_BYTES || password.chars().count() > MOST_CHARACTERS
}

/// The form that is hashed: NFC, so that the same password typed on another keyboard is the same.
#[must_use]
pub fn normalise(password: &SecretString) -> SecretString {
    ComposingNormalizerBorrowed::new_nfc()
        .normalize(password.expose_secret())
        .into_owned()
        .into()
}

/// One character repeated, or characters that follow each other: `aaaaaaaa`, `12345678`, `hgfedcba`.
fn is_one_pattern(password: &str) -> bool {
    let codes: Vec<i64> = password.chars().map(|c| i64::from(u32::from(c))).collect();
    let steps: HashSet<i64> = codes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    matches!(steps.into_iter().collect::<Vec<_>>()[..], [-1..=1])
}

/// A word of the context, with at most three more characters.
fn is_predictable(password: &str, context: &[&str]) -> bool {
    let words = context
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()).chain([*text]));
    words
        .chain(["bizosaas"])
        .map(str::to_lowercase)
        .any(|word| {
            word.chars().count() >= SHORTEST_CONTEXT
                && password.contains(&word)
                && password.chars().count() <= word.chars().count() + 3
        })
}
