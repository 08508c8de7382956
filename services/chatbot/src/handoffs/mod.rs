//! Handing a conversation to a person: an event for whoever listens, and a to-do in the CRM for whoever takes it.

mod create;
mod store;

use bz_http::{Routes, routes};
use bz_kernel::ConversationId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::AppState;
use crate::crm::{Kind, Link, RecordId};

bz_kernel::typed_id!(
    /// A conversation that was handed to a person.
    HandoffId
);

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new().routes(routes!(create::create_handoff))
}

/// A conversation that was handed to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Handoff {
    /// Its id.
    id: HandoffId,
    /// The conversation.
    conversation_id: ConversationId,
    /// Why.
    reason: Option<String>,
    /// The to-do in the CRM.
    todo: Link,
    /// When it was handed over.
    created_at: DateTime<Utc>,
}

impl Handoff {
    fn todo(id: RecordId, title: &str) -> Link {
        Link::to(Kind::Todo, id, title)
    }
}
