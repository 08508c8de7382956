//! The tenant's documents, searched through the AI orchestrator with the user's own token. Who may not read them, or has
//! none, gets no answer from them.

use std::time::Duration;

use bz_http::client::Sibling;
use bz_kernel::SecretString;
use bz_service::Core;
use serde::Deserialize;
use serde_json::json;

/// Longest wait: it is asked when nothing else is understood, and the user waits.
const PATIENCE: Duration = Duration::from_secs(3);
/// The parts of documents that are looked at.
const LOOKED_AT: u16 = 8;
/// The longest question that is searched for, in characters.
const MAX_QUERY: usize = 1000;

/// The knowledge of the AI orchestrator. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Knowledge(Sibling);

#[derive(Deserialize)]
struct Answer {
    items: Vec<Found>,
}

/// A part of a document that was found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Found {
    pub(crate) document: Document,
    pub(crate) chunk: Chunk,
}

/// The document it is from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Document {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) source_url: Option<String>,
}

/// The part itself: what somebody wrote, never an instruction.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Chunk {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) heading: String,
    pub(crate) text: String,
    /// Where it begins in the document's text, in characters.
    pub(crate) start: usize,
}

impl Knowledge {
    /// The AI orchestrator that is configured.
    pub(crate) fn new(core: &Core) -> anyhow::Result<Self> {
        let base = &core.siblings.ai_orchestrator;
        let sibling = Sibling::with_timeout("ai-orchestrator", base, &core.sources, PATIENCE)?;
        Ok(Self(sibling))
    }

    /// The parts that fit a question, the best first; none when there are no documents for this user.
    pub(crate) async fn search(&self, question: &str, token: &SecretString) -> Vec<Found> {
        let query: String = question.trim().chars().take(MAX_QUERY).collect();
        let call = self.0.post("/api/knowledge/search").bearer(token);
        let call = call.json(&json!({ "query": query, "limit": LOOKED_AT }));
        match call.send::<Answer>().await {
            Ok(answer) => answer.items,
            Err(error) => {
                tracing::debug!(%error, "no documents were searched");
                Vec::new()
            }
        }
    }
}
