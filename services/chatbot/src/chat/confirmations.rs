//! Questions that wait for a yes: one a conversation, bound to the user and to the hash of the exact arguments, used
//! once, for ten minutes.

use aws_lc_rs::digest;
use bz_kernel::{ConversationId, UserId};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::{FromRow, query, query_as, types::Json};
use uuid::Uuid;

use super::Confirmation;
use crate::actions::{Action, ActionId};

/// How long a yes counts.
const LIFE: TimeDelta = TimeDelta::minutes(10);

/// A question that waits.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) id: ActionId,
    pub(crate) conversation: ConversationId,
    pub(crate) action: Action,
    pub(crate) summary: String,
    pub(crate) expires_at: DateTime<Utc>,
}

impl Pending {
    /// A new question.
    pub(crate) fn new(
        id: ActionId,
        conversation: ConversationId,
        action: Action,
        summary: String,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id,
            conversation,
            action,
            summary,
            expires_at: now + LIFE,
        }
    }

    /// Whether a yes comes too late.
    pub(crate) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at <= now
    }

    /// The question as the client sees it.
    pub(crate) fn shown(&self) -> Confirmation {
        Confirmation {
            action_id: self.id,
            action: self.action.name().to_owned(),
            summary: self.summary.clone(),
            expires_at: self.expires_at,
        }
    }
}

/// SHA-256 of the exact arguments.
fn hash(action: &Action) -> Result<Vec<u8>, serde_json::Error> {
    Ok(
        digest::digest(&digest::SHA256, &serde_json::to_vec(action)?)
            .as_ref()
            .to_vec(),
    )
}

#[derive(FromRow)]
struct PendingRow {
    id: Uuid,
    conversation_id: Uuid,
    action: Json<Value>,
    action_hash: Vec<u8>,
    summary: String,
    expires_at: DateTime<Utc>,
}

impl PendingRow {
    /// Arguments that do not fit their hash were not what the user was asked about.
    fn checked(self) -> Option<Pending> {
        let action: Option<Action> = serde_json::from_value(self.action.0).ok();
        let action =
            action.filter(|action| hash(action).is_ok_and(|hash| hash == self.action_hash));
        if action.is_none() {
            tracing::error!(confirmation.id = %self.id, "a confirmation's arguments do not fit their hash; it is not used");
        }
        action.map(|action| Pending {
            id: self.id.into(),
            conversation: self.conversation_id.into(),
            action,
            summary: self.summary,
            expires_at: self.expires_at,
        })
    }
}

/// The question that waits in a conversation, expired or not.
pub(crate) async fn find(
    tx: &mut TenantTx,
    conversation: ConversationId,
    user: UserId,
) -> Result<Option<Pending>, DbError> {
    let row: Option<PendingRow> = query_as(
        "-- chat.confirmations.find\n\
         SELECT id, conversation_id, action, action_hash, summary, expires_at FROM chat.confirmations \
         WHERE conversation_id = $1 AND user_id = $2 AND status = 'pending'",
    )
    .bind(conversation.as_uuid())
    .bind(user.as_uuid())
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.and_then(PendingRow::checked))
}

/// How a question stands, and in which conversation it was asked.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Standing {
    conversation_id: Uuid,
    status: String,
    pub(crate) expires_at: DateTime<Utc>,
}

impl Standing {
    /// The conversation in which it was asked.
    pub(crate) fn conversation(&self) -> ConversationId {
        self.conversation_id.into()
    }

    /// Whether it still waits, in time or not.
    pub(crate) fn waits(&self) -> bool {
        self.status == "pending"
    }
}

/// How a question of the user stands.
pub(crate) async fn standing(
    tx: &mut TenantTx,
    id: ActionId,
    user: UserId,
) -> Result<Option<Standing>, DbError> {
    Ok(query_as(
        "-- chat.confirmations.standing\n\
         SELECT conversation_id, status, expires_at FROM chat.confirmations WHERE id = $1 AND user_id = $2",
    )
    .bind(id.as_uuid())
    .bind(user.as_uuid())
    .fetch_optional(tx.conn())
    .await?)
}

/// Takes a question for its yes. Only one taker gets it.
pub(super) async fn claim(
    tx: &mut TenantTx,
    id: ActionId,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- chat.confirmations.claim\n\
         UPDATE chat.confirmations SET status = 'confirmed', decided_at = $3 \
         WHERE id = $1 AND user_id = $2 AND status = 'pending' AND expires_at > $3",
    )
    .bind(id.as_uuid())
    .bind(user.as_uuid())
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a question back whose action could not be carried out, so that another yes can try again.
pub(super) async fn restore(tx: &mut TenantTx, id: ActionId) -> Result<(), DbError> {
    query(
        "-- chat.confirmations.restore\n\
         UPDATE chat.confirmations AS c SET status = 'pending', decided_at = NULL \
         WHERE c.id = $1 AND c.status = 'confirmed' AND NOT EXISTS (SELECT FROM chat.confirmations AS other \
           WHERE other.conversation_id = c.conversation_id AND other.status = 'pending')",
    )
    .bind(id.as_uuid())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends the question that waits in a conversation: `rejected` by a no, `dropped` when the talk went on.
pub(super) async fn end(
    tx: &mut TenantTx,
    conversation: ConversationId,
    status: &'static str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- chat.confirmations.end\n\
         UPDATE chat.confirmations SET status = $2, decided_at = $3 WHERE conversation_id = $1 AND status = 'pending'",
    )
    .bind(conversation.as_uuid())
    .bind(status)
    .bind(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Asks.
pub(super) async fn insert(
    tx: &mut TenantTx,
    pending: &Pending,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<(), bz_http::Problem> {
    let hash = hash(&pending.action).map_err(bz_http::Problem::internal)?;
    query(
        "-- chat.confirmations.insert\n\
         INSERT INTO chat.confirmations (id, conversation_id, user_id, action, action_hash, summary, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(pending.id.as_uuid())
    .bind(pending.conversation.as_uuid())
    .bind(user.as_uuid())
    .bind(Json(&pending.action))
    .bind(hash)
    .bind(&pending.summary)
    .bind(now)
    .bind(pending.expires_at)
    .execute(tx.conn())
    .await
    .map_err(DbError::from)?;
    Ok(())
}
