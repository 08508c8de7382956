use axum::{extract::State, response::Response};
use bz_auth::{Caller, Can};
use bz_http::{IdempotencyKey, Json, Problem};
use bz_kernel::Sources;

use super::{Dashboard, DashboardsWrite, MadeOf, WantedDashboard, boards};
use crate::app::AppState;

/// Make a dashboard.
///
/// With an `Idempotency-Key` the same request may be sent again: the first answer is given once more.
#[utoipa::path(
    post, path = "/api/dashboards", tag = "dashboards",
    security(("bearer" = ["dashboards:write"])),
    params(IdempotencyKey),
    request_body = WantedDashboard,
    responses(
        (status = 201, description = "It, as it is now", body = Dashboard,
         headers(("ETag" = String, description = "Its version"))),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn create_dashboard(
    State(app): State<AppState>,
    caller: Can<DashboardsWrite>,
    key: IdempotencyKey,
    Json(wanted): Json<WantedDashboard>,
) -> Result<Response, Problem> {
    let (core, sources) = (&app.core, &app.core.sources);
    let created = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        &key,
        "dashboards.create",
        &wanted,
        async |tx| {
            let dashboard = made(sources, &caller, wanted.clone(), None);
            boards::insert(tx, &dashboard).await?;
            Ok(dashboard)
        },
    )
    .await?;
    Ok(created.into_response_with(|dashboard| dashboard.version))
}

/// A dashboard that is new.
pub(crate) fn made(
    sources: &Sources,
    caller: &Caller,
    wanted: WantedDashboard,
    template: Option<MadeOf>,
) -> Dashboard {
    let now = sources.now();
    Dashboard {
        id: sources.id(),
        name: wanted.name,
        description: wanted.description,
        view: wanted.view,
        tiles: wanted.tiles,
        template,
        created_by: caller.user,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}
