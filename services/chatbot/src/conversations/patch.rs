use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, IfMatch, Json, Path, Problem, Validate, Versioned};
use bz_kernel::ConversationId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Conversation, store, title};
use crate::app::{AppState, ChatWrite};

/// What is changed of a conversation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchConversation {
    /// Its new title, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, example = "Plans for the spring")]
    title: String,
}

impl Validate for PatchConversation {
    fn validate(&self, errors: &mut Errors) {
        if title::given(&self.title).is_none() {
            errors.add(
                "/title",
                "invalid_title",
                "must be one line of 1 to 100 characters",
            );
        }
    }
}

/// Give a conversation another title.
#[utoipa::path(
    patch, path = "/api/conversations/{id}", tag = "conversations",
    security(("bearer" = ["chat:write"])),
    params(("id" = ConversationId, Path, description = "The conversation"), IfMatch),
    request_body = PatchConversation,
    responses(
        (status = 200, description = "The conversation as it is now", body = Conversation,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_conversation(
    State(app): State<AppState>,
    caller: Can<ChatWrite>,
    Path(id): Path<ConversationId>,
    if_match: IfMatch,
    Json(request): Json<PatchConversation>,
) -> Result<Versioned<Conversation>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let found = store::lock(&mut tx, id, caller.user).await?;
    let mut conversation = found.ok_or_else(Problem::not_found)?;
    if_match.check(conversation.version)?;
    if let Some(title) = title::given(&request.title) {
        conversation.title = title;
    }
    conversation.titled = true;
    conversation.version = store::set_title(&mut tx, &conversation).await?;
    tx.commit().await?;
    Ok(Versioned(conversation.version, conversation))
}
