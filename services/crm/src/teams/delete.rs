use axum::{extract::State, http::StatusCode};
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use bz_kernel::TeamId;

use super::{TeamsManage, store};
use crate::{
    app::AppState,
    records::{
        ALL, Work,
        mass::{Rewrite, rewrite},
    },
    settings::{self, Done},
};

/// Delete a team. Its records belong to no team from then on.
#[utoipa::path(
    delete, path = "/api/teams/{id}", tag = "teams",
    security(("bearer" = ["teams:manage"])),
    params(("id" = TeamId, Path, description = "Its id"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_team(
    State(app): State<AppState>,
    caller: Can<TeamsManage>,
    Path(id): Path<TeamId>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let team = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(team.version)?;
    store::delete(&mut tx, id).await?;
    let mut work = Work {
        app: &app,
        tx: &mut tx,
        actor: caller.user,
    };
    for record in ALL {
        rewrite(&mut work, record, Rewrite::Team { id: id.as_uuid() }).await?;
    }
    let done = Done {
        kind: "team",
        id: id.as_uuid(),
        action: "deleted",
        before: Some(&team),
        after: None,
    };
    settings::note(&app, &mut tx, caller.user, done).await?;
    tx.commit().await?;
    app.wake();
    Ok(StatusCode::NO_CONTENT)
}
