use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{Tag, TagsRead, store};
use crate::app::AppState;

/// One tag.
#[utoipa::path(
    get, path = "/api/tags/{id}", tag = "tags",
    security(("bearer" = ["tags:read"])),
    params(("id" = Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "It", body = Tag, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_tag(
    State(app): State<AppState>,
    caller: Can<TagsRead>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<Tag>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let tag = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(tag.version, tag))
}
