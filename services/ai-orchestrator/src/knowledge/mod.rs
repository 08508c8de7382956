//! Knowledge: documents of a tenant, which people and agents search. A document is read at once, and cut and embedded a moment
//! later by a job; without a model its words are searched.

mod chunks;
mod create;
mod delete;
mod extract;
mod find;
mod get;
mod incoming;
mod index;
mod list;
mod put;
mod search;
mod store;
mod work;

use bz_http::{Routes, routes};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::AppState;

pub(crate) use find::{Citation, fused, vector, vectors};
pub(crate) use search::{SearchKnowledge, find};
pub(crate) use work::job;

bz_kernel::typed_id!(
    /// A document.
    DocumentId
);

bz_kernel::typed_id!(
    /// A part of a document, until that is replaced.
    ChunkId
);

bz_auth::permissions! {
    /// See the documents, and search them.
    KnowledgeRead = "knowledge:read",
    /// Add, replace and delete documents.
    KnowledgeWrite = "knowledge:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_documents, create::create_document))
        .routes(routes!(
            get::get_document,
            put::put_document,
            delete::delete_document
        ))
        .routes(routes!(search::search_knowledge))
}

/// Where a document is on its way into the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IndexingStatus {
    /// It is cut and embedded, or will be.
    Queued,
    /// It is found.
    Indexed,
    /// Something went wrong each time; `error` says what. What is there of it is found.
    Failed,
}

/// How far a document is in the search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Indexing {
    /// Where it is.
    pub status: IndexingStatus,
    /// The parts that it was cut into.
    pub chunks: i64,
    /// How many of them have a vector.
    pub embedded: i64,
    /// The model that made the vectors; none while only its words are searched.
    pub model: Option<String>,
    /// What went wrong.
    pub error: Option<String>,
    /// When it was done.
    pub indexed_at: Option<DateTime<Utc>>,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Document {
    /// Its id.
    pub id: DocumentId,
    /// Its title.
    pub title: String,
    /// What it was read from.
    pub media_type: String,
    /// Where it is for people.
    pub source_url: Option<String>,
    /// The collection that it belongs to.
    pub collection: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
    /// How long its text is.
    pub characters: i32,
    /// Its text, when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How far it is in the search.
    pub indexing: Indexing,
    /// Who added it.
    pub created_by: UserId,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last replaced.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// The document that something was found in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct DocumentRef {
    /// Its id.
    pub id: DocumentId,
    /// Its title.
    pub title: String,
    /// Where it is for people.
    pub source_url: Option<String>,
}
