//! Text to the tokens that the date grammar reads: letter runs, digit runs and single punctuation marks.

/// A piece of the text with its place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Lower case, apostrophes removed ("o'clock" is `oclock`).
    pub(super) text: String,
    /// First byte in the text.
    pub(super) start: usize,
    /// One past the last byte in the text.
    pub(super) end: usize,
    /// True when nothing stands between this token and the one before it ("3pm", "1st").
    pub(super) glued: bool,
}

impl Token {
    /// The value of a run of at most four digits.
    pub(super) fn digits(&self) -> Option<u32> {
        if self.text.len() > 4 || !self.text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        self.text.parse().ok()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Mark,
}

fn class(c: char) -> Class {
    if c.is_alphabetic() {
        Class::Letter
    } else if c.is_ascii_digit() {
        Class::Digit
    } else {
        Class::Mark
    }
}

/// An apostrophe between letters belongs to the word: "valentine's", "o'clock", "in 1'" does not.
fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2018}' | '`')
}

/// Splits the text.
pub(super) fn tokenise(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut open: Option<Class> = None;
    let mut spaced = true;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c.is_whitespace() {
            open = None;
            spaced = true;
            continue;
        }
        if is_apostrophe(c)
            && open == Some(Class::Letter)
            && chars.peek().is_some_and(|(_, n)| n.is_alphabetic())
        {
            continue;
        }
        let kind = class(c);
        let end = at + c.len_utf8();
        match tokens.last_mut() {
            Some(last) if open == Some(kind) && kind != Class::Mark => {
                last.text.extend(c.to_lowercase());
                last.end = end;
            }
            _ => tokens.push(Token {
                text: c.to_lowercase().collect(),
                start: at,
                end,
                glued: !spaced,
            }),
        }
        open = Some(kind);
        spaced = false;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_letters_are_apart_and_know_that_they_touch() {
        let tokens = tokenise("At 3pm, o'clock");
        let shown: Vec<(&str, bool)> = tokens.iter().map(|t| (t.text.as_str(), t.glued)).collect();
        assert_eq!(
            shown,
            [
                ("at", false),
                ("3", false),
                ("pm", true),
                (",", true),
                ("oclock", false)
            ]
        );
    }

    #[test]
    fn places_are_byte_offsets_of_the_original_text() {
        let text = "\u{c9}t\u{e9} 5";
        let tokens = tokenise(text);
        assert_eq!(&text[tokens[0].start..tokens[0].end], "\u{c9}t\u{e9}");
        assert_eq!(&text[tokens[1].start..tokens[1].end], "5");
    }
}
