use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use bz_kernel::TeamId;

use super::{Team, TeamsRead, store};
use crate::app::AppState;

/// One team.
#[utoipa::path(
    get, path = "/api/teams/{id}", tag = "teams",
    security(("bearer" = ["teams:read"])),
    params(("id" = TeamId, Path, description = "Its id")),
    responses(
        (status = 200, description = "It", body = Team, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_team(
    State(app): State<AppState>,
    caller: Can<TeamsRead>,
    Path(id): Path<TeamId>,
) -> Result<Versioned<Team>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let team = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(team.version, team))
}
