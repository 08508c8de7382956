//! What a query may mean besides its words: an address, a phone number, a domain, an id.

use uuid::Uuid;

use crate::normal;

/// The fewest digits that are taken for the end of a phone number.
const FEWEST_DIGITS: usize = 5;

/// The keys that a query may be, as the documents have them (migration 0170).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Keys {
    /// Keys that a record has as they are.
    pub whole: Vec<String>,
    /// Keys that a record's keys begin with.
    pub beginnings: Vec<String>,
    /// A record's own id.
    pub record: Option<Uuid>,
}

/// Reads a query.
pub(super) fn keys(query: &str) -> Keys {
    let text = query.trim();
    let mut keys = Keys::default();
    if text.contains('@') {
        keys.whole
            .extend(normal::email(text).map(|email| format!("@{email}")));
    } else if !text.contains(char::is_whitespace) {
        keys.whole
            .extend(normal::domain(text).map(|domain| format!("/{domain}")));
    }
    if !text.is_empty() {
        keys.whole.push(format!("#{}", text.to_lowercase()));
    }
    keys.beginnings.extend(phone(text));
    keys.record = text.parse().ok();
    keys
}

/// The digits of a phone number from the last to the first, without what only calls from afar or from nearby begin with.
fn phone(text: &str) -> Option<String> {
    let number = |c: char| c.is_ascii_digit() || "+-()/. ".contains(c);
    if !text.chars().all(number) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    (digits.len() >= FEWEST_DIGITS)
        .then(|| format!("+{}", digits.chars().rev().collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_for_the_keys_that_it_may_be() {
        assert_eq!(
            keys(" Ada@Engines.Example ").whole,
            ["@ada@engines.example", "#ada@engines.example"]
        );
        assert_eq!(
            keys("https://www.engines.example/x").whole[0],
            "/engines.example"
        );
        assert_eq!(keys("030 / 1234-567").beginnings, ["+765432103"]);
        assert_eq!(keys("+49 30 1234567").beginnings, ["+76543210394"]);
        assert!(keys("1234").beginnings.is_empty() && keys("room 12345").beginnings.is_empty());
        let id = "0199fa3e-0000-7000-8000-000000000000";
        assert_eq!(keys(id).record, id.parse().ok());
        assert_eq!(keys("  "), Keys::default());
    }
}
