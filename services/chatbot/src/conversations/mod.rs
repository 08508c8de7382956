//! Conversations: what was said, kept for the user who said it.

mod create;
mod delete;
mod export;
mod get;
mod list;
mod messages;
mod patch;
pub(crate) mod retention;
pub(crate) mod store;
pub(crate) mod title;

use bz_http::{Routes, routes};
use bz_kernel::ConversationId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::AppState;
use crate::chat::ChatReply;
use crate::understand::Language;

bz_kernel::typed_id!(
    /// One message of a conversation.
    MessageId
);

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(
            list::list_conversations,
            create::create_conversation
        ))
        .routes(routes!(
            get::get_conversation,
            patch::patch_conversation,
            delete::delete_conversation
        ))
        .routes(routes!(messages::list_messages))
        .routes(routes!(export::export_conversation))
}

/// A conversation of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Conversation {
    /// The conversation's id.
    pub(crate) id: ConversationId,
    /// Its title: what its user calls it, or how it began.
    pub(crate) title: String,
    /// IANA time zone in which its dates are understood.
    pub(crate) time_zone: String,
    /// The language in which it is answered; null until something was said.
    #[serde(default)]
    pub(crate) language: Option<Language>,
    /// When it began.
    pub(crate) created_at: DateTime<Utc>,
    /// When something was last said.
    pub(crate) last_message_at: DateTime<Utc>,
    /// Whether it has its title: one that was begun without a message gets it by what is said first.
    pub(crate) titled: bool,
    /// Grows by one with every title; also the `ETag`.
    pub(crate) version: i64,
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
    /// Of an answer: all of it, as it was given, by an older release too.
    #[schema(value_type = Option<ChatReply>)]
    pub(crate) answer: Option<Value>,
    /// When it was said.
    pub(crate) created_at: DateTime<Utc>,
}
