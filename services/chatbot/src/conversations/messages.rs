use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Path, Problem, Query};
use bz_kernel::{ConversationId, Page};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Message, store};
use crate::app::{AppState, ChatRead};
use crate::chat::messages::{self, Placed};

/// Which page to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListMessages {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What was said in a conversation, in order.
#[utoipa::path(
    get, path = "/api/conversations/{id}/messages", tag = "conversations",
    security(("bearer" = ["chat:read"])),
    params(("id" = ConversationId, Path, description = "The conversation"), ListMessages),
    responses(
        (status = 200, description = "One page", body = Page<Message>),
        (status = 404, description = "Not there, or somebody else's", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn list_messages(
    State(app): State<AppState>,
    caller: Can<ChatRead>,
    Path(id): Path<ConversationId>,
    Query(query): Query<ListMessages>,
) -> Result<Json<Page<Message>>, Problem> {
    let cursors = &app.core.cursors;
    let tenant = caller.tenant();
    let list = format!("messages?conversation={id}");
    let page = PageQuery::new(query.limit, query.cursor).open::<i64>(cursors, tenant, &list)?;
    let mut tx = app.core.db.read(&caller.scope).await?;
    store::find(&mut tx, id, caller.user)
        .await?
        .ok_or_else(Problem::not_found)?;
    let rows = messages::list(&mut tx, id, page.after, page.limit).await?;
    Ok(Json(Page::cut(rows, page.limit, |last: &Placed| {
        cursors.seal(tenant, &list, &last.seq)
    })))
}
