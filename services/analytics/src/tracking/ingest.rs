use aws_lc_rs::digest;
use axum::{
    extract::State,
    http::HeaderValue,
    response::{IntoResponse, Response},
};
use bz_auth::Can;
use bz_http::{Errors, IdempotencyKey, Json, Problem, Validate};
use bz_service::limiter::Quota;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    EventsWrite, MAX_BATCH, RejectedEvent, TrackedEvent, body::Batch, record::NotRecorded,
};
use crate::app::AppState;

/// Events to take in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrackEvents {
    /// 1 to 5,000 events.
    #[schema(min_items = 1, max_items = 5000)]
    pub(super) events: Vec<TrackedEvent>,
}

impl Validate for TrackEvents {
    fn validate(&self, errors: &mut Errors) {
        if self.events.is_empty() || self.events.len() > MAX_BATCH {
            wrong_length(errors);
        }
    }
}

pub(super) fn wrong_length(errors: &mut Errors) {
    errors.add(
        "/events",
        "invalid_length",
        format!("must have 1 to {MAX_BATCH} events"),
    );
}

/// What became of the events.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
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
/// listed in `rejected`, the others are taken; when all are faulty the answer is 422. Instead of JSON the body may have one
/// event a line (`application/x-ndjson`), and `Content-Encoding` may be `gzip` or `zstd`. With an `Idempotency-Key` a
/// repeated request is answered as it was the first time.
#[utoipa::path(
    post, path = "/api/events", tag = "events",
    security(("bearer" = ["events:write"])),
    params(IdempotencyKey),
    request_body(content((TrackEvents = "application/json"), (String = "application/x-ndjson"))),
    responses(
        (status = 200, description = "What became of the events", body = Tracked),
        (status = 429, description = "Too many requests of the tenant in a minute; none of the events were taken",
         body = bz_http::ProblemDocument, content_type = "application/problem+json"),
        bz_http::openapi::WriteProblems,
    ),
)]
pub(super) async fn track_events(
    State(app): State<AppState>,
    caller: Can<EventsWrite>,
    key: IdempotencyKey,
    batch: Batch,
) -> Result<Response, Problem> {
    admit(&app, &caller).await?;
    let now = app.core.sources.now();
    let (good, rejected) = sorted_out(batch.events, batch.rejected, now);
    if good.is_empty() {
        return Err(all_rejected(rejected));
    }
    let sent = good.len() as u64;
    let answer = |accepted| Tracked {
        accepted,
        duplicates: sent - accepted,
        rejected: rejected.clone(),
    };
    let (tracked, replayed) = if key.as_deref().is_some() {
        let hash = digest::digest(&digest::SHA256, &batch.bytes);
        once(&app, &caller, &key, &hex::encode(hash), &good, answer).await?
    } else {
        let recorded = app.tracking.record(&app.core.db, now, &caller.scope, &good);
        (answer(recorded.await?), false)
    };
    if tracked.accepted > 0 && !replayed {
        app.hub.changed(caller.tenant());
    }
    Ok(response(tracked, replayed))
}

/// Takes one of the requests that the tenant may send.
async fn admit(app: &AppState, caller: &Can<EventsWrite>) -> Result<(), Problem> {
    let tenant = caller.tenant();
    let key = format!("bz:{tenant}:analytics:limit-events:-");
    let bucket = (app.batches_a_minute > 0).then(|| (key, Quota::a_minute(app.batches_a_minute)));
    app.limiter.admit(&app.core, bucket.as_slice()).await
}

fn response(tracked: Tracked, replayed: bool) -> Response {
    let mut response = Json(tracked).into_response();
    if replayed {
        let replayed = HeaderValue::from_static("true");
        response
            .headers_mut()
            .insert("idempotency-replayed", replayed);
    }
    response
}

/// Takes the events in, and keeps the answer under the key, or gives the one that is kept there.
async fn once(
    app: &AppState,
    caller: &Can<EventsWrite>,
    key: &IdempotencyKey,
    hash: &str,
    events: &[TrackedEvent],
    answer: impl Fn(u64) -> Tracked,
) -> Result<(Tracked, bool), Problem> {
    let (core, tracking) = (&app.core, &app.tracking);
    let mut attempt = 1;
    loop {
        let known = tracking.known(&core.db, &caller.scope, events).await?;
        let (mut outdated, mut written) = (false, None);
        let done = bz_http::idempotent(
            (&core.db, &core.sources.clock),
            &caller.scope,
            key,
            "events.tracked",
            &hash,
            async |tx| {
                let now = core.sources.now();
                match tracking.record_in(tx, now, &known, events).await {
                    Ok((new, sketches)) => {
                        written = Some(sketches);
                        Ok(answer(new))
                    }
                    Err(NotRecorded::Because(problem)) => Err(*problem),
                    Err(NotRecorded::Outdated) => {
                        outdated = true;
                        Err(Problem::unavailable(std::io::Error::other("outdated")))
                    }
                }
            },
        )
        .await;
        if outdated {
            tracking.again(&caller.scope, &mut attempt, NotRecorded::Outdated)?;
            continue;
        }
        let done = done?;
        if let Some(written) = written {
            tracking.keep(written);
        }
        return Ok((done.value, done.replayed));
    }
}

/// The events without faults, each once, and why the others are not taken.
fn sorted_out(
    events: Vec<(usize, TrackedEvent)>,
    mut rejected: Vec<RejectedEvent>,
    now: DateTime<Utc>,
) -> (Vec<TrackedEvent>, Vec<RejectedEvent>) {
    let mut good = Vec::with_capacity(events.len());
    for (index, event) in events {
        match event.fault(now) {
            Some((code, detail)) => rejected.push(RejectedEvent {
                index,
                code: code.to_owned(),
                detail,
            }),
            None => good.push(event.without_empty_texts()),
        }
    }
    rejected.sort_by_key(|one| one.index);
    (good, rejected)
}

fn all_rejected(rejected: Vec<RejectedEvent>) -> Problem {
    let mut errors = Errors::default();
    for fault in rejected {
        errors.add(format!("/events/{}", fault.index), fault.code, fault.detail);
    }
    Problem::validation(errors)
}
