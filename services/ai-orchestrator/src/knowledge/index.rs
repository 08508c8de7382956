//! SQL of indexing: what is due, the parts of a document, their vectors. Each write names the lease under which it works and
//! changes nothing when another worker has the document, or when it was replaced.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::chunks::Chunk;

/// Parts that are written with one statement.
const AT_ONCE: usize = 500;

/// A document that is due.
#[derive(FromRow)]
pub(super) struct Due {
    pub media_type: String,
    pub text: String,
    pub chunked: bool,
    pub attempts: i32,
}

/// The document of a lease.
pub(super) async fn taken(
    tx: &mut TenantTx,
    id: Uuid,
    lease: DateTime<Utc>,
) -> Result<Option<Due>, DbError> {
    let due = query_as(
        "-- ai.knowledge_documents.taken\n\
         SELECT media_type, text, chunked, attempts FROM ai.knowledge_documents WHERE id = $1 AND due_at = $2",
    );
    Ok(due.bind(id).bind(lease).fetch_optional(tx.conn()).await?)
}

/// Goes on with a document: its lease ends later. False when another worker has it, or it was replaced.
pub(super) async fn goes_on(
    tx: &mut TenantTx,
    id: Uuid,
    (lease, later): (DateTime<Utc>, DateTime<Utc>),
) -> Result<bool, DbError> {
    let done = query(
        "-- ai.knowledge_documents.goes_on\n\
         UPDATE ai.knowledge_documents SET due_at = $3 WHERE id = $1 AND due_at = $2",
    );
    let done = done
        .bind(id)
        .bind(lease)
        .bind(later)
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts the parts in the place of those that were there.
pub(super) async fn put_chunks(
    tx: &mut TenantTx,
    document: Uuid,
    chunks: &[(Uuid, Chunk)],
) -> Result<(), DbError> {
    let old = query(
        "-- ai.knowledge_chunks.delete\nDELETE FROM ai.knowledge_chunks WHERE document_id = $1",
    );
    old.bind(document).execute(tx.conn()).await?;
    for (n, part) in chunks.chunks(AT_ONCE).enumerate() {
        insert(tx, document, n * AT_ONCE, part).await?;
    }
    let chunked = query(
        "-- ai.knowledge_documents.chunked\nUPDATE ai.knowledge_documents SET chunked = true WHERE id = $1",
    );
    chunked.bind(document).execute(tx.conn()).await?;
    Ok(())
}

async fn insert(
    tx: &mut TenantTx,
    document: Uuid,
    first: usize,
    chunks: &[(Uuid, Chunk)],
) -> Result<(), DbError> {
    let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let column = |of: fn(&Chunk) -> &str| chunks.iter().map(|(_, c)| of(c)).collect::<Vec<_>>();
    query(
        "-- ai.knowledge_chunks.insert\n\
         INSERT INTO ai.knowledge_chunks (id, document_id, ordinal, heading, starts_at, ends_at, text) \
         SELECT u.id, $1, $7 + u.ordinal - 1, u.heading, u.starts_at, u.ends_at, u.text \
         FROM unnest($2::uuid[], $3::text[], $4::integer[], $5::integer[], $6::text[]) \
           WITH ORDINALITY AS u (id, heading, starts_at, ends_at, text, ordinal)",
    )
    .bind(document)
    .bind(chunks.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(column(|chunk| &chunk.heading))
    .bind(chunks.iter().map(|(_, c)| number(c.start)).collect::<Vec<_>>())
    .bind(chunks.iter().map(|(_, c)| number(c.end)).collect::<Vec<_>>())
    .bind(column(|chunk| &chunk.text))
    .bind(number(first))
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Parts of a document without a vector of the model: their ids, and the text that is embedded.
pub(super) async fn without_vector(
    tx: &mut TenantTx,
    document: Uuid,
    model: &str,
    most: i64,
) -> Result<Vec<(Uuid, String)>, DbError> {
    let chunks = query_as(
        "-- ai.knowledge_chunks.without_vector\n\
         SELECT c.id, concat_ws(E'\\n', nullif(c.heading, ''), c.text) FROM ai.knowledge_chunks AS c \
         LEFT JOIN ai.knowledge_embeddings AS e ON e.chunk_id = c.id AND e.model = $2 \
         WHERE c.document_id = $1 AND e.chunk_id IS NULL ORDER BY c.ordinal LIMIT $3",
    );
    let chunks = chunks.bind(document).bind(model).bind(most);
    Ok(chunks.fetch_all(tx.conn()).await?)
}

/// Stores vectors; each in the place of the one that another model made.
pub(super) async fn put_vectors(
    tx: &mut TenantTx,
    (model, now): (&str, DateTime<Utc>),
    vectors: &[(Uuid, String)],
) -> Result<(), DbError> {
    let stored = query(
        "-- ai.knowledge_embeddings.put\n\
         INSERT INTO ai.knowledge_embeddings AS e (chunk_id, model, dimensions, embedding, embedded_at) \
         SELECT u.id, $1, public.vector_dims(u.vector::public.vector), u.vector::public.vector, $2 \
         FROM unnest($3::uuid[], $4::text[]) AS u (id, vector) \
         ON CONFLICT ON CONSTRAINT knowledge_embeddings_pkey DO UPDATE \
           SET model = excluded.model, dimensions = excluded.dimensions, embedding = excluded.embedding, \
               embedded_at = excluded.embedded_at",
    );
    let (ids, vectors): (Vec<Uuid>, Vec<String>) = vectors.iter().cloned().unzip();
    let stored = stored.bind(model).bind(now).bind(ids).bind(vectors);
    stored.execute(tx.conn()).await?;
    Ok(())
}

/// Writes that a document is found.
pub(super) async fn done(
    tx: &mut TenantTx,
    (id, lease): (Uuid, DateTime<Utc>),
    model: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- ai.knowledge_documents.done\n\
         UPDATE ai.knowledge_documents SET status = 'indexed', due_at = NULL, attempts = 0, model = $3, error = NULL, \
           indexed_at = $4 WHERE id = $1 AND due_at = $2",
    )
    .bind(id)
    .bind(lease)
    .bind(model)
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Writes that it did not work. Without a next time it is not tried again.
pub(super) async fn failed(
    tx: &mut TenantTx,
    (id, lease): (Uuid, DateTime<Utc>),
    next: Option<DateTime<Utc>>,
    error: &str,
) -> Result<(), DbError> {
    query(
        "-- ai.knowledge_documents.failed\n\
         UPDATE ai.knowledge_documents SET status = CASE WHEN $3::timestamptz IS NULL THEN 'failed' ELSE 'queued' END, \
           due_at = $3, error = $4 WHERE id = $1 AND due_at = $2",
    )
    .bind(id)
    .bind(lease)
    .bind(next)
    .bind(error)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Queues a batch of documents of all tenants that have no vectors of this model; answers how many.
pub(super) async fn outdated(
    db: &bz_tenant::Db,
    model: &str,
    now: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let mut tx = db.system().await?;
    let queued = query_scalar("-- ai.knowledge.outdated\nSELECT ai.knowledge_outdated($1, $2, $3)");
    let queued = queued.bind(model).bind(now).bind(batch);
    let queued = queued.fetch_one(tx.conn()).await?;
    tx.commit().await?;
    Ok(queued)
}
