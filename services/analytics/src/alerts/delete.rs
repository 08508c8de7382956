use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;
use uuid::Uuid;

use super::{AlertsWrite, store};
use crate::app::AppState;

/// Delete an alert.
#[utoipa::path(
    delete, path = "/api/alerts/{id}", tag = "alerts",
    security(("bearer" = ["alerts:write"])),
    params(("id" = Uuid, Path, description = "The alert"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_alert(
    State(app): State<AppState>,
    caller: Can<AlertsWrite>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let alert = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(alert.version)?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
