//! The text of a web page: by its tags alone, in one pass, so that no nesting costs anything. Scripts, styles and comments are
//! left out.

use std::{cell::RefCell, fmt::Write as _};

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind,
    },
};

use super::Extracted;

/// What of a page's beginning may name its encoding.
const PRESCAN: usize = 2048;

/// The text of a page.
pub(super) fn read(html: &str) -> Extracted {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(Page::default(), TokenizerOpts::default());
    let _script = tokenizer.feed(&input);
    tokenizer.end();
    let page = tokenizer.sink.0.into_inner();
    let title = page.title.split_whitespace().collect::<Vec<_>>().join(" ");
    Extracted {
        title: Some(title).filter(|title| !title.is_empty()),
        text: page.text,
    }
}

/// The encoding that a page names at its beginning.
pub(super) fn charset(bytes: &[u8]) -> Option<&str> {
    let start = &bytes[..bytes.len().min(PRESCAN)];
    let at = start
        .windows(8)
        .position(|w| w.eq_ignore_ascii_case(b"charset="))?;
    let value = &start[at + 8..];
    let value = value
        .strip_prefix(b"\"")
        .or(value.strip_prefix(b"'"))
        .unwrap_or(value);
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_:.".contains(b);
    let end = value.iter().position(|b| !plain(b)).unwrap_or(value.len());
    std::str::from_utf8(&value[..end]).ok()
}

#[derive(Default)]
struct Page(RefCell<Reading>);

#[derive(Default)]
struct Reading {
    title: String,
    text: String,
    in_title: bool,
    preformatted: bool,
    /// The element whose content is left out, and how deep it is within itself.
    hidden: Option<(String, usize)>,
}

impl TokenSink for Page {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => page.words(&text),
            Token::TagToken(tag) => return page.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reading {
    fn words(&mut self, words: &str) {
        if self.hidden.is_some() {
            return;
        }
        if self.in_title {
            self.title.push_str(words);
            return;
        }
        if self.preformatted {
            self.text.push_str(words);
            return;
        }
        if words.starts_with(char::is_whitespace) {
            self.space();
        }
        for (n, word) in words.split_whitespace().enumerate() {
            if n > 0 {
                self.text.push(' ');
            }
            self.text.push_str(word);
        }
        if words.ends_with(char::is_whitespace) {
            self.space();
        }
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    /// At least so many line feeds.
    fn lines(&mut self, wanted: usize) {
        let end = self.text.trim_end_matches([' ', '\n']).len();
        let there = self.text[end..].matches('\n').count();
        self.text.truncate(self.text.trim_end_matches(' ').len());
        for _ in there..wanted {
            self.text.push('\n');
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let (name, starts) = (&*tag.name, tag.kind == TagKind::StartTag);
        if let Some((hidden, depth)) = &mut self.hidden {
            match (*hidden == *name, starts) {
                (true, true) if !tag.self_closing => *depth += 1,
                (true, false) if *depth > 0 => *depth -= 1,
                (true, false) => self.hidden = None,
                _ => {}
            }
            return TokenSinkResult::Continue;
        }
        match name {
            "script" | "style" | "iframe" | "noembed" | "noframes" | "xmp" | "template" | "svg"
            | "math"
                if starts && !(tag.self_closing && matches!(name, "svg" | "math")) =>
            {
                self.hidden = Some((name.to_owned(), 0));
                return match name {
                    "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                    "template" | "svg" | "math" => TokenSinkResult::Continue,
                    _ => TokenSinkResult::RawData(RawKind::Rawtext),
                };
            }
            "title" => {
                self.in_title = starts;
                if starts {
                    return TokenSinkResult::RawData(RawKind::Rcdata);
                }
            }
            "textarea" if starts => return TokenSinkResult::RawData(RawKind::Rcdata),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.lines(2);
                if starts {
                    let level = name
                        .bytes()
                        .last()
                        .map_or(1, |digit| usize::from(digit - b'0'));
                    let _written = write!(self.text, "{} ", "#".repeat(level));
                }
            }
            "br" | "tr" => self.lines(1),
            "li" if starts => {
                self.lines(1);
                self.text.push_str("- ");
            }
            "td" | "th" if starts => self.space(),
            "pre" => {
                self.lines(2);
                self.preformatted = starts;
            }
            "p" | "div" | "section" | "article" | "main" | "header" | "footer" | "aside"
            | "nav" | "ul" | "ol" | "dl" | "dt" | "dd" | "table" | "blockquote" | "figure"
            | "figcaption" | "form" | "fieldset" | "hr" | "address" | "details" | "summary"
            | "body" => self.lines(2),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_markdown_without_its_scripts() {
        let page = read(
            "<!doctype html><html><head><title>The  Handbook</title><style>p { color: red }</style></head><body>\
             <script>if (a < b) document.write('<p>no</p>')</script><!-- secret --><svg><title>x</title><text>y</text></svg>\
             <h1>Leave &amp; <em>pay</em></h1><p>30 days\n a   year.</p><ul><li>a</li><li>b</li></ul>\
             <table><tr><td>1</td><td>2</td></tr></table><h2>Sick</h2>Call <b>in</b>.",
        );
        assert_eq!(page.title.as_deref(), Some("The Handbook"));
        let text = super::super::clean(&page.text);
        assert_eq!(
            text,
            "# Leave & pay\n\n30 days a year.\n\n- a\n- b\n\n1 2\n\n## Sick\n\nCall in."
        );
    }

    #[test]
    fn deep_nesting_costs_nothing() {
        let deep = format!("{}x{}", "<div>".repeat(200_000), "</div>".repeat(200_000));
        assert_eq!(read(&deep).text.trim(), "x");
    }

    #[test]
    fn the_encoding_is_read_from_the_beginning() {
        assert_eq!(
            charset(b"<meta charset=\"windows-1251\">"),
            Some("windows-1251")
        );
        assert_eq!(
            charset(b"<meta content='text/html; charset=utf-8'>"),
            Some("utf-8")
        );
        assert_eq!(charset(b"<p>"), None);
    }
}
