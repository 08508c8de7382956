//! One message and its answer.

pub(crate) mod by_id;
pub(crate) mod confirmations;
mod create;
mod documents;
mod dry;
mod events;
mod limits;
pub(crate) mod messages;
mod outcome;
mod respond;
mod turn;
mod undo;

use bz_http::{Errors, Routes, Validate, routes};
use bz_kernel::ConversationId;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actions::{ActionId, done::DoneAction};
use crate::app::AppState;
use crate::conversations::MessageId;
use crate::crm::Link;
use crate::queries::answer::Citation;
use crate::understand::{Language, Understood, Would};

/// The longest message.
pub(crate) const MAX_MESSAGE: usize = 2000;

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new().routes(routes!(create::create_chat))
}

/// A message to the chatbot.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatRequest {
    /// What to say, 1 to 2,000 characters.
    #[schema(
        min_length = 1,
        max_length = 2000,
        pattern = r"\S",
        example = "add a todo: call Ada tomorrow at 3pm"
    )]
    pub(crate) message: String,
    /// The conversation to go on with; a new one when not given.
    pub(crate) conversation_id: Option<ConversationId>,
    /// IANA time zone in which dates are meant; the conversation's, or UTC, when not given.
    #[schema(example = "Europe/Berlin")]
    pub(crate) time_zone: Option<String>,
    /// Understand and say what would be done, but change nothing and store nothing.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// The language of the message (`en`, `es`, `de`, `fr`, with or without a region) when the client knows it; else it is
    /// detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "en-GB")]
    pub(crate) locale: Option<String>,
    /// Dry runs only: the moment from which "tomorrow" is meant, in place of now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference_time: Option<DateTime<Utc>>,
    /// Dry runs only: what there is, in place of what is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<dry::Context>,
    /// Answer as server-sent events, one by one as they happen; `Accept: text/event-stream` says the same.
    #[serde(default)]
    pub(crate) stream: bool,
}

impl ChatRequest {
    /// A message of a conversation.
    fn saying(message: &str, conversation: ConversationId) -> Self {
        Self {
            message: message.to_owned(),
            conversation_id: Some(conversation),
            time_zone: None,
            dry_run: false,
            stream: false,
            locale: None,
            reference_time: None,
            context: None,
        }
    }

    /// The language that was sent, when it is one that is understood.
    fn language(&self) -> Option<Language> {
        self.locale.as_deref().and_then(Language::of_tag)
    }

    /// The time zone that was sent.
    fn zone(&self) -> Option<Tz> {
        self.time_zone.as_deref().and_then(|name| name.parse().ok())
    }
}

impl Validate for ChatRequest {
    fn validate(&self, errors: &mut Errors) {
        if self.message.trim().is_empty() || self.message.chars().count() > MAX_MESSAGE {
            errors.add(
                "/message",
                if self.message.trim().is_empty() {
                    "invalid_length"
                } else {
                    "message_too_long"
                },
                "must have 1 to 2000 characters, not only spaces",
            );
        }
        if self.time_zone.is_some() && self.zone().is_none() {
            errors.add(
                "/time_zone",
                "unknown_time_zone",
                "must be an IANA name such as Europe/Berlin",
            );
        }
        dry::validate(self, errors);
    }
}

/// The chatbot's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ChatReply {
    /// The conversation; send it with the next message. Null in a dry run outside of a conversation: it stores nothing.
    pub(crate) conversation_id: Option<ConversationId>,
    /// The id of this answer; null in a dry run.
    pub(crate) message_id: Option<MessageId>,
    /// The answer for people.
    pub(crate) reply: String,
    /// What was understood.
    pub(crate) understood: Understood,
    /// What else a compound message asks for, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) further: Vec<Understood>,
    /// What was done about it, or would be in a dry run.
    pub(crate) would: Would,
    /// What waits for a yes or a no; null when nothing does.
    pub(crate) confirmation: Option<Confirmation>,
    /// What was done.
    #[serde(default)]
    pub(crate) actions: Vec<DoneAction>,
    /// The records that the answer names.
    #[serde(default)]
    pub(crate) links: Vec<Link>,
    /// Where what it says is from.
    #[serde(default)]
    pub(crate) citations: Vec<Citation>,
    /// Which parts of the platform were missing for this answer: `crm`, `analytics`, `agents`, `identity`, `llm`.
    pub(crate) degraded: Vec<String>,
    /// Whether this only says what would be done.
    pub(crate) dry_run: bool,
}

/// Something that waits for a yes or a no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Confirmation {
    /// The id of what waits.
    pub(crate) action_id: ActionId,
    /// What will be done: `todo.delete`, `deal.move` ...
    #[schema(example = "todo.delete")]
    pub(crate) action: String,
    /// The same for people.
    pub(crate) summary: String,
    /// A yes counts until then, and once.
    pub(crate) expires_at: DateTime<Utc>,
}
