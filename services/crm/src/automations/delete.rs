use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Path, Problem};
use http::StatusCode;
use uuid::Uuid;

use super::{AutomationsManage, store};
use crate::app::AppState;

/// Delete an automation with its runs.
#[utoipa::path(
    delete, path = "/api/automations/{id}", tag = "automations",
    security(("bearer" = ["automations:manage"])),
    params(("id" = Uuid, Path, description = "The automation"), IfMatch),
    responses((status = 204, description = "It is gone"), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn delete_automation(
    State(app): State<AppState>,
    caller: Can<AutomationsManage>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let automation = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(automation.version)?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
