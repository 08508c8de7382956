//! SQL of conversations. Row-level security confines every statement to the tenant of the transaction; the user is named
//! here, because a conversation is private within its tenant too.

use bz_kernel::{ConversationId, UserId};
use bz_tenant::{Db, DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as, query_scalar};
use uuid::Uuid;

use super::Conversation;
use crate::understand::Language;
use crate::wording::Voice;

#[derive(FromRow)]
struct ConversationRow {
    id: Uuid,
    title: String,
    time_zone: String,
    language: Option<String>,
    created_at: DateTime<Utc>,
    last_message_at: DateTime<Utc>,
    titled: bool,
    version: i64,
}

impl From<ConversationRow> for Conversation {
    fn from(row: ConversationRow) -> Self {
        Self {
            id: row.id.into(),
            title: row.title,
            time_zone: row.time_zone,
            language: row.language.as_deref().and_then(Language::of_tag),
            created_at: row.created_at,
            last_message_at: row.last_message_at,
            titled: row.titled,
            version: row.version,
        }
    }
}

/// Begins a conversation.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    conversation: &Conversation,
    by: UserId,
) -> Result<(), DbError> {
    query(
        "-- chat.conversations.insert\n\
         INSERT INTO chat.conversations (id, user_id, title, time_zone, created_at, last_message_at, titled) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(conversation.id.as_uuid())
    .bind(by.as_uuid())
    .bind(&conversation.title)
    .bind(&conversation.time_zone)
    .bind(conversation.created_at)
    .bind(conversation.last_message_at)
    .bind(conversation.titled)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A conversation of the user.
pub(crate) async fn find(
    tx: &mut TenantTx,
    id: ConversationId,
    user: UserId,
) -> Result<Option<Conversation>, DbError> {
    let row: Option<ConversationRow> = query_as(
        "-- chat.conversations.find\n\
         SELECT id, title, time_zone, language, created_at, last_message_at, titled, version FROM chat.conversations \
         WHERE id = $1 AND user_id = $2",
    )
    .bind(id.as_uuid())
    .bind(user.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// A conversation of the user that nobody else changes until the transaction ends.
pub(super) async fn lock(
    tx: &mut TenantTx,
    id: ConversationId,
    user: UserId,
) -> Result<Option<Conversation>, DbError> {
    let row: Option<ConversationRow> = query_as(
        "-- chat.conversations.lock\n\
         SELECT id, title, time_zone, language, created_at, last_message_at, titled, version FROM chat.conversations \
         WHERE id = $1 AND user_id = $2 FOR UPDATE",
    )
    .bind(id.as_uuid())
    .bind(user.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// Gives a conversation its title, and answers the new version.
pub(crate) async fn set_title(
    tx: &mut TenantTx,
    conversation: &Conversation,
) -> Result<i64, DbError> {
    let version = query_scalar(
        "-- chat.conversations.set_title\n\
         UPDATE chat.conversations SET title = $2, titled = true, version = version + 1 WHERE id = $1 RETURNING version",
    )
    .bind(conversation.id.as_uuid())
    .bind(&conversation.title)
    .fetch_one(tx.conn())
    .await?;
    Ok(version)
}

/// One page and one more of the user's conversations, newest first; those with a text, when one is looked for.
pub(super) async fn list(
    tx: &mut TenantTx,
    user: UserId,
    text: Option<&str>,
    (before, limit): (Option<ConversationId>, u16),
) -> Result<Vec<Conversation>, DbError> {
    let rows: Vec<ConversationRow> = query_as(
        "-- chat.conversations.list\n\
         SELECT id, title, time_zone, language, created_at, last_message_at, titled, version FROM chat.conversations AS c \
         WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2) \
           AND ($4::text IS NULL OR title ILIKE $4 OR EXISTS (SELECT FROM chat.messages AS m \
             WHERE m.tenant_id = c.tenant_id AND m.conversation_id = c.id AND m.body ILIKE $4)) \
         ORDER BY id DESC LIMIT $3",
    )
    .bind(user.as_uuid())
    .bind(before.map(ConversationId::as_uuid))
    .bind(i64::from(limit) + 1)
    .bind(text.map(pattern))
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// A pattern that has the text in it, whose own signs mean themselves.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Notes that something was said, where and in which language.
pub(crate) async fn touch(
    tx: &mut TenantTx,
    id: ConversationId,
    voice: Voice,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- chat.conversations.touch\n\
         UPDATE chat.conversations SET last_message_at = $2, time_zone = $3, language = $4 WHERE id = $1",
    )
    .bind(id.as_uuid())
    .bind(now)
    .bind(voice.zone.name())
    .bind(voice.language.tag())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes conversations of all tenants in which nothing was said since an instant, at most so many. Answers how many.
pub(super) async fn purge(db: &Db, before: DateTime<Utc>, most: i32) -> Result<i64, DbError> {
    let mut tx = db.system().await?;
    let deleted =
        query_scalar("-- chat.conversations.purge\nSELECT chat.purge_conversations($1, $2)")
            .bind(before)
            .bind(most)
            .fetch_one(tx.conn())
            .await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Deletes a conversation with everything said in it. False when the user has no such conversation.
pub(super) async fn delete(
    tx: &mut TenantTx,
    id: ConversationId,
    user: UserId,
) -> Result<bool, DbError> {
    let done = query("-- chat.conversations.delete\nDELETE FROM chat.conversations WHERE id = $1 AND user_id = $2")
        .bind(id.as_uuid())
        .bind(user.as_uuid())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}
