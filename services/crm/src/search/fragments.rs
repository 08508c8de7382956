//! Where in a record something was found.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::normal;

/// The most fields that are shown of one record.
const MOST_FIELDS: usize = 5;
/// The longest fragment, in characters, and how much of it stands before what was found.
const LONGEST: usize = 160;
const BEFORE: usize = 40;

/// A field in which something was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Matched {
    /// The field: `email`, `tags`, `custom.plan`.
    pub field: String,
    /// The text around it, as it was written.
    pub fragment: String,
}

/// The fields that have something of the query in them.
pub(super) fn matched(query: &str, texts: &Map<String, Value>) -> Vec<Matched> {
    let folded = normal::name(query).unwrap_or_default();
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    let digits: String = query.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    let mut found = Vec::new();
    for (field, text) in texts {
        let Some(text) = text.as_str() else { continue };
        let plain = normal::name(text).unwrap_or_default();
        let phone = || {
            digits.len() >= 5 && normal::phone(text).is_some_and(|phone| phone.ends_with(digits))
        };
        if words.iter().any(|word| plain.contains(word)) || (field.starts_with("phone") && phone())
        {
            let fragment = fragment(text, &words);
            let field = field.clone();
            found.push(Matched { field, fragment });
            if found.len() == MOST_FIELDS {
                break;
            }
        }
    }
    found
}

/// A text, or the part of a long one around the first word that was asked for.
fn fragment(text: &str, words: &[&str]) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let plain = normal::name(word).unwrap_or_default();
        if words.iter().any(|asked| plain.contains(asked)) {
            break;
        }
        at += word.chars().count();
    }
    let start = if at >= text.chars().count() {
        0
    } else {
        at.saturating_sub(BEFORE)
    };
    let part: String = text.chars().skip(start).take(LONGEST).collect();
    let (front, back) = (if start > 0 { "…" } else { "" }, "…");
    format!("{front}{}{back}", part.trim())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fragment_shows_the_words_as_they_were_written() {
        let long = format!(
            "{} the Zürich office {}",
            "before ".repeat(40),
            "after ".repeat(40)
        );
        let texts = json!({ "city": "Zürich", "description": long, "phone": "+49 30 1234567", "title": "CEO" });
        let found = matched("zurich", texts.as_object().unwrap());
        assert_eq!(
            found[0],
            Matched {
                field: "city".to_owned(),
                fragment: "Zürich".to_owned()
            }
        );
        assert!(
            found[1].fragment.starts_with('…') && found[1].fragment.contains("the Zürich office")
        );
        assert_eq!(found.len(), 2);
        assert_eq!(
            matched("030 123 4567", texts.as_object().unwrap())[0].field,
            "phone"
        );
    }
}
