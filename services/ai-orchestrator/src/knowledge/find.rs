//! The search: the words of a question and its meaning, each as a list of places, joined by reciprocal rank (Cormack, Clarke and
//! Buettcher, 2009).

use std::{collections::HashMap, hash::Hash, time::Duration};

use bz_tenant::{DbError, TenantScope, TenantTx};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, query_as, query_scalar};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    ChunkId, DocumentId, DocumentRef, SearchKnowledge,
    search::{FoundChunk, FoundItem, KnowledgeFound},
};
use crate::{app::AppState, models::EMBEDDINGS};

/// Up to so many vectors a tenant's are all compared.
const EXACT_BELOW: i32 = 20_000;
/// The places of each list that count.
const DEPTH: i32 = 50;
/// What is added to a place before it counts.
const RANK: f64 = 60.0;
/// How long a search waits for its vector.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How a search was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Engine {
    /// By words and by meaning.
    Hybrid,
    /// By words.
    Text,
}

/// A place in a document that a run read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Citation {
    /// The document.
    pub document: DocumentRef,
    /// The part.
    pub chunk: CitedChunk,
    /// How to name the place to people.
    pub citation: String,
}

/// A part of a document that a run read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CitedChunk {
    /// Its id, until the document is replaced.
    pub id: ChunkId,
    /// Its number within the document, from 0.
    pub ordinal: i32,
    /// The headings that it stands under.
    pub heading: String,
    /// Where it begins in the document's text, in characters.
    pub start: i32,
    /// Where it ends.
    pub end: i32,
}

#[derive(FromRow)]
struct FoundRow {
    id: Uuid,
    ordinal: i32,
    heading: String,
    text: String,
    starts_at: i32,
    ends_at: i32,
    document_id: Uuid,
    title: String,
    source_url: Option<String>,
}

/// Searches the tenant's documents.
pub(super) async fn find(
    app: &AppState,
    scope: &TenantScope,
    wanted: &SearchKnowledge,
    limit: usize,
) -> Result<KnowledgeFound, DbError> {
    let vector = vector(app, &wanted.query).await;
    let engine = match vector {
        Some(_) => Engine::Hybrid,
        None => Engine::Text,
    };
    let mut tx = app.core.db.read(scope).await?;
    let mut lists = vec![by_words(&mut tx, wanted).await?];
    if let Some(vector) = &vector {
        lists.push(by_meaning(&mut tx, wanted, vector).await?);
    }
    let mut best = fused(&lists);
    best.truncate(limit);
    let items = shown(&mut tx, &best).await?;
    Ok(KnowledgeFound { items, engine })
}

/// The vector of a text as Postgres reads it; none when no model is there or it does not answer in time.
pub(crate) async fn vector(app: &AppState, text: &str) -> Option<String> {
    let vectors = vectors(app, vec![text.to_owned()]).await?;
    vectors.into_iter().next()
}

/// The same of several texts.
pub(crate) async fn vectors(app: &AppState, texts: Vec<String>) -> Option<Vec<String>> {
    if !app.models.offers(EMBEDDINGS) {
        return None;
    }
    let made = tokio::time::timeout(PATIENCE, app.models.embed(texts)).await;
    match made.ok()? {
        Ok(vectors) => Some(vectors.iter().map(|vector| literal(vector)).collect()),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "no search by meaning");
            None
        }
    }
}

/// A vector as Postgres reads it.
pub(super) fn literal(vector: &[f32]) -> String {
    let numbers: Vec<String> = vector.iter().map(ToString::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// Places of lists joined, the best first.
pub(crate) fn fused<T: Copy + Eq + Hash + Ord>(lists: &[Vec<T>]) -> Vec<(T, f64)> {
    let mut scores: HashMap<T, f64> = HashMap::new();
    for list in lists {
        let mut place = RANK;
        for one in list {
            place += 1.0;
            *scores.entry(*one).or_default() += 1.0 / place;
        }
    }
    let mut best: Vec<(T, f64)> = scores.into_iter().collect();
    best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    best
}

async fn by_words(tx: &mut TenantTx, wanted: &SearchKnowledge) -> Result<Vec<Uuid>, DbError> {
    let found = query_scalar(
        "-- ai.knowledge.text\nSELECT chunk_id FROM ai.knowledge_text($1, $2, $3, $4)",
    );
    let found = found
        .bind(&wanted.query)
        .bind(&wanted.collection)
        .bind(&wanted.labels)
        .bind(DEPTH);
    Ok(found.fetch_all(tx.conn()).await?)
}

async fn by_meaning(
    tx: &mut TenantTx,
    wanted: &SearchKnowledge,
    vector: &str,
) -> Result<Vec<Uuid>, DbError> {
    // It sets what makes the planner take the index of vectors.
    tx.ends_here();
    let found = query_scalar(
        "-- ai.knowledge.near\nSELECT chunk_id FROM ai.knowledge_near($1, $2, $3, $4, $5, $6)",
    );
    let found = found
        .bind(vector)
        .bind(EMBEDDINGS)
        .bind(&wanted.collection)
        .bind(&wanted.labels)
        .bind(DEPTH)
        .bind(EXACT_BELOW);
    Ok(found.fetch_all(tx.conn()).await?)
}

/// The parts themselves, read under the tenant's policy.
async fn shown(tx: &mut TenantTx, best: &[(Uuid, f64)]) -> Result<Vec<FoundItem>, DbError> {
    let ids: Vec<Uuid> = best.iter().map(|(id, _)| *id).collect();
    let rows: Vec<FoundRow> = query_as(
        "-- ai.knowledge.show\n\
         SELECT c.id, c.ordinal, c.heading, c.text, c.starts_at, c.ends_at, c.document_id, d.title, d.source_url \
         FROM ai.knowledge_chunks AS c JOIN ai.knowledge_documents AS d ON d.id = c.document_id WHERE c.id = ANY ($1)",
    )
    .bind(&ids)
    .fetch_all(tx.conn())
    .await?;
    let mut rows: HashMap<Uuid, FoundRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    let found = best
        .iter()
        .filter_map(|(id, score)| Some((rows.remove(id)?, *score)));
    Ok(found.map(|(row, score)| row.scored(score)).collect())
}

impl FoundRow {
    fn scored(self, score: f64) -> FoundItem {
        let heading = match self.heading.as_str() {
            "" => String::new(),
            heading => format!(", {heading}"),
        };
        FoundItem {
            score,
            citation: format!(
                "{}{heading} ({}-{})",
                self.title, self.starts_at, self.ends_at
            ),
            document: DocumentRef {
                id: DocumentId::from_uuid(self.document_id),
                title: self.title,
                source_url: self.source_url,
            },
            chunk: FoundChunk {
                id: ChunkId::from_uuid(self.id),
                ordinal: self.ordinal,
                heading: self.heading,
                text: self.text,
                start: self.starts_at,
                end: self.ends_at,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_lists_have_is_before_what_one_has() {
        let best = fused(&[vec![1, 2, 3], vec![4, 2]]);
        let order: Vec<i32> = best.iter().map(|(one, _)| *one).collect();
        assert_eq!(order, [2, 1, 4, 3]);
        assert_eq!(fused::<i32>(&[]), []);
    }
}
