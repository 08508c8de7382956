use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};
use uuid::Uuid;

use super::{PatchTag, Tag, TagsManage, replace, store};
use crate::{
    app::AppState,
    records::Work,
    settings::{self, Done},
};

/// Change a tag's colour, or its name in all records.
///
/// With `If-Match` the change is made only on that version.
#[utoipa::path(
    patch, path = "/api/tags/{id}", tag = "tags",
    security(("bearer" = ["tags:manage"])),
    params(("id" = Uuid, Path, description = "Its id"), IfMatch),
    request_body = PatchTag,
    responses(
        (status = 200, description = "It, as it is now", body = Tag,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_tag(
    State(app): State<AppState>,
    caller: Can<TagsManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(patch): Json<PatchTag>,
) -> Result<Versioned<Tag>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let tag = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(tag.version)?;
    let name = patch.name.unwrap_or_else(|| tag.name.clone());
    let color = patch.color.onto(tag.color.clone());
    let now = app.core.sources.now();
    store::update(&mut tx, id, now, (&name, color.as_deref())).await?;
    let mut work = Work {
        app: &app,
        tx: &mut tx,
        actor: caller.user,
    };
    if name != tag.name {
        replace(&mut work, &tag.name, Some(&name)).await?;
    }
    let after = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let before = Tag {
        records: after.records,
        ..tag
    };
    let done = Done {
        kind: "tag",
        id,
        action: "updated",
        before: Some(&before),
        after: Some(&after),
    };
    settings::note(&app, &mut tx, caller.user, done).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(after.version, after))
}
