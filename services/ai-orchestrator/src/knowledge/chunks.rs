//! Cutting a text into the parts that a search finds: along headings and paragraphs, so that each part is about one thing.

/// How long a part is at best, in characters: what an embedding model reads of it.
const GOOD: usize = 900;
/// The longest part.
const MOST: usize = 1200;
/// The most of a heading that is kept.
const HEADING: usize = 300;

/// A part of a text, with its place in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The headings that it stands under, from the outermost: `Handbook › Leave`.
    pub heading: String,
    pub start: usize,
    pub end: usize,
    pub text: String,
}

/// A paragraph, by its place in bytes.
#[derive(Debug, Clone, Copy)]
struct Block {
    start: usize,
    end: usize,
    /// The number of its section.
    section: usize,
    /// Whether it is a heading alone.
    is_heading: bool,
}

/// Cuts a text. Only in Markdown `#` makes a heading.
pub(super) fn cut(text: &str, markdown: bool) -> Vec<Chunk> {
    let (blocks, sections) = blocks(text, markdown);
    let mut spans: Vec<Block> = Vec::new();
    for block in blocks.into_iter().flat_map(|block| pieces(text, block)) {
        match spans.last_mut() {
            // Headings go with what stands under them; paragraphs of a section go together as long as they are short.
            Some(last)
                if last.is_heading
                    || (last.section == block.section && !block.is_heading)
                        && length(text, last.start, block.end) <= GOOD =>
            {
                let start = last.start;
                *last = Block { start, ..block };
            }
            _ => spans.push(block),
        }
    }
    placed(text, &spans, &sections)
}

fn length(text: &str, start: usize, end: usize) -> usize {
    text[start..end].chars().count()
}

fn placed(text: &str, spans: &[Block], sections: &[String]) -> Vec<Chunk> {
    let (mut byte, mut character) = (0, 0);
    let mut at = |place: usize| {
        character += text[byte..place].chars().count();
        byte = place;
        character
    };
    let chunk = |span: &Block| Chunk {
        heading: sections[span.section].clone(),
        start: at(span.start),
        end: at(span.end),
        text: text[span.start..span.end].to_owned(),
    };
    spans.iter().map(chunk).collect()
}

/// The paragraphs and headings of a text, and the headings of each section.
fn blocks(text: &str, markdown: bool) -> (Vec<Block>, Vec<String>) {
    let (mut blocks, mut sections) = (Vec::<Block>::new(), vec![String::new()]);
    let (mut path, mut open, mut fenced, mut at) = (Vec::<(usize, &str)>::new(), false, false, 0);
    for line in text.split_inclusive('\n') {
        let (start, end) = (at, at + line.trim_end().len());
        at += line.len();
        let section = sections.len() - 1;
        if markdown && line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let heading = heading(line).filter(|_| markdown && !fenced);
        if let Some((level, title)) = heading {
            path.retain(|(above, _)| *above < level);
            path.push((level, title));
            sections.push(named(&path));
            let section = section + 1;
            blocks.push(Block {
                start,
                end,
                section,
                is_heading: true,
            });
            open = false;
        } else if start == end && !fenced {
            open = false;
        } else if let Some(last) = blocks.last_mut().filter(|_| open) {
            last.end = end.max(last.end);
        } else if start < end {
            blocks.push(Block {
                start,
                end,
                section,
                is_heading: false,
            });
            open = true;
        }
    }
    (blocks, sections)
}

/// Level and title of a heading in Markdown.
fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|b| *b == b'#').count();
    let rest = &line[level..];
    let is_one = (1..=6).contains(&level) && rest.starts_with([' ', '\t']);
    let title = rest.trim().trim_end_matches('#').trim();
    (is_one && !title.is_empty()).then_some((level, title))
}

fn named(path: &[(usize, &str)]) -> String {
    let names: Vec<&str> = path.iter().map(|(_, title)| *title).collect();
    names.join(" › ").chars().take(HEADING).collect()
}

/// A block cut where sentences end, or words, until no piece is too long.
fn pieces(text: &str, block: Block) -> Vec<Block> {
    let mut pieces = Vec::new();
    let mut rest = block;
    while let Some((most, _)) = text[rest.start..rest.end].char_indices().nth(MOST) {
        let window = &text[rest.start..rest.start + most];
        let second_half = window.char_indices().nth(GOOD / 2).map_or(0, |(at, _)| at);
        let cut = sentence_end(window, second_half)
            .or_else(|| {
                window
                    .rfind(char::is_whitespace)
                    .filter(|at| *at > second_half)
            })
            .unwrap_or(most);
        let end = rest.start + cut;
        let trimmed = rest.start + text[rest.start..end].trim_end().len();
        pieces.push(Block {
            end: trimmed,
            ..rest
        });
        let blank = text[end..rest.end].len() - text[end..rest.end].trim_start().len();
        rest.start = end + blank;
        rest.is_heading = false;
    }
    if rest.start < rest.end {
        pieces.push(rest);
    }
    pieces
}

/// Where the last sentence of a window ends, behind a place.
fn sentence_end(window: &str, behind: usize) -> Option<usize> {
    let mut ends = window.char_indices().rev().filter(|(at, c)| {
        let next = window[at + c.len_utf8()..].chars().next();
        *c == '\n' || ".!?。！？".contains(*c) && next.is_some_and(char::is_whitespace)
    });
    let (at, c) = ends.next()?;
    Some(at + c.len_utf8()).filter(|at| *at > behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, markdown: bool) -> Vec<(String, String)> {
        let chunks = cut(text, markdown);
        for chunk in &chunks {
            let span: String = text
                .chars()
                .skip(chunk.start)
                .take(chunk.end - chunk.start)
                .collect();
            assert_eq!(span, chunk.text, "the place is that of the text");
            assert!(chunk.text.chars().count() <= MOST + HEADING);
        }
        chunks
            .into_iter()
            .map(|chunk| (chunk.heading, chunk.text))
            .collect()
    }

    fn of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn parts_end_at_headings_and_know_what_they_stand_under() {
        let text = "Überblick\n\n# Handbook\n\n## Leave\n\n30 days.\n\nAsk early.\n\n## Pay\n```\n# no heading\n\nx\n```\n# End";
        assert_eq!(
            shown(text, true),
            of(&[
                ("", "Überblick"),
                (
                    "Handbook › Leave",
                    "# Handbook\n\n## Leave\n\n30 days.\n\nAsk early."
                ),
                ("Handbook › Pay", "## Pay\n```\n# no heading\n\nx\n```"),
                ("End", "# End"),
            ])
        );
        assert_eq!(shown("# a\n\nb", false), of(&[("", "# a\n\nb")]));
        assert_eq!(shown("", true), of(&[]));
    }

    #[test]
    fn long_texts_are_cut_at_paragraphs_then_at_sentences_then_at_words() {
        let sentence = "This is a sentence of some words that says little. ";
        let text = format!(
            "{}\n\n{}\n\nshort",
            sentence.repeat(10).trim(),
            sentence.repeat(60).trim()
        );
        let parts = shown(&text, false);
        assert!(parts.len() >= 4, "{}", parts.len());
        assert!(parts[..3].iter().all(|(_, text)| text.ends_with('.')));
        let endless = "ä".repeat(5000);
        let parts = shown(&endless, false);
        assert_eq!(
            parts
                .iter()
                .map(|(_, text)| text.chars().count())
                .sum::<usize>(),
            5000
        );
        let words = "word ".repeat(1000);
        assert!(
            shown(&words, true)
                .iter()
                .all(|(_, text)| text.ends_with("word"))
        );
    }
}
