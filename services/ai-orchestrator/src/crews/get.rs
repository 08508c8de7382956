use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};

use super::{Crew, CrewDefinition, CrewsRead};
use crate::{app::AppState, definitions};

/// One crew.
#[utoipa::path(
    get, path = "/api/crews/{id}", tag = "crews",
    security(("bearer" = ["crews:read"])),
    params(("id" = String, Path, description = "The crew's id or name")),
    responses(
        (status = 200, description = "The crew", body = Crew, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_crew(
    State(app): State<AppState>,
    caller: Can<CrewsRead>,
    Path(id): Path<String>,
) -> Result<Versioned<Crew>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = definitions::find::<CrewDefinition>(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(row.version, row.into()))
}
