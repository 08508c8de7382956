use axum::extract::State;
use bz_auth::Can;
use bz_http::{Errors, Json, Problem, Validate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EventsWrite, MAX_BATCH, RejectedEvent, TrackedEvent, store};
use crate::app::AppState;

/// Events to take in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrackEvents {
    /// 1 to 5,000 events.
    #[schema(min_items = 1, max_items = 5000)]
    events: Vec<TrackedEvent>,
}

impl Validate for TrackEvents {
    fn validate(&self, errors: &mut Errors) {
        if self.events.is_empty() || self.events.len() > MAX_BATCH {
            errors.add(
                "/events",
                "invalid_length",
                format!("must have 1 to {MAX_BATCH} events"),
            );
        }
    }
}

/// What became of the events.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct Tracked {
    /// Events counted now.
    accepted: u64,
    /// Events that had been counted before.
    duplicates: u64,
    /// Events that were not taken.
    rejected: Vec<RejectedEvent>,
}

/// Send events.
///
/// Each event counts once, however often it is sent: send a batch again when no answer came. Events with faults are
/// listed in `rejected`, the others are taken; when all are faulty the answer is 422.
#[utoipa::path(
    post, path = "/api/events", tag = "events",
    security(("bearer" = ["events:write"])),
    request_body = TrackEvents,
    responses((status = 200, description = "What became of the events", body = Tracked), bz_http::openapi::WriteProblems),
)]
pub(super) async fn track_events(
    State(app): State<AppState>,
    caller: Can<EventsWrite>,
    Json(batch): Json<TrackEvents>,
) -> Result<Json<Tracked>, Problem> {
    let now = app.core.sources.now();
    let sent = batch.events.len();
    let mut rejected = Vec::new();
    let mut good = Vec::with_capacity(sent);
    for (index, event) in batch.events.into_iter().enumerate() {
        match event.fault(now) {
            Some((code, detail)) => rejected.push(RejectedEvent {
                index,
                code: code.to_owned(),
                detail,
            }),
            None => good.push(event),
        }
    }
    if good.is_empty() {
        return Err(all_rejected(rejected));
    }
    let taken = good.len() as u64;
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let accepted = store::ingest(&mut tx, now, good).await?;
    tx.commit().await?;
    Ok(Json(Tracked {
        accepted,
        duplicates: taken - accepted,
        rejected,
    }))
}

fn all_rejected(rejected: Vec<RejectedEvent>) -> Problem {
    let mut errors = Errors::default();
    for fault in rejected {
        errors.add(format!("/events/{}", fault.index), fault.code, fault.detail);
    }
    Problem::validation(errors)
}
