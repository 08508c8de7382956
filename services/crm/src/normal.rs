//! Normalised forms, in which things are compared: what differs only in case, accents or punctuation is the same.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// An e-mail address.
pub(crate) fn email(text: &str) -> Option<String> {
    filled(text.trim().to_lowercase())
}

/// A name: lower case, without accents, one blank between words.
pub(crate) fn name(text: &str) -> Option<String> {
    let plain: String = DecomposingNormalizerBorrowed::new_nfkd()
        .normalize(text)
        .chars()
        .filter(|c| !is_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    filled(words.join(" "))
}

/// First and last name together.
pub(crate) fn full_name(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = [first, last].into_iter().flatten().collect();
    name(&parts.join(" "))
}

/// A phone number: its digits, with the `00` of an international call taken for `+` and both left out.
pub(crate) fn phone(text: &str) -> Option<String> {
    // An extension is not part of the number.
    let number = text.split(['x', 'X', ';', '#']).next().unwrap_or_default();
    let digits: String = number
        .chars()
        .filter_map(|c| c.to_digit(10))
        .filter_map(|d| char::from_digit(d, 10))
        .collect();
    let digits = digits
        .strip_prefix("00")
        .map_or(digits.clone(), ToOwned::to_owned);
    filled(digits).filter(|digits| digits.len() >= 4)
}

/// The domain of a web address or an e-mail address, without `www.`.
pub(crate) fn domain(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let rest = text
        .split_once("://")
        .map_or(text.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split(':').next().unwrap_or_default();
    let host = host
        .strip_prefix("www.")
        .unwrap_or(host)
        .trim_end_matches('.');
    filled(host.to_owned()).filter(|host| host.contains('.') && !host.contains(char::is_whitespace))
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// The accents that a decomposition leaves behind.
const fn is_mark(c: char) -> bool {
    matches!(c as u32, 0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_only_in_form_is_the_same() {
        assert_eq!(
            email(" Ada@Engines.Example ").as_deref(),
            Some("ada@engines.example")
        );
        assert_eq!(
            full_name(Some("José"), Some("O'Neill-Ünal")).as_deref(),
            Some("jose o neill unal")
        );
        assert_eq!(phone("+49 (30) 1234-567").as_deref(), Some("49301234567"));
        assert_eq!(phone("0049 30 1234567 x12").as_deref(), Some("49301234567"));
        assert_eq!(phone("n/a"), None);
        assert_eq!(
            domain("https://www.Engines.example:8080/about?x").as_deref(),
            Some("engines.example")
        );
        assert_eq!(
            domain("ada@mail.engines.example").as_deref(),
            Some("mail.engines.example")
        );
        assert_eq!(domain("localhost"), None);
        assert_eq!(name("  "), None);
    }
}
