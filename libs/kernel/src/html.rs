//! Text in HTML.

/// Text that means nothing else in HTML, also within a quoted attribute.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_means_something_in_html_is_written_as_itself() {
        let text = r#"<a href="x">Müller & Söhne's</a>"#;
        let shown = "&lt;a href=&quot;x&quot;&gt;Müller &amp; Söhne&#39;s&lt;/a&gt;";
        assert_eq!(escaped(text), shown);
    }
}
