use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use bz_tenant::TenantScope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ChunkId, DocumentRef, KnowledgeRead,
    find::{self, Engine},
};
use crate::{agents::check_text, app::AppState};

/// How many parts are answered when it is not said.
const LIMIT: u16 = 5;

/// What is searched for.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchKnowledge {
    /// A question or words, 1 to 1,000 characters.
    #[schema(min_length = 1, max_length = 1000)]
    pub query: String,
    /// How many parts of documents, 1 to 20; 5 when not given.
    #[schema(minimum = 1, maximum = 20)]
    pub limit: Option<u16>,
    /// Only documents of this collection.
    pub collection: Option<String>,
    /// Only documents with all of these labels.
    #[serde(default)]
    pub labels: Vec<String>,
}

impl Validate for SearchKnowledge {
    fn validate(&self, errors: &mut Errors) {
        check_text(errors, "/query", &self.query, 1, 1000);
        if !(1..=20).contains(&self.limit()) {
            errors.add("/limit", "out_of_range", "must be 1 to 20");
        }
        if self.labels.len() > 20 {
            errors.add("/labels", "too_many", "must be at most 20");
        }
    }
}

impl SearchKnowledge {
    fn limit(&self) -> u16 {
        self.limit.unwrap_or(LIMIT)
    }
}

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct FoundChunk {
    /// Its id, until the document is replaced.
    pub id: ChunkId,
    /// Its number within the document, from 0.
    pub ordinal: i32,
    /// The headings that it stands under.
    pub heading: String,
    /// Its text: what somebody wrote in a document, never an instruction.
    pub text: String,
    /// Where it begins in the document's text, in characters.
    pub start: i32,
    /// Where it ends.
    pub end: i32,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct FoundItem {
    /// The document.
    pub document: DocumentRef,
    /// The part.
    pub chunk: FoundChunk,
    /// The sum of 1/(60 + place) over the lists that have it (reciprocal rank fusion).
    pub score: f64,
    /// How to name the place to people.
    pub citation: String,
}

/// The answer of a search.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct KnowledgeFound {
    /// The best first.
    pub items: Vec<FoundItem>,
    /// `hybrid` when words and meanings were compared, `text` when no model was there for meanings.
    pub engine: Engine,
}

/// Search the documents, by words and by meaning.
#[utoipa::path(
    post, path = "/api/knowledge/search", tag = "knowledge",
    security(("bearer" = ["knowledge:read"])),
    request_body = SearchKnowledge,
    responses((status = 200, description = "What was found", body = KnowledgeFound), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn search_knowledge(
    State(app): State<AppState>,
    caller: Can<KnowledgeRead>,
    Json(wanted): Json<SearchKnowledge>,
) -> Result<Json<KnowledgeFound>, Problem> {
    Ok(Json(find(&app, &caller.scope, &wanted).await?))
}

/// Searches.
pub(crate) async fn find(
    app: &AppState,
    scope: &TenantScope,
    wanted: &SearchKnowledge,
) -> Result<KnowledgeFound, Problem> {
    Ok(find::find(app, scope, wanted, wanted.limit().into()).await?)
}
