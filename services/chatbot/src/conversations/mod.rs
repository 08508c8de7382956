//! Conversations: what was said, kept for the user who said it.

mod delete;
mod get;
mod list;
mod messages;
pub(crate) mod store;

use bz_kernel::ConversationId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;
use crate::chat::ChatReply;

bz_kernel::typed_id!(
    /// One message of a conversation.
    MessageId
);

/// The routes of this resource.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_conversations))
        .routes(routes!(get::get_conversation, delete::delete_conversation))
        .routes(routes!(messages::list_messages))
}

/// A conversation of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Conversation {
    /// The conversation's id.
    pub(crate) id: ConversationId,
    /// How it began.
    pub(crate) title: String,
    /// IANA time zone in which its dates are understood.
    pub(crate) time_zone: String,
    /// When it began.
    pub(crate) created_at: DateTime<Utc>,
    /// When something was last said.
    pub(crate) last_message_at: DateTime<Utc>,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// The user.
    User,
    /// The chatbot.
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Message {
    /// The message's id.
    pub(crate) id: MessageId,
    /// Who said it.
    pub(crate) role: Role,
    /// What was said.
    pub(crate) text: String,
    /// Of an answer: all of it, as it was given.
    pub(crate) answer: Option<ChatReply>,
    /// When it was said.
    pub(crate) created_at: DateTime<Utc>,
}
