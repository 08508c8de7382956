use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{AlertsRead, resource::Alert, store};
use crate::app::AppState;

/// One alert, and how it stands.
#[utoipa::path(
    get, path = "/api/alerts/{id}", tag = "alerts",
    security(("bearer" = ["alerts:read"])),
    params(("id" = Uuid, Path, description = "The alert")),
    responses(
        (status = 200, description = "The alert", body = Alert,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_alert(
    State(app): State<AppState>,
    caller: Can<AlertsRead>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<Alert>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let alert = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok(Versioned(alert.version, alert))
}
