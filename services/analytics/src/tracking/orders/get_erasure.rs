use axum::extract::State;
use bz_auth::Can;
use bz_http::{Json, Path, Problem};
use uuid::Uuid;

use super::{ERASURE, EventErasure, EventsDelete, find};
use crate::app::AppState;

/// Look at an order to erase.
#[utoipa::path(
    get, path = "/api/event-erasures/{id}", tag = "events",
    security(("bearer" = ["events:delete"])),
    params(("id" = Uuid, Path, description = "Its id")),
    responses((status = 200, description = "How far it is", body = EventErasure), bz_http::openapi::ReadProblems),
)]
pub(super) async fn get_event_erasure(
    State(app): State<AppState>,
    caller: Can<EventsDelete>,
    Path(id): Path<Uuid>,
) -> Result<Json<EventErasure>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let row = find(&mut tx, id, ERASURE).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    Ok(Json(row.into()))
}
