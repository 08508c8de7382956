use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{CreateTag, Tag, TagsWrite, store};
use crate::{
    app::AppState,
    settings::{self, Done},
};

/// Add a tag. Records also add those that they name.
///
/// With an `Idempotency-Key` the same request may be sent again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/tags", tag = "tags",
    security(("bearer" = ["tags:write"])),
    params(IdempotencyKey),
    request_body = CreateTag,
    responses(
        (status = 201, description = "It, as it is now", body = Tag,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "There is one with this name", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_tag(
    State(app): State<AppState>,
    caller: Can<TagsWrite>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateTag>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let created = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "tags.create",
        &wanted,
        async |tx| {
            let tag = store::insert(tx, sources.id(), sources.now(), &wanted).await?;
            let done = Done {
                kind: "tag",
                id: tag.id,
                action: "created",
                before: None,
                after: Some(&tag),
            };
            settings::note(&app, tx, caller.user, done).await?;
            Ok(tag)
        },
    )
    .await?;
    Ok(created.into_response_with(|tag| tag.version))
}
