use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};

use super::{Crew, CrewDefinition, CrewsWrite, PutCrew};
use crate::{app::AppState, definitions};

/// Change a crew: its next version. Runs that were made before go on with the version that they were made with.
#[utoipa::path(
    put, path = "/api/crews/{id}", tag = "crews",
    security(("bearer" = ["crews:write"])),
    params(("id" = String, Path, description = "The crew's id or name"), IfMatch),
    request_body = PutCrew,
    responses(
        (status = 200, description = "The crew", body = Crew, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn put_crew(
    State(app): State<AppState>,
    caller: Can<CrewsWrite>,
    Path(id): Path<String>,
    if_match: IfMatch,
    Json(wanted): Json<PutCrew>,
) -> Result<Versioned<Crew>, Problem> {
    let wanted = wanted.definition;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let row = definitions::find_for_update::<CrewDefinition>(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(row.version)?;
    let by = (caller.user, app.core.sources.now());
    let row = definitions::update(&mut tx, row.id, by, &wanted).await?;
    tx.commit().await?;
    Ok(Versioned(row.version, row.into()))
}
