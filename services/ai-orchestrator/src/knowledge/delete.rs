use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;

use super::{DocumentId, KnowledgeWrite, store};
use crate::app::AppState;

/// Delete a document, with everything that was made of it: its parts and their vectors.
#[utoipa::path(
    delete, path = "/api/knowledge/documents/{id}", tag = "knowledge",
    security(("bearer" = ["knowledge:write"])),
    params(("id" = DocumentId, Path, description = "The document"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_document(
    State(app): State<AppState>,
    caller: Can<KnowledgeWrite>,
    Path(id): Path<DocumentId>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let version = store::lock(&mut tx, id).await?;
    if_match.check(version.ok_or_else(Problem::not_found)?)?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
