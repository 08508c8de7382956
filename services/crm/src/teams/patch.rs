use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};
use bz_kernel::TeamId;

use super::{PatchTeam, Team, TeamsManage, store};
use crate::{
    app::AppState,
    settings::{self, Done},
};

/// Change a team.
///
/// With `If-Match` the change is made only on that version.
#[utoipa::path(
    patch, path = "/api/teams/{id}", tag = "teams",
    security(("bearer" = ["teams:manage"])),
    params(("id" = TeamId, Path, description = "Its id"), IfMatch),
    request_body = PatchTeam,
    responses(
        (status = 200, description = "It, as it is now", body = Team,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_team(
    State(app): State<AppState>,
    caller: Can<TeamsManage>,
    Path(id): Path<TeamId>,
    if_match: IfMatch,
    Json(patch): Json<PatchTeam>,
) -> Result<Versioned<Team>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let team = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(team.version)?;
    let name = patch.name.unwrap_or_else(|| team.name.clone());
    store::update(&mut tx, id, app.core.sources.now(), &name).await?;
    if let Some(members) = &patch.members {
        store::set_members(&mut tx, id, members).await?;
    }
    let after = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let done = Done {
        kind: "team",
        id: id.as_uuid(),
        action: "updated",
        before: Some(&team),
        after: Some(&after),
    };
    settings::note(&app, &mut tx, caller.user, done).await?;
    tx.commit().await?;
    Ok(Versioned(after.version, after))
}
