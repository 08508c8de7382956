//! Titles of conversations.

/// The longest title that is made of a message.
const MADE: usize = 60;
/// The longest title that a user gives.
pub(super) const MAX: usize = 100;
/// What a conversation is called before anything was said.
pub(crate) const NEW: &str = "New conversation";

/// A title from what was said first: its first line, on one line, cut between words.
pub(crate) fn of_message(message: &str) -> String {
    let first = message.trim().lines().next().unwrap_or_default();
    let words: Vec<String> = first
        .split_whitespace()
        .map(|word| word.chars().filter(|c| !c.is_control()).collect())
        .collect();
    let line = words.join(" ");
    let line = line.trim();
    if line.is_empty() {
        return NEW.to_owned();
    }
    if line.chars().count() <= MADE {
        return line.to_owned();
    }
    let cut: String = line.chars().take(MADE).collect();
    let whole = cut.rfind(' ').map_or(cut.as_str(), |at| &cut[..at]);
    format!("{}…", whole.trim_end())
}

/// A title that a user gives: on one line, without spaces around it. `None` when it is empty or too long.
pub(super) fn given(title: &str) -> Option<String> {
    let title = title.trim();
    let fits = (1..=MAX).contains(&title.chars().count()) && !title.chars().any(char::is_control);
    fits.then(|| title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_words_and_a_short_one_stays() {
        assert_eq!(of_message("  hello\nworld"), "hello");
        let long =
            "remind me to call Ada about the contract that we talked about in the last meeting";
        assert_eq!(
            of_message(long),
            "remind me to call Ada about the contract that we talked…"
        );
        assert_eq!(of_message(&"ä".repeat(70)).chars().count(), 61);
        assert_eq!(of_message("\u{7}"), NEW);
    }

    #[test]
    fn a_given_title_is_one_line_of_at_most_a_hundred_characters() {
        assert_eq!(given(" Plans "), Some("Plans".to_owned()));
        assert_eq!(given("   "), None);
        assert_eq!(given("a\nb"), None);
        assert_eq!(given(&"x".repeat(101)), None);
    }
}
