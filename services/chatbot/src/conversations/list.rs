use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{ConversationId, Page};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Conversation, store};
use crate::app::{AppState, ChatRead};

/// The longest text that is looked for.
const MAX_SEARCH: usize = 200;

/// Which page to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListConversations {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only conversations with this text in their title or in what was said, in upper or lower case; 1 to 200 characters.
    #[param(min_length = 1, max_length = 200)]
    q: Option<String>,
}

/// The caller's conversations, newest first.
#[utoipa::path(
    get, path = "/api/conversations", tag = "conversations",
    security(("bearer" = ["chat:read"])),
    params(ListConversations),
    responses((status = 200, description = "One page", body = Page<Conversation>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_conversations(
    State(app): State<AppState>,
    caller: Can<ChatRead>,
    Query(query): Query<ListConversations>,
) -> Result<Json<Page<Conversation>>, Problem> {
    let wanted = search(query.q)?;
    let cursors = &app.core.cursors;
    let tenant = caller.tenant();
    let list = format!(
        "conversations?user={}&q={}",
        caller.user,
        wanted.as_deref().unwrap_or_default()
    );
    let page =
        PageQuery::new(query.limit, query.cursor).open::<ConversationId>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let place = (page.after, page.limit);
    let rows = store::list(&mut tx, caller.user, wanted.as_deref(), place).await?;
    Ok(Json(Page::cut(rows, page.limit, |last: &Conversation| {
        cursors.seal(tenant, &list, &last.id)
    })))
}

/// The text to look for, without spaces around it.
fn search(q: Option<String>) -> Result<Option<String>, Problem> {
    let Some(q) = q else { return Ok(None) };
    let text = q.trim();
    if !(1..=MAX_SEARCH).contains(&text.chars().count()) || text.contains('\0') {
        let message = "must have 1 to 200 characters, not only spaces";
        return Err(Problem::invalid_parameter("q", "invalid_length", message));
    }
    Ok(Some(text.to_owned()))
}
