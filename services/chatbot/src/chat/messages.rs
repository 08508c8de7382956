//! SQL of messages.

use bz_kernel::{ConversationId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::ChatReply;
use crate::conversations::{Message, MessageId, Role};

/// The unique index that keeps an Idempotency-Key to one message.
pub(super) const CLIENT_KEY: &str = "messages_client_key";

/// A message with its place in the conversation.
#[derive(FromRow)]
pub(crate) struct Placed {
    pub(crate) seq: i64,
    id: Uuid,
    body: String,
    answer: Option<Json<Value>>,
    created_at: DateTime<Utc>,
}

impl From<Placed> for Message {
    fn from(row: Placed) -> Self {
        let answer = row.answer.map(|answer| answer.0);
        Self {
            id: row.id.into(),
            role: if answer.is_some() {
                Role::Assistant
            } else {
                Role::User
            },
            text: row.body,
            answer,
            created_at: row.created_at,
        }
    }
}

/// A message of the user, before it is answered.
pub(super) struct Asked<'a> {
    pub(super) id: MessageId,
    pub(super) conversation: ConversationId,
    pub(super) user: UserId,
    pub(super) text: &'a str,
    /// The Idempotency-Key and the hash of the request it belongs to.
    pub(super) key: Option<(&'a str, &'a [u8])>,
    pub(super) at: DateTime<Utc>,
}

pub(super) async fn insert_asked(tx: &mut TenantTx, asked: &Asked<'_>) -> Result<(), DbError> {
    query(
        "-- chat.messages.insert_asked\n\
         INSERT INTO chat.messages (id, conversation_id, user_id, role, body, client_key, request_hash, created_at) \
         VALUES ($1, $2, $3, 'user', $4, $5, $6, $7)",
    )
    .bind(asked.id.as_uuid())
    .bind(asked.conversation.as_uuid())
    .bind(asked.user.as_uuid())
    .bind(asked.text)
    .bind(asked.key.map(|(key, _)| key))
    .bind(asked.key.map(|(_, hash)| hash))
    .bind(asked.at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps an answer. False when the message was answered already.
pub(super) async fn insert_answer(
    tx: &mut TenantTx,
    to: MessageId,
    user: UserId,
    answer: &ChatReply,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- chat.messages.insert_answer\n\
         INSERT INTO chat.messages (id, conversation_id, user_id, role, body, reply_to, answer, created_at) \
         VALUES ($1, $2, $3, 'assistant', $4, $5, $6, $7) \
         ON CONFLICT (tenant_id, reply_to) WHERE reply_to IS NOT NULL DO NOTHING",
    )
    .bind(answer.message_id.map(MessageId::as_uuid))
    .bind(answer.conversation_id.map(ConversationId::as_uuid))
    .bind(user.as_uuid())
    .bind(&answer.reply)
    .bind(to.as_uuid())
    .bind(Json(answer))
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What an Idempotency-Key stands for.
#[derive(FromRow)]
pub(super) struct Known {
    pub(super) id: Uuid,
    pub(super) conversation_id: Uuid,
    pub(super) request_hash: Vec<u8>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) answer: Option<Json<ChatReply>>,
}

pub(super) async fn find_by_key(
    tx: &mut TenantTx,
    user: UserId,
    key: &str,
) -> Result<Option<Known>, DbError> {
    let known = query_as(
        "-- chat.messages.find_by_key\n\
         SELECT asked.id, asked.conversation_id, asked.request_hash, asked.created_at, given.answer \
         FROM chat.messages AS asked LEFT JOIN chat.messages AS given \
           ON given.tenant_id = asked.tenant_id AND given.reply_to = asked.id \
         WHERE asked.user_id = $1 AND asked.client_key = $2",
    )
    .bind(user.as_uuid())
    .bind(key)
    .fetch_optional(tx.conn())
    .await?;
    Ok(known)
}

/// One page and one more of a conversation, in order.
pub(crate) async fn list(
    tx: &mut TenantTx,
    conversation: ConversationId,
    after: Option<i64>,
    limit: u16,
) -> Result<Vec<Placed>, DbError> {
    let rows = query_as(
        "-- chat.messages.list\n\
         SELECT seq, id, body, answer, created_at FROM chat.messages \
         WHERE conversation_id = $1 AND ($2::bigint IS NULL OR seq > $2) ORDER BY seq LIMIT $3",
    )
    .bind(conversation.as_uuid())
    .bind(after)
    .bind(i64::from(limit) + 1)
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}
