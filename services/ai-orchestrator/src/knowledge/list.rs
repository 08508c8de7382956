use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, PageQuery, Problem, Query};
use bz_kernel::Page;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    Document, DocumentId, KnowledgeRead,
    store::{self, Filter},
};
use crate::app::AppState;

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListDocuments {
    /// Items a page, 1 to 100; 20 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those of this collection.
    collection: Option<String>,
    /// Only those with all of these labels, with commas between them.
    labels: Option<String>,
}

/// The tenant's documents, newest first.
#[utoipa::path(
    get, path = "/api/knowledge/documents", tag = "knowledge",
    security(("bearer" = ["knowledge:read"])),
    params(ListDocuments),
    responses((status = 200, description = "One page", body = Page<Document>), bz_http::openapi::ListProblems),
)]
pub(super) async fn list_documents(
    State(app): State<AppState>,
    caller: Can<KnowledgeRead>,
    Query(query): Query<ListDocuments>,
) -> Result<Json<Page<Document>>, Problem> {
    let (tenant, cursors) = (caller.tenant(), &app.core.cursors);
    let page = PageQuery::new(query.limit, query.cursor);
    let page = page.open::<DocumentId>(cursors, tenant, "knowledge")?;
    let labels = query.labels.unwrap_or_default();
    let labels = labels
        .split(',')
        .map(str::trim)
        .filter(|label| !label.is_empty());
    let filter = Filter {
        collection: query.collection,
        labels: labels.map(str::to_owned).collect(),
    };
    let mut tx = app.core.db.read(&caller.scope).await?;
    let most = i64::from(page.limit) + 1;
    let documents = store::list(&mut tx, &filter, page.after, most).await?;
    Ok(Json(Page::cut(documents, page.limit, |last: &Document| {
        cursors.seal(tenant, "knowledge", &last.id)
    })))
}
