use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Json, Path, Problem, Query};
use bz_kernel::ConversationId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Conversation, Message, Role, store};
use crate::app::{AppState, ChatRead};
use crate::chat::messages;

/// The most messages that one export has.
const MOST: u16 = 10_000;

/// In which form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// For programs.
    #[default]
    Json,
    /// For people.
    Markdown,
}

/// What to export.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportConversation {
    /// `json` when not given, or `markdown`.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// A conversation with everything said in it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Export {
    /// The conversation.
    conversation: Conversation,
    /// What was said, in order; of a very long conversation the first 10,000 messages.
    messages: Vec<Message>,
    /// Whether messages are missing, because there are more than an export has.
    truncated: bool,
    /// When it was exported.
    exported_at: DateTime<Utc>,
}

/// Take a conversation along: everything said in it, as JSON or as Markdown.
#[utoipa::path(
    get, path = "/api/conversations/{id}/export", tag = "conversations",
    security(("bearer" = ["chat:read"])),
    params(("id" = ConversationId, Path, description = "The conversation"), ExportConversation),
    responses(
        (status = 200, description = "The conversation", content((Export = "application/json"), (String = "text/markdown"))),
        (status = 404, description = "Not there, or somebody else's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn export_conversation(
    State(app): State<AppState>,
    caller: Can<ChatRead>,
    Path(id): Path<ConversationId>,
    Query(query): Query<ExportConversation>,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let found = store::find(&mut tx, id, caller.user).await?;
    let conversation = found.ok_or_else(Problem::not_found)?;
    let mut rows = messages::list(&mut tx, id, None, MOST).await?;
    let truncated = rows.len() > usize::from(MOST);
    rows.truncate(usize::from(MOST));
    let export = Export {
        conversation,
        messages: rows.into_iter().map(Into::into).collect(),
        truncated,
        exported_at: app.core.sources.now(),
    };
    let (body, name) = match query.format {
        Format::Json => (
            Json(&export).into_response(),
            format!("conversation-{id}.json"),
        ),
        Format::Markdown => (markdown(&export), format!("conversation-{id}.md")),
    };
    attached(body, &name)
}

fn attached(mut response: Response, name: &str) -> Result<Response, Problem> {
    let value = format!("attachment; filename=\"{name}\"");
    let value = HeaderValue::from_str(&value).map_err(Problem::internal)?;
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, value);
    Ok(response)
}

fn markdown(export: &Export) -> Response {
    let mut text = format!("# {}\n", escaped(&export.conversation.title));
    for message in &export.messages {
        let who = match message.role {
            Role::User => "You",
            Role::Assistant => "Assistant",
        };
        let at = message.created_at.format("%Y-%m-%d %H:%M:%S UTC");
        text.push_str(&format!("\n**{who}**, {at}:\n\n"));
        for line in message.text.lines() {
            text.push_str(&format!("> {}\n", escaped(line)));
        }
    }
    if export.truncated {
        text.push_str(&format!("\n*Only the first {MOST} messages.*\n"));
    }
    let kind = (header::CONTENT_TYPE, "text/markdown; charset=utf-8");
    ([kind], text).into_response()
}

/// Text that means nothing in Markdown or HTML: what was said stays what was said.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_{}[]<>()#+-.!|&~".contains(c) {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_cannot_become_markup() {
        assert_eq!(
            escaped("<b>[x](http://y)</b>"),
            r"\<b\>\[x\]\(http://y\)\</b\>"
        );
        assert_eq!(escaped("plain ä text"), "plain ä text");
    }
}
