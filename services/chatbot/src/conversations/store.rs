//! SQL of conversations. Row-level security confines every statement to the tenant of the transaction; the user is named
//! here, because a conversation is private within its tenant too.

use bz_kernel::{ConversationId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use super::Conversation;

#[derive(FromRow)]
struct ConversationRow {
    id: Uuid,
    title: String,
    time_zone: String,
    created_at: DateTime<Utc>,
    last_message_at: DateTime<Utc>,
}

impl From<ConversationRow> for Conversation {
    fn from(row: ConversationRow) -> Self {
        Self {
            id: row.id.into(),
            title: row.title,
            time_zone: row.time_zone,
            created_at: row.created_at,
            last_message_at: row.last_message_at,
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
         INSERT INTO chat.conversations (id, user_id, title, time_zone, created_at, last_message_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(conversation.id.as_uuid())
    .bind(by.as_uuid())
    .bind(&conversation.title)
    .bind(&conversation.time_zone)
    .bind(conversation.created_at)
    .bind(conversation.last_message_at)
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
         SELECT id, title, time_zone, created_at, last_message_at FROM chat.conversations \
         WHERE id = $1 AND user_id = $2",
    )
    .bind(id.as_uuid())
    .bind(user.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// One page and one more of the user's conversations, newest first.
pub(super) async fn list(
    tx: &mut TenantTx,
    user: UserId,
    before: Option<ConversationId>,
    limit: u16,
) -> Result<Vec<Conversation>, DbError> {
    let rows: Vec<ConversationRow> = query_as(
        "-- chat.conversations.list\n\
         SELECT id, title, time_zone, created_at, last_message_at FROM chat.conversations \
         WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
    )
    .bind(user.as_uuid())
    .bind(before.map(ConversationId::as_uuid))
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Notes that something was said, and in which time zone.
pub(crate) async fn touch(
    tx: &mut TenantTx,
    id: ConversationId,
    time_zone: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query("-- chat.conversations.touch\nUPDATE chat.conversations SET last_message_at = $2, time_zone = $3 WHERE id = $1")
        .bind(id.as_uuid())
        .bind(now)
        .bind(time_zone)
        .execute(tx.conn())
        .await?;
    Ok(())
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
