use bz_auth::Can;
use bz_http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::ChatRead;
use crate::chat::MAX_MESSAGE;
use crate::guide::FIRST;
use crate::wording;

/// How many suggestions the widget shows.
const SUGGESTED: usize = 3;

/// What the widget shows before anything is said.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WidgetConfig {
    /// What the assistant says first.
    greeting: &'static str,
    /// Messages to send as they are.
    suggestions: Vec<&'static str>,
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
    _caller: Can<ChatRead>,
) -> Result<Json<WidgetConfig>, Problem> {
    Ok(Json(WidgetConfig {
        greeting: wording::GREETING,
        suggestions: FIRST.iter().copied().take(SUGGESTED).collect(),
        max_message: MAX_MESSAGE,
    }))
}
