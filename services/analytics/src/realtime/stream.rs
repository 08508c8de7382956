use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use bz_auth::{Caller, Can};
use bz_http::{Problem, Query};
use bz_kernel::TenantId;
use futures_util::{Stream, stream};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
};
use uuid::Uuid;

use super::{
    MetricsRead,
    hub::{MAX_STREAMS, Place},
    metrics::RealtimeQuery,
    numbers::{self, RealtimeMetrics, names},
};
use crate::{app::AppState, version};

/// How often a stream without news says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The least time between two deltas.
const PACE: Duration = Duration::from_secs(1);
/// How often a stream looks by itself, for hints that were lost and minutes that went by.
const LOOK: Duration = Duration::from_secs(2);
/// A reader that took so long for an event is slow: it gets the whole again instead of what it did not read.
const SLOW: Duration = Duration::from_secs(2);

/// Watch what happens: server-sent events.
///
/// First a `snapshot`, as `GET /api/realtime/metrics` answers it, then at most once a second a `delta` with the minutes that
/// are no longer as they were, and a `heartbeat` when nothing happens. The id of an event is the version of the data: with
/// it in `Last-Event-ID` a stream begins with a `delta` of nothing or a `snapshot`, as is needed. Who reads slowly gets a
/// new snapshot and no backlog. The stream ends when the token does; open it again with a new one.
#[utoipa::path(
    get, path = "/api/realtime/stream", tag = "realtime",
    security(("bearer" = ["metrics:read"])),
    params(
        RealtimeQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "Events", body = String, content_type = "text/event-stream"),
        (status = 429, description = "The tenant has too many streams", body = bz_http::ProblemDocument),
        bz_http::openapi::ListProblems,
    ),
)]
pub(super) async fn get_realtime_stream(
    State(app): State<AppState>,
    caller: Can<MetricsRead>,
    Query(wanted): Query<RealtimeQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = app.hub.enter(caller.tenant()).ok_or_else(too_many)?;
    let seen = headers.get("last-event-id");
    let watcher = Watcher {
        changes: app.hub.listen(),
        names: names(wanted.names.as_deref()),
        seen: seen.and_then(|id| id.to_str().ok()?.parse().ok()),
        ends: Instant::now() + caller.token_left(app.core.sources.now()),
        told: None,
        told_at: Instant::now(),
        caller: caller.into_caller(),
        app,
        _place: place,
    };
    Ok(Sse::new(events(watcher)).into_response())
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_streams",
        "There are too many streams",
    )
    .detail(format!("A tenant may have {MAX_STREAMS}. Close one."))
    .retry_after(5)
}

/// One stream. It does something only when its reader asks for the next event, so nothing piles up.
struct Watcher {
    app: AppState,
    caller: Caller,
    changes: Receiver<Uuid>,
    names: Vec<String>,
    /// The version that the reader has seen before.
    seen: Option<i64>,
    ends: Instant,
    /// What the reader has.
    told: Option<RealtimeMetrics>,
    told_at: Instant,
    _place: Place,
}

fn events(watcher: Watcher) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await?;
        Some((Ok(event), watcher))
    })
}

impl Watcher {
    async fn next(&mut self) -> Option<Event> {
        let slow = self.told.is_some() && self.told_at.elapsed() > SLOW;
        let (kind, numbers, shown) = match self.told.take() {
            None => self.first().await?,
            Some(before) if slow => {
                let numbers = self.read().await.unwrap_or(before);
                ("snapshot", numbers.clone(), numbers)
            }
            Some(before) => self.later(before).await?,
        };
        self.told_at = Instant::now();
        let event = Event::default()
            .event(kind)
            .id(numbers.data_version.to_string());
        self.told = Some(numbers);
        match kind {
            "heartbeat" => Some(event.data("{}")),
            _ => event.json_data(shown).ok(),
        }
    }

    /// The whole; nothing of it for a reader that has it.
    async fn first(&mut self) -> Option<(&'static str, RealtimeMetrics, RealtimeMetrics)> {
        loop {
            if let Some(numbers) = self.read().await {
                let kind = match self.seen {
                    Some(seen) if seen == numbers.data_version => "delta",
                    _ => "snapshot",
                };
                let shown = match kind {
                    "delta" => numbers.since(&numbers),
                    _ => numbers.clone(),
                };
                return Some((kind, numbers, shown));
            }
            self.pause(Instant::now() + LOOK).await?;
        }
    }

    /// What changed, when something did, or a sign of life.
    async fn later(
        &mut self,
        before: RealtimeMetrics,
    ) -> Option<(&'static str, RealtimeMetrics, RealtimeMetrics)> {
        let heartbeat = self.told_at + HEARTBEAT;
        self.pause(self.told_at + PACE).await?;
        loop {
            if self.is_newer(&before).await
                && let Some(numbers) = self.read().await
            {
                let shown = numbers.since(&before);
                return Some(("delta", numbers, shown));
            }
            if Instant::now() >= heartbeat {
                return Some(("heartbeat", before.clone(), before));
            }
            let look = heartbeat.min(Instant::now() + LOOK);
            self.wait_for_change(look).await?;
        }
    }

    /// Waits; none when the stream is to end.
    async fn pause(&self, until: Instant) -> Option<()> {
        tokio::select! {
            () = self.app.core.shutdown.cancelled() => None,
            () = tokio::time::sleep_until(self.ends) => None,
            () = tokio::time::sleep_until(until) => Some(()),
        }
    }

    async fn wait_for_change(&mut self, until: Instant) -> Option<()> {
        let tenant = self.caller.tenant();
        let (shutdown, ends) = (self.app.core.shutdown.clone(), self.ends);
        tokio::select! {
            () = shutdown.cancelled() => None,
            () = tokio::time::sleep_until(ends) => None,
            () = tokio::time::sleep_until(until) => Some(()),
            () = heard(&mut self.changes, tenant) => Some(()),
        }
    }

    async fn is_newer(&self, before: &RealtimeMetrics) -> bool {
        let Ok(mut tx) = self.app.core.db.read(&self.caller.scope).await else {
            return false;
        };
        let version = version::current(&mut tx).await;
        version.is_ok_and(|version| version != before.data_version)
    }

    /// None while the database does not answer.
    async fn read(&self) -> Option<RealtimeMetrics> {
        let mut tx = self.app.core.db.read(&self.caller.scope).await.ok()?;
        let now = self.app.core.sources.now();
        numbers::read(&mut tx, now, &self.names).await.ok()
    }
}

/// Waits until the tenant's data changed, or may have.
async fn heard(changes: &mut Receiver<Uuid>, tenant: TenantId) {
    loop {
        match changes.recv().await {
            Ok(changed) if changed != tenant.as_uuid() => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
