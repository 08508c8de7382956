//! SQL of documents.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::{Document, DocumentId, Indexing, IndexingStatus, incoming::NewDocument};

#[derive(FromRow)]
struct DocumentRow {
    id: Uuid,
    title: String,
    media_type: String,
    source_url: Option<String>,
    collection: Option<String>,
    labels: Vec<String>,
    characters: i32,
    text: Option<String>,
    status: String,
    chunks: i64,
    embedded: i64,
    model: Option<String>,
    error: Option<String>,
    indexed_at: Option<DateTime<Utc>>,
    created_by: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

/// All but the text.
const COLUMNS: &str = "id, title, media_type, source_url, collection, labels, characters, status, model, error, indexed_at, \
     created_by, created_at, updated_at, version, \
     (SELECT count(*) FROM ai.knowledge_chunks AS c WHERE c.document_id = d.id) AS chunks, \
     (SELECT count(*) FROM ai.knowledge_chunks AS c JOIN ai.knowledge_embeddings AS e ON e.chunk_id = c.id \
      WHERE c.document_id = d.id) AS embedded";

impl From<DocumentRow> for Document {
    fn from(row: DocumentRow) -> Self {
        Self {
            id: DocumentId::from_uuid(row.id),
            title: row.title,
            media_type: row.media_type,
            source_url: row.source_url,
            collection: row.collection,
            labels: row.labels,
            characters: row.characters,
            text: row.text,
            indexing: Indexing {
                status: match row.status.as_str() {
                    "indexed" => IndexingStatus::Indexed,
                    "failed" => IndexingStatus::Failed,
                    _ => IndexingStatus::Queued,
                },
                chunks: row.chunks,
                embedded: row.embedded,
                model: row.model,
                error: row.error,
                indexed_at: row.indexed_at,
            },
            created_by: UserId::from_uuid(row.created_by),
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        }
    }
}

/// How many documents the tenant has.
pub(super) async fn count(tx: &mut TenantTx) -> Result<i64, DbError> {
    let count = query_scalar(
        "-- ai.knowledge_documents.count\nSELECT count(*) FROM ai.knowledge_documents",
    );
    Ok(count.fetch_one(tx.conn()).await?)
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    id: DocumentId,
    (by, now): (UserId, DateTime<Utc>),
    new: &NewDocument,
) -> Result<Document, DbError> {
    let sql = format!(
        "-- ai.knowledge_documents.insert\n\
         INSERT INTO ai.knowledge_documents AS d (id, title, media_type, source_url, collection, labels, text, characters, due_at, \
           created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $9) RETURNING {COLUMNS}, NULL::text AS text"
    );
    let row: DocumentRow = query_as(&sql)
        .bind(id.as_uuid())
        .bind(&new.title)
        .bind(new.media_type)
        .bind(&new.source_url)
        .bind(&new.collection)
        .bind(&new.labels)
        .bind(&new.text)
        .bind(characters(&new.text))
        .bind(now)
        .bind(by.as_uuid())
        .fetch_one(tx.conn())
        .await?;
    Ok(row.into())
}

fn characters(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(i32::MAX)
}

/// A document; with its text, when that is wanted.
pub(super) async fn find(
    tx: &mut TenantTx,
    id: DocumentId,
    with_text: bool,
) -> Result<Option<Document>, DbError> {
    let text = if with_text {
        "text"
    } else {
        "NULL::text AS text"
    };
    let sql = format!(
        "-- ai.knowledge_documents.find\n\
         SELECT {COLUMNS}, {text} FROM ai.knowledge_documents AS d WHERE id = $1"
    );
    let row: Option<DocumentRow> = query_as(&sql)
        .bind(id.as_uuid())
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(Into::into))
}

/// The version of a document, which nobody changes until the transaction ends.
pub(super) async fn lock(tx: &mut TenantTx, id: DocumentId) -> Result<Option<i64>, DbError> {
    let version = query_scalar(
        "-- ai.knowledge_documents.lock\n\
         SELECT version FROM ai.knowledge_documents WHERE id = $1 FOR UPDATE",
    );
    Ok(version.bind(id.as_uuid()).fetch_optional(tx.conn()).await?)
}

/// What to list.
pub(super) struct Filter {
    pub collection: Option<String>,
    pub labels: Vec<String>,
}

/// Documents behind one, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    filter: &Filter,
    after: Option<DocumentId>,
    limit: i64,
) -> Result<Vec<Document>, DbError> {
    let sql = format!(
        "-- ai.knowledge_documents.list\n\
         SELECT {COLUMNS}, NULL::text AS text FROM ai.knowledge_documents AS d \
         WHERE ($1::uuid IS NULL OR id < $1) AND ($2::text IS NULL OR collection = $2) AND labels @> $3 \
         ORDER BY id DESC LIMIT $4"
    );
    let rows: Vec<DocumentRow> = query_as(&sql)
        .bind(after.map(DocumentId::as_uuid))
        .bind(&filter.collection)
        .bind(&filter.labels)
        .bind(limit)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Puts another text in a document's place. What was cut from the old one goes at once.
pub(super) async fn replace(
    tx: &mut TenantTx,
    id: DocumentId,
    now: DateTime<Utc>,
    new: &NewDocument,
) -> Result<(), DbError> {
    query(
        "-- ai.knowledge_documents.replace\n\
         UPDATE ai.knowledge_documents SET title = $2, media_type = $3, source_url = $4, collection = $5, labels = $6, text = $7, \
           characters = $8, status = 'queued', due_at = $9, attempts = 0, chunked = false, model = NULL, error = NULL, \
           indexed_at = NULL, updated_at = $9, version = version + 1 WHERE id = $1",
    )
    .bind(id.as_uuid())
    .bind(&new.title)
    .bind(new.media_type)
    .bind(&new.source_url)
    .bind(&new.collection)
    .bind(&new.labels)
    .bind(&new.text)
    .bind(characters(&new.text))
    .bind(now)
    .execute(tx.conn())
    .await?;
    let chunks = query(
        "-- ai.knowledge_chunks.delete\nDELETE FROM ai.knowledge_chunks WHERE document_id = $1",
    );
    chunks.bind(id.as_uuid()).execute(tx.conn()).await?;
    Ok(())
}

/// Deletes a document, and with it its chunks and their vectors.
pub(super) async fn delete(tx: &mut TenantTx, id: DocumentId) -> Result<(), DbError> {
    let gone =
        query("-- ai.knowledge_documents.delete\nDELETE FROM ai.knowledge_documents WHERE id = $1");
    gone.bind(id.as_uuid()).execute(tx.conn()).await?;
    Ok(())
}
