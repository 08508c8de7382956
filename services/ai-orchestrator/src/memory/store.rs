//! SQL of memories. They are few a user and agent, so that the tenant's policy and the user's index are enough.

use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::{Memory, MemoryId};

#[derive(FromRow)]
struct MemoryRow {
    id: Uuid,
    agent: String,
    key: String,
    text: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

const COLUMNS: &str = "id, agent, key, text, created_at, updated_at";

impl From<MemoryRow> for Memory {
    fn from(row: MemoryRow) -> Self {
        Self {
            id: MemoryId::from_uuid(row.id),
            agent: row.agent,
            key: row.key,
            text: row.text,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Whose memory of whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    pub user: UserId,
    pub agent: &'a str,
}

/// A vector with the model that made it.
pub(super) type Vector<'a> = Option<(&'a str, &'a str)>;

/// Facts of a user behind one, newest first; of one agent, when that is named.
pub(super) async fn list(
    tx: &mut TenantTx,
    (user, agent): (UserId, Option<&str>),
    after: Option<MemoryId>,
    limit: i64,
) -> Result<Vec<Memory>, DbError> {
    let sql = format!(
        "-- ai.memories.list\n\
         SELECT {COLUMNS} FROM ai.memories \
         WHERE user_id = $1 AND ($2::text IS NULL OR agent = $2) AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4"
    );
    let rows: Vec<MemoryRow> = query_as(&sql)
        .bind(user.as_uuid())
        .bind(agent)
        .bind(after.map(MemoryId::as_uuid))
        .bind(limit)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many other facts there are than the one of a key. Who counts waits for others who do: nobody gets past the limit.
pub(super) async fn count_others(
    tx: &mut TenantTx,
    whose: Whose<'_>,
    key: &str,
) -> Result<i64, DbError> {
    let lock = query(
        "-- ai.memories.lock\n\
         SELECT pg_advisory_xact_lock(hashtextextended('ai.memories ' || $1::text || ' ' || $2, 0))",
    );
    let lock = lock.bind(whose.user.as_uuid()).bind(whose.agent);
    lock.execute(tx.conn()).await?;
    let count = query_scalar(
        "-- ai.memories.count_others\n\
         SELECT count(*) FROM ai.memories WHERE user_id = $1 AND agent = $2 AND key <> $3",
    );
    let count = count.bind(whose.user.as_uuid()).bind(whose.agent).bind(key);
    Ok(count.fetch_one(tx.conn()).await?)
}

/// Remembers a fact in the place of what was known under its key.
pub(super) async fn put(
    tx: &mut TenantTx,
    (id, whose, now): (MemoryId, Whose<'_>, DateTime<Utc>),
    (key, text): (&str, &str),
    vector: Vector<'_>,
) -> Result<(), DbError> {
    query(
        "-- ai.memories.put\n\
         INSERT INTO ai.memories AS m (id, user_id, agent, key, text, model, embedding, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7::text::public.vector, $8, $8) \
         ON CONFLICT ON CONSTRAINT memories_key_key DO UPDATE \
           SET text = excluded.text, model = excluded.model, embedding = excluded.embedding, updated_at = excluded.updated_at",
    )
    .bind(id.as_uuid())
    .bind(whose.user.as_uuid())
    .bind(whose.agent)
    .bind(key)
    .bind(text)
    .bind(vector.map(|(model, _)| model))
    .bind(vector.map(|(_, vector)| vector))
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Facts without a vector of this model.
pub(super) async fn without_vector(
    tx: &mut TenantTx,
    whose: Whose<'_>,
    model: &str,
    most: i64,
) -> Result<Vec<(Uuid, String)>, DbError> {
    let facts = query_as(
        "-- ai.memories.without_vector\n\
         SELECT id, key || E'\\n' || text FROM ai.memories \
         WHERE user_id = $1 AND agent = $2 AND model IS DISTINCT FROM $3 ORDER BY id LIMIT $4",
    );
    let facts = facts
        .bind(whose.user.as_uuid())
        .bind(whose.agent)
        .bind(model)
        .bind(most);
    Ok(facts.fetch_all(tx.conn()).await?)
}

/// Stores the vector of a fact, if it still has the text that the vector is of.
pub(super) async fn put_vector(
    tx: &mut TenantTx,
    (id, of): (Uuid, &str),
    (model, vector): (&str, &str),
) -> Result<(), DbError> {
    let stored = query(
        "-- ai.memories.put_vector\n\
         UPDATE ai.memories SET model = $3, embedding = $4::text::public.vector WHERE id = $1 AND key || E'\\n' || text = $2",
    );
    let stored = stored.bind(id).bind(of).bind(model).bind(vector);
    stored.execute(tx.conn()).await?;
    Ok(())
}

/// Facts by the words of a question, the best first: those that have any of them.
pub(super) async fn by_words(
    tx: &mut TenantTx,
    whose: Whose<'_>,
    words: &str,
) -> Result<Vec<Uuid>, DbError> {
    let found = query_scalar(
        "-- ai.memories.by_words\n\
         WITH asked AS (SELECT tsvector_to_array(to_tsvector('pg_catalog.english', $3)) AS words), known AS (\
           SELECT m.id, cardinality(ARRAY(SELECT unnest(asked.words) INTERSECT SELECT unnest(tsvector_to_array(\
             to_tsvector('pg_catalog.english', replace(m.key, '-', ' ') || ' ' || m.text))))) AS shared \
           FROM ai.memories AS m, asked WHERE m.user_id = $1 AND m.agent = $2) \
         SELECT id FROM known WHERE shared > 0 ORDER BY shared DESC, id DESC",
    );
    let found = found
        .bind(whose.user.as_uuid())
        .bind(whose.agent)
        .bind(words);
    Ok(found.fetch_all(tx.conn()).await?)
}

/// Facts by the meaning of a question, the nearest first.
pub(super) async fn by_meaning(
    tx: &mut TenantTx,
    whose: Whose<'_>,
    (model, vector): (&str, &str),
) -> Result<Vec<Uuid>, DbError> {
    let found = query_scalar(
        "-- ai.memories.by_meaning\n\
         SELECT id FROM (\
           SELECT m.id, m.embedding OPERATOR(public.<=>) $4::text::public.vector AS distance FROM ai.memories AS m \
           WHERE m.user_id = $1 AND m.agent = $2 AND m.model = $3) AS near \
         WHERE distance < 0.8 ORDER BY distance, id",
    );
    let found = found
        .bind(whose.user.as_uuid())
        .bind(whose.agent)
        .bind(model)
        .bind(vector);
    Ok(found.fetch_all(tx.conn()).await?)
}

/// Facts by their ids, in that order.
pub(super) async fn named(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<Memory>, DbError> {
    let sql = format!(
        "-- ai.memories.named\n\
         SELECT {COLUMNS} FROM ai.memories WHERE id = ANY ($1) ORDER BY array_position($1, id)"
    );
    let rows: Vec<MemoryRow> = query_as(&sql).bind(ids).fetch_all(tx.conn()).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Forgets what an agent knows under a key; whether there was something.
pub(super) async fn forget(
    tx: &mut TenantTx,
    whose: Whose<'_>,
    key: &str,
) -> Result<bool, DbError> {
    let gone = query(
        "-- ai.memories.forget\nDELETE FROM ai.memories WHERE user_id = $1 AND agent = $2 AND key = $3",
    );
    let gone = gone.bind(whose.user.as_uuid()).bind(whose.agent).bind(key);
    Ok(gone.execute(tx.conn()).await?.rows_affected() > 0)
}

/// Deletes a fact of a user; whether it was there.
pub(super) async fn delete(tx: &mut TenantTx, user: UserId, id: MemoryId) -> Result<bool, DbError> {
    let gone =
        query("-- ai.memories.delete\nDELETE FROM ai.memories WHERE user_id = $1 AND id = $2");
    let gone = gone.bind(user.as_uuid()).bind(id.as_uuid());
    Ok(gone.execute(tx.conn()).await?.rows_affected() > 0)
}

/// Deletes the facts of a user; of one agent, when that is named.
pub(super) async fn clear(
    tx: &mut TenantTx,
    user: UserId,
    agent: Option<&str>,
) -> Result<(), DbError> {
    let gone = query(
        "-- ai.memories.clear\n\
         DELETE FROM ai.memories WHERE user_id = $1 AND ($2::text IS NULL OR agent = $2)",
    );
    gone.bind(user.as_uuid())
        .bind(agent)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Deletes what is remembered of a user who is gone.
pub(crate) async fn forget_user(tx: &mut TenantTx, user: UserId) -> Result<(), DbError> {
    clear(tx, user, None).await
}
