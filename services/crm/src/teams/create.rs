use axum::{extract::State, response::Response};
use bz_auth::Can;
use bz_http::{IdempotencyKey, Json, Problem};

use super::{CreateTeam, Team, TeamsManage, store};
use crate::{
    app::AppState,
    settings::{self, Done},
};

/// Create a team.
///
/// With an `Idempotency-Key` the same request may be sent again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/teams", tag = "teams",
    security(("bearer" = ["teams:manage"])),
    params(IdempotencyKey),
    request_body = CreateTeam,
    responses(
        (status = 201, description = "It, as it is now", body = Team,
         headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "There is one with this name", body = bz_http::ProblemDocument,
         content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_team(
    State(app): State<AppState>,
    caller: Can<TeamsManage>,
    key: IdempotencyKey,
    Json(wanted): Json<CreateTeam>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let created = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "teams.create",
        &wanted,
        async |tx| {
            let id = sources.id();
            store::insert(tx, id, sources.now(), &wanted.name).await?;
            store::set_members(tx, id, &wanted.members).await?;
            let team = store::find(tx, id).await?.ok_or_else(Problem::not_found)?;
            let done = Done {
                kind: "team",
                id: id.as_uuid(),
                action: "created",
                before: None,
                after: Some(&team),
            };
            settings::note(&app, tx, caller.user, done).await?;
            Ok(team)
        },
    )
    .await?;
    Ok(created.into_response_with(|team| team.version))
}
