use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::{ConversationId, Page};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Conversation, store};
use crate::app::{AppState, ChatRead};

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
    let cursors = &app.core.cursors;
    let tenant = caller.tenant();
    let list = format!("conversations?user={}", caller.user);
    let page =
        PageQuery::new(query.limit, query.cursor).open::<ConversationId>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    let rows = store::list(&mut tx, caller.user, page.after, page.limit).await?;
    Ok(Json(Page::cut(rows, page.limit, |last: &Conversation| {
        cursors.seal(tenant, &list, &last.id)
    })))
}
