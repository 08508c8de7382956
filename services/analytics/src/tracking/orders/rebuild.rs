use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Json, Problem};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::query_scalar;
use uuid::Uuid;

use super::{RollupRebuild, RollupsManage};
use crate::app::AppState;

/// Count everything again.
///
/// Counts by quarter of an hour and by day, and those of different people and visits, are made again from the events, day by day
/// from the newest one back to the oldest whose events are kept. Each day is replaced at once, so whoever asks meanwhile gets right
/// numbers, and events that come in are counted once. It is done in the background; `Location` tells where to look. While one is
/// not done, ordering another answers that one.
#[utoipa::path(
    post, path = "/api/analytics/rollup-rebuilds", tag = "events",
    security(("bearer" = ["rollups:manage"])),
    responses(
        (status = 202, description = "It is ordered, now or before", body = RollupRebuild,
         headers(("Location" = String, description = "Where to see how far it is"))),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn create_rollup_rebuild(
    State(app): State<AppState>,
    caller: Can<RollupsManage>,
) -> Result<Response, Problem> {
    let (id, now) = (app.core.sources.id(), app.core.sources.now());
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let id = open(&mut tx, id, caller.user.as_uuid(), now).await?;
    let order = RollupRebuild::find(&mut tx, id).await?;
    let order = order.ok_or_else(Problem::not_found)?;
    tx.commit().await?;
    let location = format!("/api/analytics/rollup-rebuilds/{id}");
    Ok((
        StatusCode::ACCEPTED,
        [(header::LOCATION, location)],
        Json(order),
    )
        .into_response())
}

/// Orders it; answers the id of the order that is not done, whoever gave it.
async fn open(tx: &mut TenantTx, id: Uuid, by: Uuid, at: DateTime<Utc>) -> Result<Uuid, DbError> {
    Ok(query_scalar(
        "-- analytics.event_erasures.open_rebuild\n\
         INSERT INTO analytics.event_erasures AS e (id, kind, created_by, created_at, due_at) VALUES ($1, 'rebuild', $2, $3, $3) \
         ON CONFLICT (tenant_id) WHERE kind = 'rebuild' AND status <> 'succeeded' DO UPDATE SET due_at = e.due_at \
         RETURNING id",
    )
    .bind(id)
    .bind(by)
    .bind(at)
    .fetch_one(tx.conn())
    .await?)
}
