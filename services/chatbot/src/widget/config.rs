use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{AppState, ChatRead};
use crate::chat::MAX_MESSAGE;
use crate::wording::{Voice, keys};

/// How many suggestions the widget shows.
const SUGGESTED: usize = 3;

/// What the widget shows before anything is said.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WidgetConfig {
    /// What the assistant says first.
    greeting: String,
    /// Messages to send as they are.
    suggestions: Vec<String>,
    /// The longest message, in characters.
    max_message: usize,
}

/// What the widget shows before anything is said.
#[utoipa::path(
    get, path = "/api/widget/config", tag = "widget",
    security(("bearer" = ["chat:read"])),
    responses((status = 200, description = "What it shows", body = WidgetConfig), bz_http::openapi::ListProblems),
)]
pub(super) async fn get_widget_config(
    State(app): State<AppState>,
    _caller: Can<ChatRead>,
) -> Result<Json<WidgetConfig>, Problem> {
    let voice = Voice::english(app.core.sources.now());
    Ok(Json(WidgetConfig {
        greeting: voice.word(keys::GREETING),
        suggestions: voice.suggestions().into_iter().take(SUGGESTED).collect(),
        max_message: MAX_MESSAGE,
    }))
}
