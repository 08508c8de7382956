use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{Automation, AutomationsManage, store};
use crate::app::AppState;

/// One automation.
#[utoipa::path(
    get, path = "/api/automations/{id}", tag = "automations",
    security(("bearer" = ["automations:manage"])),
    params(("id" = Uuid, Path, description = "The automation")),
    responses(
        (status = 200, description = "The automation", body = Automation, headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_automation(
    State(app): State<AppState>,
    caller: Can<AutomationsManage>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<Automation>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let automation = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(automation.version, automation))
}
