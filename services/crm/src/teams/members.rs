//! One member of a team.

use axum::extract::State;
use bz_auth::{Caller, Can};
use bz_http::{IfMatch, Path, Problem, Versioned};
use bz_kernel::{TeamId, UserId};

use super::{MOST_MEMBERS, Team, TeamsManage, store};
use crate::{
    app::AppState,
    problems,
    settings::{self, Done},
};

/// Put a user into a team. One who is in it stays.
#[utoipa::path(
    put, path = "/api/teams/{id}/members/{user_id}", tag = "teams",
    security(("bearer" = ["teams:manage"])),
    params(
        ("id" = TeamId, Path, description = "The team"), ("user_id" = UserId, Path, description = "The user"), IfMatch,
    ),
    responses(
        (status = 200, description = "The team as it is now", body = Team,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn add_team_member(
    State(app): State<AppState>,
    caller: Can<TeamsManage>,
    Path((id, user)): Path<(TeamId, UserId)>,
    if_match: IfMatch,
) -> Result<Versioned<Team>, Problem> {
    change(&app, &caller, (id, if_match), |members| {
        if !members.contains(&user) {
            members.push(user);
        }
    })
    .await
}

/// Take a user out of a team. One who is not in it stays out.
#[utoipa::path(
    delete, path = "/api/teams/{id}/members/{user_id}", tag = "teams",
    security(("bearer" = ["teams:manage"])),
    params(
        ("id" = TeamId, Path, description = "The team"), ("user_id" = UserId, Path, description = "The user"), IfMatch,
    ),
    responses(
        (status = 200, description = "The team as it is now", body = Team,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn remove_team_member(
    State(app): State<AppState>,
    caller: Can<TeamsManage>,
    Path((id, user)): Path<(TeamId, UserId)>,
    if_match: IfMatch,
) -> Result<Versioned<Team>, Problem> {
    change(&app, &caller, (id, if_match), |members| {
        members.retain(|member| *member != user);
    })
    .await
}

async fn change(
    app: &AppState,
    caller: &Caller,
    (id, if_match): (TeamId, IfMatch),
    change: impl FnOnce(&mut Vec<UserId>),
) -> Result<Versioned<Team>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let team = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(team.version)?;
    let mut members = team.members.clone();
    change(&mut members);
    if members == team.members {
        return Ok(Versioned(team.version, team));
    }
    if members.len() > MOST_MEMBERS {
        return Err(problems::too_many_members());
    }
    store::set_members(&mut tx, id, &members).await?;
    store::update(&mut tx, id, app.core.sources.now(), &team.name).await?;
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
    settings::note(app, &mut tx, caller.user, done).await?;
    tx.commit().await?;
    Ok(Versioned(after.version, after))
}
