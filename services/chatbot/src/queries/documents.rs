//! Questions that the tenant's documents answer: the best passages are quoted and cited, nothing is made up. What a document
//! says is shown and never understood. A passage counts only when it has most of the words that the question is about;
//! otherwise there is no answer from documents.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Citation};
use crate::knowledge::Found;
use crate::understand::question::{matter, shared};
use crate::wording::{Voice, keys};

/// The most passages that are quoted, each of another document.
const QUOTED: usize = 2;
/// The longest quotation, in characters.
const LONGEST: usize = 400;
/// Of three words that the question is about a passage must have two.
const ENOUGH: (usize, usize) = (2, 3);

/// The part of a document that is quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CitedPassage {
    /// The document's title.
    #[schema(example = "Returns and refunds")]
    pub(crate) title: String,
    /// The headings under which it stands.
    pub(crate) heading: String,
    /// Where the document is from, when it has an address in the web.
    pub(crate) source_url: Option<String>,
    /// The part of the document that the AI orchestrator found.
    pub(crate) chunk_id: String,
    /// Where the quotation begins in the document's text, in characters.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// The quotation.
    pub(crate) text: String,
}

/// The answer, when the documents that were found have one.
pub(crate) fn answer(question: &str, found: &[Found], voice: Voice) -> Option<Answer> {
    let matter = matter(question, voice.language);
    let mut passages: Vec<Passage<'_>> = found
        .iter()
        .filter_map(|found| Passage::of(found, &matter))
        .collect();
    // The order of the search stands among those that have as many of the words.
    passages.sort_by_key(|passage| std::cmp::Reverse(passage.words));
    let most = passages.first()?.words;
    let mut quoted: Vec<Passage<'_>> = Vec::new();
    for passage in passages.into_iter().filter(|passage| passage.words == most) {
        let known = |one: &Passage<'_>| one.found.document.id == passage.found.document.id;
        if quoted.len() < QUOTED && !quoted.iter().any(known) {
            quoted.push(passage);
        }
    }
    let text = quoted.iter().map(|passage| passage.said(voice));
    let text = text.collect::<Vec<_>>().join("\n");
    let citations = quoted.iter().map(Passage::citation).collect();
    Some(Answer::say(text).quoting(citations))
}

/// A part of a document that answers the question.
struct Passage<'a> {
    found: &'a Found,
    /// The words of the question that it has, with its title and its headings.
    words: usize,
    /// The quotation's place in the part, in bytes.
    span: Range<usize>,
}

impl<'a> Passage<'a> {
    fn of(found: &'a Found, matter: &[String]) -> Option<Self> {
        let text = &found.chunk.text;
        let span = best(text, matter)?;
        let above = format!("{} {}", found.document.title, found.chunk.heading);
        let words = shared(matter, &format!("{above} {}", &text[span.clone()]));
        let enough = words * ENOUGH.1 >= matter.len() * ENOUGH.0;
        // A single word is a question only for what the document is about.
        let about = words >= 2 || shared(matter, &above) == matter.len();
        (enough && about && words > 0).then_some(Self { found, words, span })
    }

    fn quotation(&self) -> String {
        let text = &self.found.chunk.text[self.span.clone()];
        let plain: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn said(&self, voice: Voice) -> String {
        let title = self.found.document.title.clone();
        voice.say(
            keys::PASSAGE,
            [("title", title), ("text", self.quotation())],
        )
    }

    fn citation(&self) -> Citation {
        let Found { document, chunk } = self.found;
        let before = |at: usize| chunk.start + chunk.text[..at].chars().count();
        let url = document.source_url.clone();
        Citation {
            source: "knowledge".to_owned(),
            path: format!("/api/knowledge/documents/{}", document.id),
            passage: Some(CitedPassage {
                title: document.title.clone(),
                heading: chunk.heading.clone(),
                source_url: url
                    .filter(|url| url.starts_with("https://") || url.starts_with("http://")),
                chunk_id: chunk.id.clone(),
                start: before(self.span.start),
                end: before(self.span.end),
                text: self.quotation(),
            }),
        }
    }
}

/// The sentences in a row that have most of the words, as many as fit a quotation.
fn best(text: &str, matter: &[String]) -> Option<Range<usize>> {
    let sentences = sentences(text);
    let begin = (0..sentences.len()).rev().max_by_key(|at| {
        let next = sentences
            .get(at + 1)
            .map_or(sentences[*at].end, |next| next.end);
        let alone = shared(matter, &text[sentences[*at].clone()]);
        (shared(matter, &text[sentences[*at].start..next]), alone)
    })?;
    let start = sentences[begin].start;
    let length = |end: usize| text[start..end].chars().count();
    let fitting = sentences[begin..]
        .iter()
        .take_while(|sentence| length(sentence.end) <= LONGEST)
        .last();
    let end = match fitting {
        Some(sentence) => sentence.end,
        None => text[start..]
            .char_indices()
            .nth(LONGEST)
            .map_or(text.len(), |(at, _)| start + at),
    };
    Some(start..end)
}

/// The sentences of a text, without the spaces around them.
fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut ends = false;
    for (at, c) in text.char_indices().chain([(text.len(), '\n')]) {
        let cut = c == '\n' || ends && c.is_whitespace();
        if cut {
            let piece = &text[start..at];
            let from = start + piece.len() - piece.trim_start().len();
            if !piece.trim().is_empty() {
                sentences.push(from..from + piece.trim().len());
            }
            start = at;
        }
        ends = matches!(c, '.' | '!' | '?');
    }
    sentences
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::knowledge::{Chunk, Document};
    use crate::understand::Language;

    fn found(id: &str, title: &str, text: &str) -> Found {
        Found {
            document: Document {
                id: id.to_owned(),
                title: title.to_owned(),
                source_url: Some("javascript:alert(1)".to_owned()),
            },
            chunk: Chunk {
                id: "c".to_owned(),
                heading: String::new(),
                text: text.to_owned(),
                start: 100,
            },
        }
    }

    fn ask(question: &str, found: &[Found]) -> Option<Answer> {
        answer(question, found, Voice::english(DateTime::UNIX_EPOCH))
    }

    #[test]
    fn the_sentence_that_answers_is_quoted_with_its_place() {
        let text = "Welcome aboard. Every employee has 28 days of paid vacation a year. Ask Ada.";
        let all = [
            found("1", "Coffee", "The machine is cleaned on Fridays."),
            found("2", "Handbook", text),
        ];
        let answer = ask("How many vacation days do I get per year?", &all).unwrap();
        let quoted = "Every employee has 28 days of paid vacation a year. Ask Ada.";
        assert_eq!(answer.text, format!("From \"Handbook\": \"{quoted}\""));
        let passage = answer.citations[0].passage.as_ref().unwrap();
        assert_eq!((passage.start, passage.end), (116, 100 + text.len()));
        assert_eq!(passage.source_url, None);
        assert_eq!(answer.citations.len(), 1);
    }

    #[test]
    fn what_only_sounds_alike_is_no_answer() {
        let all = [found(
            "1",
            "Handbook",
            "Every employee has 28 days of paid vacation a year.",
        )];
        for question in [
            "How many employees work from home on Fridays?",
            "What is the capital of France?",
            "What is it?",
            "vacation?",
        ] {
            assert_eq!(ask(question, &all), None, "{question}");
        }
    }

    #[test]
    fn two_documents_that_answer_as_well_are_both_quoted() {
        let text = "Refunds are paid within 14 days.";
        let all = [
            found("1", "Shop", text),
            found("1", "Shop", text),
            found("2", "Terms", text),
        ];
        let answer = ask("When are refunds paid?", &all).unwrap();
        assert_eq!(answer.text.lines().count(), 2);
        assert_eq!(answer.citations.len(), 2);
        let german = Voice {
            language: Language::De,
            ..Voice::english(DateTime::UNIX_EPOCH)
        };
        let said = super::answer("When are refunds paid?", &all, german).unwrap();
        assert!(said.text.starts_with("Aus \"Shop\":"), "{}", said.text);
    }
}
