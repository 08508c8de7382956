use axum::extract::State;
use bz_auth::Can;
use bz_http::{Path, Problem, Versioned};
use uuid::Uuid;

use super::{ReportsRead, resource::Report, store};
use crate::app::AppState;

/// How a report is getting on, and its files.
#[utoipa::path(
    get, path = "/api/reports/{id}", tag = "reports",
    security(("bearer" = ["reports:read"])),
    params(("id" = Uuid, Path, description = "The report")),
    responses(
        (status = 200, description = "The report", body = Report,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn get_report(
    State(app): State<AppState>,
    caller: Can<ReportsRead>,
    Path(id): Path<Uuid>,
) -> Result<Versioned<Report>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = store::find(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    let files = store::files(&mut tx, &[id]).await?;
    let report = row.shown(&files);
    Ok(Versioned(report.version, report))
}
