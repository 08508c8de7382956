use axum::extract::{Request, State};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem, Query, Versioned};

use super::{
    Document, DocumentId, KnowledgeWrite,
    incoming::{FileQuery, WantedDocument, receive},
    store,
};
use crate::app::AppState;

/// Replace a document. The body is one that adds a document. What was found of the old text is not found any more at once, the
/// new one a moment later.
#[utoipa::path(
    put, path = "/api/knowledge/documents/{id}", tag = "knowledge",
    security(("bearer" = ["knowledge:write"])),
    params(("id" = DocumentId, Path, description = "The document"), FileQuery, IfMatch),
    request_body(content(
        (WantedDocument = "application/json"),
        (String = "text/plain"),
        (String = "text/markdown"),
        (String = "text/html"),
        (String = "application/pdf"),
        (String = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (String = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "The document", body = Document, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_document(
    State(app): State<AppState>,
    caller: Can<KnowledgeWrite>,
    Path(id): Path<DocumentId>,
    if_match: IfMatch,
    Query(query): Query<FileQuery>,
    request: Request,
) -> Result<Versioned<Document>, Problem> {
    let new = receive(&app, query, request).await?;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let version = store::lock(&mut tx, id).await?;
    if_match.check(version.ok_or_else(Problem::not_found)?)?;
    store::replace(&mut tx, id, app.core.sources.now(), &new).await?;
    let document = store::find(&mut tx, id, false).await?;
    let document = document.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    Ok(Versioned(document.version, document))
}
