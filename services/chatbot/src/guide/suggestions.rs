use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem, Query};
use bz_kernel::ConversationId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actions::done;
use crate::app::{AppState, ChatRead};
use crate::chat::confirmations;
use crate::conversations;
use crate::wording::{Voice, keys};

/// For which conversation.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListSuggestions {
    /// The conversation in hand; what to begin with when not given.
    conversation_id: Option<ConversationId>,
}

/// What can be said next.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Suggestions {
    /// Messages to send as they are, the most likely first.
    items: Vec<String>,
}

/// What can be said next: yes and no while a question waits, undo after something was done, else what to begin with.
#[utoipa::path(
    get, path = "/api/chat/suggestions", tag = "chat",
    security(("bearer" = ["chat:read"])),
    params(ListSuggestions),
    responses(
        (status = 200, description = "Messages to send as they are", body = Suggestions),
        (status = 404, description = "No such conversation of the caller", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_suggestions(
    State(app): State<AppState>,
    caller: Can<ChatRead>,
    Query(query): Query<ListSuggestions>,
) -> Result<Json<Suggestions>, Problem> {
    let mut voice = Voice::english(app.core.sources.now());
    let mut items = Vec::new();
    if let Some(id) = query.conversation_id {
        let mut tx = app.core.db.read(&caller.scope).await?;
        let found = conversations::store::find(&mut tx, id, caller.user).await?;
        let conversation = found.ok_or_else(Problem::not_found)?;
        voice.language = conversation.language.unwrap_or_default();
        let pending = confirmations::find(&mut tx, id, caller.user).await?;
        if pending.is_some_and(|pending| !pending.is_expired(voice.now)) {
            items.extend([keys::YES, keys::NO].map(|key| voice.word(key)));
        } else if done::last(&mut tx, id, caller.user).await?.is_some() {
            items.push(voice.word(keys::UNDO));
        }
    }
    items.extend(voice.suggestions());
    Ok(Json(Suggestions { items }))
}
