use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{CreateView, View, ViewsWrite, check, store};
use crate::app::AppState;

/// Save a view.
///
/// With an `Idempotency-Key` the same request may be sent again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/views", tag = "views",
    security(("bearer" = ["views:write"])),
    params(IdempotencyKey),
    request_body = CreateView,
    responses(
        (status = 201, description = "It, as it is now", body = View,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "You have one with this name", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_view(
    State(app): State<AppState>,
    caller: Can<ViewsWrite>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateView>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let created = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "views.create",
        &wanted,
        async |tx| {
            let what = (
                wanted.filter.as_ref(),
                &wanted.sort[..],
                &wanted.columns[..],
            );
            check(&app, (tx, &caller), &wanted.record_type, what).await?;
            let view = View {
                id: sources.id(),
                record_type: wanted.record_type.clone(),
                name: wanted.name.clone(),
                filter: wanted.filter.clone().map(sqlx::types::Json),
                sort: wanted.sort.clone(),
                columns: wanted.columns.clone(),
                shared: wanted.shared,
                created_by: caller.user,
                created_at: sources.now(),
                updated_at: sources.now(),
                version: 1,
            };
            store::insert(tx, &view).await
        },
    )
    .await?;
    Ok(created.into_response_with(|view| view.version))
}
