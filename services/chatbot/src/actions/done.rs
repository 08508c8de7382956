//! SQL of what was done, and how it is shown.

use bz_kernel::{ConversationId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{FromRow, query, query_as, types::Json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Action, ActionId, inverse::Inverse};
use crate::conversations::MessageId;
use crate::crm::Link;

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct DoneAction {
    /// Its id: `POST /api/chat/actions/{id}/undo` takes it back.
    pub(crate) id: ActionId,
    /// What was done: `todo.create`, `deal.move` ...
    #[schema(example = "todo.create")]
    pub(crate) action: String,
    /// The same for people.
    pub(crate) summary: String,
    /// Whether it can be taken back.
    pub(crate) can_undo: bool,
    /// The records that it left.
    pub(crate) links: Vec<Link>,
}

/// What is kept of something that was done.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    pub(crate) id: ActionId,
    pub(crate) action: Action,
    pub(crate) undo: Vec<Inverse>,
}

/// Keeps what was done. A message that is answered a second time keeps nothing twice.
pub(crate) async fn insert(
    tx: &mut TenantTx,
    done: &Done,
    (conversation, message): (ConversationId, MessageId),
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- chat.actions.insert\n\
         INSERT INTO chat.actions (id, conversation_id, user_id, message_id, action, undo, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(done.id.as_uuid())
    .bind(conversation.as_uuid())
    .bind(user.as_uuid())
    .bind(message.as_uuid())
    .bind(Json(&done.action))
    .bind(Json(&done.undo))
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was done, to be taken back.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) id: ActionId,
    pub(crate) conversation: ConversationId,
    pub(crate) steps: Vec<Inverse>,
    pub(crate) is_undone: bool,
}

#[derive(FromRow)]
struct PastRow {
    id: Uuid,
    conversation_id: Uuid,
    undo: Json<Value>,
    status: String,
}

impl From<PastRow> for Past {
    fn from(row: PastRow) -> Self {
        Self {
            id: row.id.into(),
            conversation: row.conversation_id.into(),
            // Steps of another release that are no longer known cannot be gone.
            steps: serde_json::from_value(row.undo.0).unwrap_or_default(),
            is_undone: row.status == "undone",
        }
    }
}

/// Something that the user had done.
pub(crate) async fn find(
    tx: &mut TenantTx,
    id: ActionId,
    user: UserId,
) -> Result<Option<Past>, DbError> {
    let row: Option<PastRow> = query_as(
        "-- chat.actions.find\n\
         SELECT id, conversation_id, undo, status FROM chat.actions WHERE id = $1 AND user_id = $2",
    )
    .bind(id.as_uuid())
    .bind(user.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// The last thing that was done in a conversation and not taken back.
pub(crate) async fn last(
    tx: &mut TenantTx,
    conversation: ConversationId,
    user: UserId,
) -> Result<Option<Past>, DbError> {
    let row: Option<PastRow> = query_as(
        // By the place of their messages: ids of one millisecond have no order.
        "-- chat.actions.last\n\
         SELECT a.id, a.conversation_id, a.undo, a.status FROM chat.actions AS a \
         JOIN chat.messages AS m ON m.tenant_id = a.tenant_id AND m.id = a.message_id \
         WHERE a.conversation_id = $1 AND a.user_id = $2 AND a.status = 'done' AND a.undo <> '[]'::jsonb \
         ORDER BY m.seq DESC, a.id DESC LIMIT 1",
    )
    .bind(conversation.as_uuid())
    .bind(user.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Into::into))
}

/// Takes something for being taken back. Only one taker gets it.
pub(crate) async fn claim(
    tx: &mut TenantTx,
    id: ActionId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- chat.actions.claim\n\
         UPDATE chat.actions SET status = 'undone', undone_at = $2 WHERE id = $1 AND status = 'done'",
    )
    .bind(id.as_uuid())
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Keeps the steps that could not be gone, so that they can be tried again.
pub(crate) async fn release(
    tx: &mut TenantTx,
    id: ActionId,
    steps: &[Inverse],
) -> Result<(), DbError> {
    query(
        "-- chat.actions.release\n\
         UPDATE chat.actions SET status = 'done', undone_at = NULL, undo = $2 WHERE id = $1 AND status = 'undone'",
    )
    .bind(id.as_uuid())
    .bind(Json(steps))
    .execute(tx.conn())
    .await?;
    Ok(())
}
