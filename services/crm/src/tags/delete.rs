use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use uuid::Uuid;

use super::{TagsManage, replace, store};
use crate::{
    app::AppState,
    records::Work,
    settings::{self, Done},
};

/// Delete a tag, and take it off all records.
#[utoipa::path(
    delete, path = "/api/tags/{id}", tag = "tags",
    security(("bearer" = ["tags:manage"])),
    params(("id" = Uuid, Path, description = "Its id"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_tag(
    State(app): State<AppState>,
    caller: Can<TagsManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let tag = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(tag.version)?;
    let mut work = Work {
        app: &app,
        tx: &mut tx,
        actor: caller.user,
    };
    replace(&mut work, &tag.name, None).await?;
    store::delete(&mut tx, id).await?;
    let done = Done {
        kind: "tag",
        id,
        action: "deleted",
        before: Some(&tag),
        after: None,
    };
    settings::note(&app, &mut tx, caller.user, done).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
