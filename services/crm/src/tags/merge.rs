use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};
use uuid::Uuid;

use super::{MergeTag, Tag, TagsManage, replace, store};
use crate::{
    app::AppState,
    records::Work,
    settings::{self, Done},
};

/// Merge a tag into another one, in all records. The other one is answered.
#[utoipa::path(
    post, path = "/api/tags/{id}/merge", tag = "tags",
    security(("bearer" = ["tags:manage"])),
    params(("id" = Uuid, Path, description = "The tag that goes"), IfMatch),
    request_body = MergeTag,
    responses(
        (status = 200, description = "The tag that stays", body = Tag,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn merge_tag(
    State(app): State<AppState>,
    caller: Can<TagsManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(MergeTag { into }): Json<MergeTag>,
) -> Result<Versioned<Tag>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let tag = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(tag.version)?;
    let stays = store::find(&mut tx, into)
        .await?
        .filter(|other| other.id != id);
    let stays = stays
        .ok_or_else(|| Problem::invalid("/into", "not_found", "must be the id of another tag"))?;
    let mut work = Work {
        app: &app,
        tx: &mut tx,
        actor: caller.user,
    };
    replace(&mut work, &tag.name, Some(&stays.name)).await?;
    store::delete(&mut tx, id).await?;
    let done = Done {
        kind: "tag",
        id,
        action: "merged",
        before: Some(&tag),
        after: Some(&stays),
    };
    settings::note(&app, &mut tx, caller.user, done).await?;
    let stays = store::find(&mut tx, into)
        .await?
        .ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(stays.version, stays))
}
