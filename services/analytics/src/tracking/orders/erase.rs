use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Json, Problem, Query};
use bz_tenant::DbError;
use serde::Deserialize;
use sqlx::query;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{ERASURE, EventErasure, EventsDelete, find};
use crate::app::AppState;

/// Whose events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ErasedActor {
    /// The `actor_id` of the events, exactly: 1 to 200 characters.
    #[param(min_length = 1, max_length = 200)]
    actor_id: String,
}

/// Erase what an actor did.
///
/// All events with this `actor_id` are deleted, and the counts of their days made again without them. It is done in the
/// background; `Location` tells where to look. Events of the actor that are sent later are taken as any other.
#[utoipa::path(
    delete, path = "/api/events", tag = "events",
    security(("bearer" = ["events:delete"])),
    params(ErasedActor),
    responses((status = 202, description = "It is ordered", body = EventErasure), bz_http::openapi::ListProblems),
)]
pub(super) async fn delete_events(
    State(app): State<AppState>,
    caller: Can<EventsDelete>,
    Query(wanted): Query<ErasedActor>,
) -> Result<Response, Problem> {
    if !(1..=200).contains(&wanted.actor_id.chars().count()) {
        let text = "must be 1 to 200 characters";
        return Err(Problem::invalid_parameter(
            "actor_id",
            "invalid_length",
            text,
        ));
    }
    let id: Uuid = app.core.sources.id();
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    query(
        "-- analytics.event_erasures.create\n\
         INSERT INTO analytics.event_erasures (id, actor_id, created_by, created_at, due_at) VALUES ($1, $2, $3, $4, $4)",
    )
    .bind(id)
    .bind(&wanted.actor_id)
    .bind(caller.user.as_uuid())
    .bind(app.core.sources.now())
    .execute(tx.conn())
    .await
    .map_err(DbError::from)?;
    let row = find(&mut tx, id, ERASURE).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    let location = format!("/api/event-erasures/{id}");
    let order = Json(EventErasure::from(row));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], order).into_response())
}
