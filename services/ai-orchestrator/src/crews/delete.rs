use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;

use super::{CrewDefinition, CrewsWrite};
use crate::{app::AppState, definitions};

/// Delete a crew with its versions. Its runs stay, and those that are not over go on.
#[utoipa::path(
    delete, path = "/api/crews/{id}", tag = "crews",
    security(("bearer" = ["crews:write"])),
    params(("id" = String, Path, description = "The crew's id or name"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_crew(
    State(app): State<AppState>,
    caller: Can<CrewsWrite>,
    Path(id): Path<String>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let row = definitions::find_for_update::<CrewDefinition>(&mut tx, &id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(row.version)?;
    definitions::delete::<CrewDefinition>(&mut tx, row.id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
