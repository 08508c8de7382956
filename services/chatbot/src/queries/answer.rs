//! An answer that changes nothing: its text, the records that it names, and where its numbers are from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::documents::CitedPassage;
use crate::crm::Link;
use crate::understand::Would;

/// Where something in an answer is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Citation {
    /// Where: `crm`, `analytics` or `knowledge` (documents).
    #[schema(example = "crm")]
    pub(crate) source: String,
    /// The path that was asked there; of a document its own.
    #[schema(example = "/api/leads/query")]
    pub(crate) path: String,
    /// What is quoted from a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) passage: Option<CitedPassage>,
}

/// An answer that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) links: Vec<Link>,
    pub(crate) citations: Vec<Citation>,
    /// Whether it answers, asks back, or does neither.
    pub(crate) would: Would,
}

impl Answer {
    fn new(text: impl Into<String>, would: Would) -> Self {
        Self {
            text: text.into(),
            links: Vec::new(),
            citations: Vec::new(),
            would,
        }
    }

    /// Says something.
    pub(crate) fn say(text: impl Into<String>) -> Self {
        Self::new(text, Would::Answer)
    }

    /// Asks for what is missing.
    pub(crate) fn ask(text: impl Into<String>) -> Self {
        Self::new(text, Would::Ask)
    }

    /// Says that there is nothing to do.
    pub(crate) fn nothing(text: impl Into<String>) -> Self {
        Self::new(text, Would::Nothing)
    }

    /// Names these records.
    pub(crate) fn with_links(mut self, links: Vec<Link>) -> Self {
        self.links = links;
        self
    }

    /// Says where it is from.
    pub(crate) fn cited(mut self, source: &str, path: &str) -> Self {
        self.citations.push(Citation {
            source: source.to_owned(),
            path: path.to_owned(),
            passage: None,
        });
        self
    }

    /// Quotes these.
    pub(crate) fn quoting(mut self, citations: Vec<Citation>) -> Self {
        self.citations = citations;
        self
    }
}
