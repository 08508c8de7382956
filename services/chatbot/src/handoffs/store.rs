//! SQL of handoffs.

use bz_kernel::{ConversationId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as};
use uuid::Uuid;

use super::Handoff;

#[derive(FromRow)]
struct HandoffRow {
    id: Uuid,
    conversation_id: Uuid,
    reason: Option<String>,
    todo_id: Uuid,
    created_at: DateTime<Utc>,
}

/// The handoff of a conversation, whose to-do has this title.
pub(super) async fn find(
    tx: &mut TenantTx,
    conversation: ConversationId,
    title: &str,
) -> Result<Option<Handoff>, DbError> {
    let row: Option<HandoffRow> = query_as(
        "-- chat.handoffs.find\n\
         SELECT id, conversation_id, reason, todo_id, created_at FROM chat.handoffs WHERE conversation_id = $1",
    )
    .bind(conversation.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Handoff {
        id: row.id.into(),
        conversation_id: row.conversation_id.into(),
        reason: row.reason,
        todo: Handoff::todo(row.todo_id.into(), title),
        created_at: row.created_at,
    }))
}

/// Keeps a handoff. False when the conversation was handed over already.
pub(super) async fn insert(
    tx: &mut TenantTx,
    handoff: &Handoff,
    user: UserId,
) -> Result<bool, DbError> {
    let done = query(
        "-- chat.handoffs.insert\n\
         INSERT INTO chat.handoffs (id, conversation_id, user_id, reason, todo_id, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, conversation_id) DO NOTHING",
    )
    .bind(handoff.id.as_uuid())
    .bind(handoff.conversation_id.as_uuid())
    .bind(user.as_uuid())
    .bind(&handoff.reason)
    .bind(handoff.todo.id.as_uuid())
    .bind(handoff.created_at)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}
