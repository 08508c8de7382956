use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{Errors, IdempotencyKey, Json, Problem, Validate, idempotent};
use bz_kernel::ConversationId;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Conversation, store, title};
use crate::app::{AppState, ChatWrite};

/// A new conversation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateConversation {
    /// Its title, 1 to 100 characters; what is said first gives it one when not given.
    #[schema(min_length = 1, max_length = 100)]
    title: Option<String>,
    /// IANA time zone in which its dates are meant; UTC when not given.
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
}

impl CreateConversation {
    fn begun(&self, id: ConversationId, now: DateTime<Utc>) -> Conversation {
        let given = self.title.as_deref().and_then(title::given);
        let zone = self.time_zone.as_deref().unwrap_or(Tz::UTC.name());
        Conversation {
            id,
            titled: given.is_some(),
            title: given.unwrap_or_else(|| title::NEW.to_owned()),
            time_zone: zone.to_owned(),
            language: None,
            created_at: now,
            last_message_at: now,
            version: 1,
        }
    }
}

impl Validate for CreateConversation {
    fn validate(&self, errors: &mut Errors) {
        if self
            .title
            .as_deref()
            .is_some_and(|text| title::given(text).is_none())
        {
            errors.add(
                "/title",
                "invalid_title",
                "must be one line of 1 to 100 characters",
            );
        }
        if self
            .time_zone
            .as_deref()
            .is_some_and(|name| name.parse::<Tz>().is_err())
        {
            errors.add(
                "/time_zone",
                "unknown_time_zone",
                "must be an IANA name such as Europe/Berlin",
            );
        }
    }
}

/// Begin a conversation.
///
/// Saying something without a conversation begins one too; this is for clients that want its id first.
#[utoipa::path(
    post, path = "/api/conversations", tag = "conversations",
    security(("bearer" = ["chat:write"])),
    params(IdempotencyKey),
    request_body = CreateConversation,
    responses(
        (status = 201, description = "The conversation", body = Conversation,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_conversation(
    State(app): State<AppState>,
    caller: Can<ChatWrite>,
    key: IdempotencyKey,
    Json(request): Json<CreateConversation>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let created = idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "conversations.create",
        &request,
        async |tx| {
            let conversation = request.begun(sources.id(), sources.now());
            store::insert(tx, &conversation, caller.user).await?;
            Ok(conversation)
        },
    )
    .await?;
    Ok(created.into_response_with(|conversation: &Conversation| conversation.version))
}
