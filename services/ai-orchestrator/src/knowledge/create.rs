use axum::{
    extract::{Request, State},
    response::Response,
};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Problem, Query};

use super::{
    Document, KnowledgeWrite,
    incoming::{FileQuery, WantedDocument, receive},
    store,
};
use crate::app::AppState;

/// The most documents of a tenant.
const MOST: i64 = 10_000;

/// Add a document.
///
/// The body is JSON with the text; or a file as `text/plain`, `text/markdown`, `text/html`, `application/pdf` or DOCX, of at most
/// 20 MiB, alone or in a form (`multipart/form-data`) as the part `file`, beside which the form may have what the query may have.
/// Of a file its text is kept, at most 2,000,000 characters. The document is found a moment later: `indexing` says how far it is.
///
/// With an `Idempotency-Key` the same request may be sent again: it adds no second document.
#[utoipa::path(
    post, path = "/api/knowledge/documents", tag = "knowledge",
    security(("bearer" = ["knowledge:write"])),
    params(FileQuery, IdempotencyKey),
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
        (status = 201, description = "The document", body = Document, headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "There are 10,000 already", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_document(
    State(app): State<AppState>,
    caller: Can<KnowledgeWrite>,
    key: IdempotencyKey,
    Query(query): Query<FileQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let new = receive(&app, query, request).await?;
    let (core, sources) = (&app.core, &app.core.sources);
    let made = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "knowledge.create",
        &new,
        async |tx| {
            if store::count(tx).await? >= MOST {
                let detail = "A tenant may have 10,000 documents. Delete one first.";
                return Err(Problem::conflict("too_many_documents", detail));
            }
            let by = (caller.user, sources.now());
            Ok(store::insert(tx, sources.id(), by, &new).await?)
        },
    )
    .await?;
    Ok(made.into_response_with(|document: &Document| document.version))
}
