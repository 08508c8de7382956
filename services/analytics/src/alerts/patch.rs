use axum::extract::State;
use bz_auth::Can;
use bz_http::{IfMatch, Json, Path, Problem, Versioned};
use uuid::Uuid;

use super::{
    AlertsWrite,
    resource::{Alert, PatchAlert},
    store,
};
use crate::app::AppState;

/// Change an alert.
///
/// A missing field stays. With `If-Match` the change is made only on that version. With another definition the alert
/// begins anew.
#[utoipa::path(
    patch, path = "/api/alerts/{id}", tag = "alerts",
    security(("bearer" = ["alerts:write"])),
    params(("id" = Uuid, Path, description = "The alert"), IfMatch),
    request_body = PatchAlert,
    responses(
        (status = 200, description = "The alert as it is now", body = Alert,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::ChangeProblems,
    ),
)]
pub(super) async fn patch_alert(
    State(app): State<AppState>,
    caller: Can<AlertsWrite>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(patch): Json<PatchAlert>,
) -> Result<Versioned<Alert>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let before = store::find_for_update(&mut tx, id)
        .await?
        .ok_or_else(Problem::not_found)?;
    if_match.check(before.version)?;
    let anew = patch
        .definition
        .as_ref()
        .is_some_and(|definition| *definition != before.definition);
    let wanted = Alert {
        name: patch.name.unwrap_or(before.name),
        definition: patch.definition.unwrap_or(before.definition),
        enabled: patch.enabled.unwrap_or(before.enabled),
        ..before
    };
    let after = store::update(&mut tx, &wanted, anew, app.core.sources.now()).await?;
    tx.commit().await?;
    Ok(Versioned(after.version, after))
}
