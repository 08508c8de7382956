use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Query, Versioned};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Document, DocumentId, KnowledgeRead, store};
use crate::app::AppState;

/// What to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ShowDocument {
    /// Whether to show the text, which the places of what a search finds are places in.
    #[serde(default)]
    text: bool,
}

/// One document.
#[utoipa::path(
    get, path = "/api/knowledge/documents/{id}", tag = "knowledge",
    security(("bearer" = ["knowledge:read"])),
    params(("id" = DocumentId, Path, description = "The document"), ShowDocument),
    responses(
        (status = 200, description = "The document", body = Document, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ListProblems,
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_document(
    State(app): State<AppState>,
    caller: Can<KnowledgeRead>,
    Path(id): Path<DocumentId>,
    Query(query): Query<ShowDocument>,
) -> Result<Versioned<Document>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let document = store::find(&mut tx, id, query.text).await?;
    let document = document.ok_or_else(Problem::not_found)?;
    Ok(Versioned(document.version, document))
}
