//! Slugs: the names of tenants in addresses and at login.

use bz_kernel::Rng;
use icu_normalizer::DecomposingNormalizerBorrowed;

/// The longest slug that is made from a name; a suffix may follow.
const MOST_FROM_NAME: usize = 40;
/// Names that could be mistaken for something of the platform's own.
const RESERVED: [&str; 16] = [
    "admin", "api", "app", "auth", "bizosaas", "console", "docs", "health", "internal", "login",
    "mail", "root", "static", "status", "support", "www",
];
/// Lower-case letters and digits without those that are read as each other (Crockford's base 32).
const SUFFIX_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The slug of a name: its letters and digits in lower case without accents, hyphens between them.
#[must_use]
pub(crate) fn from_name(name: &str) -> String {
    let mut slug = String::new();
    for c in DecomposingNormalizerBorrowed::new_nfkd()
        .normalize(name)
        .chars()
    {
        if slug.len() >= MOST_FROM_NAME {
            break;
        }
        match c {
            c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
            'ß' => slug.push_str("ss"),
            // Accents, which the decomposition left behind, and apostrophes join what is around them.
            c if !c.is_ascii() || c == '\'' => {}
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.len() < 2 || RESERVED.contains(&slug) {
        "tenant".to_owned()
    } else {
        slug.to_owned()
    }
}

/// The slug to try when `slug` is taken: with five random characters behind it.
#[must_use]
pub(crate) fn with_suffix(slug: &str, rng: &Rng) -> String {
    let suffix: String = rng
        .bytes::<5>()
        .iter()
        .map(|b| char::from(SUFFIX_ALPHABET[usize::from(b % 32)]))
        .collect();
    format!("{slug}-{suffix}")
}

/// Whether a tenant may choose this slug: of the form that the table wants, none of the platform's names, and nothing that
/// could be taken for an id.
#[must_use]
pub(crate) fn is_allowed(slug: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (2..=48).contains(&slug.len())
        && slug.bytes().all(|b| letter(b) || b == b'-')
        && !slug.starts_with('-')
        && !slug.ends_with('-')
        && !RESERVED.contains(&slug)
        && slug.parse::<uuid::Uuid>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_readable_slugs() {
        let long = format!("{} end", "very ".repeat(20));
        let table = [
            ("Acme", "acme"),
            ("Acme, Inc.", "acme-inc"),
            ("  --Globex  Corporation--  ", "globex-corporation"),
            ("Café Müller & Söhne", "cafe-muller-sohne"),
            ("Straße 7", "strasse-7"),
            ("O'Brien's", "obriens"),
            ("日本商事", "tenant"),
            ("日本 7", "tenant"),
            ("Admin", "tenant"),
            ("", "tenant"),
            (long.as_str(), "very-very-very-very-very-very-very-very"),
        ];
        for (name, expected) in table {
            assert_eq!(from_name(name), expected, "{name}");
        }
    }

    #[test]
    fn a_suffix_makes_another_slug_of_the_allowed_form() {
        let slug = with_suffix("acme", &Rng::seeded(1));
        assert!(slug.starts_with("acme-") && slug.len() == 10, "{slug}");
        assert!(
            slug.bytes()
                .all(|b| b == b'-' || SUFFIX_ALPHABET.contains(&b)),
            "{slug}"
        );
    }

    #[test]
    fn a_chosen_slug_has_the_tables_form_and_is_no_id() {
        for good in ["acme", "a1", "acme-2", &"a".repeat(48)] {
            assert!(is_allowed(good), "{good}");
        }
        let id = "019b76da-a800-7000-8000-000000ac0000";
        let bare = id.replace('-', "");
        for bad in [
            "",
            "a",
            "Acme",
            "-acme",
            "acme-",
            "a_b",
            "a b",
            "ac\u{e9}",
            "admin",
            id,
            &bare,
            &"a".repeat(49),
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }
}
