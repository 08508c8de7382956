use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use bz_auth::Can;
use bz_http::{Path, Problem};
use bz_kernel::RunId;
use bz_tenant::{DbError, TenantScope};
use chrono::{DateTime, Utc};
use futures_util::{Stream, stream};
use http::HeaderMap;
use serde_json::{Value, json};
use sqlx::query_as;
use std::collections::VecDeque;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::{
    RunStatus, RunsRead,
    deltas::Deltas,
    store, whose,
    worker::{News, Watch},
};
use crate::app::AppState;

/// One event of the stream, by the names of its lines.
#[derive(ToSchema)]
#[expect(dead_code, reason = "documents the lines of an event")]
pub(super) struct RunEvent {
    /// What happened.
    #[schema(example = "run.completed")]
    event: String,
    /// Its number: what `Last-Event-ID` says later. `llm.delta` has none.
    #[schema(example = "7")]
    id: Option<String>,
    /// JSON: `run_id`, `seq`, `time`, and what belongs to the kind of event.
    data: String,
}

/// How often a stream without news says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a stream looks by itself: for what another process wrote.
const LOOK: Duration = Duration::from_millis(500);
/// How many events are read at once.
const BATCH: i64 = 200;

/// Watch a run: server-sent events, from its beginning to its end.
///
/// Every event has `run_id`, `seq` and `time` in its data, and `seq` as its id: with it in `Last-Event-ID` a client that was cut
/// off reads on behind it. The stream ends when the run is over and everything was told, or when the token ends.
///
/// `llm.delta` is a piece of what a model says, between `llm.started` and `llm.completed` of its question (`path`), with the number of
/// characters before it as `offset`. It is not stored: it has neither `seq` nor id, comes from the process that does the run, and
/// whoever reads on gets the text so far, from `offset` 0.
#[utoipa::path(
    get, path = "/api/runs/{id}/events", tag = "runs",
    security(("bearer" = ["runs:read"])),
    params(
        ("id" = RunId, Path, description = "The run"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen"),
    ),
    responses(
        (status = 200, description = "Events", body = RunEvent, content_type = "text/event-stream"),
        bz_http::openapi::ReadProblems,
    ),
)]
pub(super) async fn stream_run_events(
    State(app): State<AppState>,
    caller: Can<RunsRead>,
    Path(id): Path<RunId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    let run = store::find(&mut tx, id, whose(&caller)).await?;
    run.ok_or_else(Problem::not_found)?;
    let news = app.runs.hub().watch(id);
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let seen = seen.and_then(|id| id.parse().ok()).unwrap_or(0);
    let deltas = Deltas::behind(&mut tx, (id, seen), &news).await?;
    drop(tx);
    let watcher = Watcher {
        ends: Instant::now() + caller.token_left(app.core.sources.now()),
        scope: caller.scope,
        look: Instant::now(),
        ready: VecDeque::new(),
        run: id,
        seen,
        deltas,
        news,
        app,
    };
    let alive = KeepAlive::new().interval(HEARTBEAT).text("heartbeat");
    Ok(Sse::new(events(watcher)).keep_alive(alive).into_response())
}

/// A stored event.
type Told = (i64, String, DateTime<Utc>, Value);

/// One stream. It reads only when its reader asks for the next event, so nothing piles up.
struct Watcher {
    app: AppState,
    scope: TenantScope,
    run: RunId,
    seen: i64,
    ready: VecDeque<Told>,
    deltas: Deltas,
    news: Watch,
    /// When it looks at what is stored.
    look: Instant,
    ends: Instant,
}

fn events(watcher: Watcher) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await?;
        Some((Ok(event), watcher))
    })
}

impl Watcher {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.stored() {
                return Some(event);
            }
            if self.look <= Instant::now() {
                self.look = Instant::now() + LOOK;
                // The state is read before the events: what a run told at its end is never missed.
                match self.read().await {
                    Ok(true) if self.ready.is_empty() => return None,
                    Ok(_) if !self.ready.is_empty() => continue,
                    Ok(_) => {}
                    Err(error) => self.late(&error),
                }
            }
            if let Some(data) = self.deltas.next() {
                return Some(self.delta(data));
            }
            self.wait().await?;
        }
    }

    /// The next stored event, and before it the rest of an answer that it ends.
    fn stored(&mut self) -> Option<Event> {
        let (_, kind, _, data) = self.ready.front()?;
        if let Some(rest) = self.deltas.before(kind, data) {
            return Some(self.delta(rest));
        }
        let (seq, kind, at, data) = self.ready.pop_front()?;
        self.seen = seq;
        self.deltas.told(&self.news, &kind, &data);
        Some(shown(self.run, (seq, &kind, at), data))
    }

    fn delta(&self, mut data: Value) -> Event {
        data["run_id"] = json!(self.run);
        data["time"] = json!(self.app.core.sources.now());
        Event::default().event("llm.delta").data(data.to_string())
    }

    fn late(&self, error: &DbError) {
        let error = error as &dyn std::error::Error;
        tracing::warn!(error, run.id = %self.run, "a stream of a run's events waits for the database");
    }

    /// Reads on; answers whether the run is over.
    async fn read(&mut self) -> Result<bool, DbError> {
        let mut tx = self.app.core.db.read(&self.scope).await?;
        let status: Option<(String,)> =
            query_as("-- ai.runs.status\nSELECT status FROM ai.runs WHERE id = $1")
                .bind(self.run.as_uuid())
                .fetch_optional(tx.conn())
                .await?;
        let rows: Vec<Told> = query_as(
            "-- ai.run_events.list\n\
             SELECT seq, kind, at, data FROM ai.run_events WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        )
        .bind(self.run.as_uuid())
        .bind(self.seen)
        .bind(BATCH)
        .fetch_all(tx.conn())
        .await?;
        self.ready = rows.into();
        Ok(status.is_none_or(|(status,)| RunStatus::of(&status).is_over()))
    }

    /// Until there may be news; none when the stream is over.
    async fn wait(&mut self) -> Option<()> {
        loop {
            tokio::select! {
                () = self.app.core.shutdown.cancelled() => return None,
                () = tokio::time::sleep_until(self.ends) => return None,
                () = tokio::time::sleep_until(self.look) => return Some(()),
                news = self.news.recv() => match news {
                    Ok(News::Told(run) | News::Said(run)) if run != self.run => {}
                    Ok(News::Said(_)) => return Some(()),
                    _ => {
                        self.look = Instant::now();
                        return Some(());
                    }
                },
            }
        }
    }
}

fn shown(run: RunId, (seq, kind, at): (i64, &str, DateTime<Utc>), mut data: Value) -> Event {
    data["run_id"] = json!(run);
    data["seq"] = json!(seq);
    data["time"] = json!(at);
    let text = data.to_string();
    Event::default().event(kind).id(seq.to_string()).data(text)
}
