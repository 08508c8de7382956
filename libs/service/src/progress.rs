//! Watching something that goes on in the background until it is over: server-sent events.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bz_auth::Caller;
use bz_tenant::{DbError, TenantTx};
use futures_util::{Stream, stream};
use http::HeaderMap;
use serde::Serialize;
use tokio::time::Instant;

use crate::Core;

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How often an idle stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What is watched, as it was read.
pub trait Watched: Sized + Send + Sync + 'static {
    /// The id of its event: another one whenever there is something new to tell. Visible ASCII.
    fn tag(&self) -> String;

    /// Whether nothing will change any more.
    fn is_over(&self) -> bool;

    /// The same as it is now; none when it is gone.
    fn again(
        &self,
        tx: &mut TenantTx,
    ) -> impl Future<Output = Result<Option<Self>, DbError>> + Send;
}

/// The events of `first` from now on, each with it as `shown` shows it then: `progress`, and at last `end`. Of what the client has
/// seen (`Last-Event-ID`) only the end is told once more, so that who comes back late learns that there is nothing to wait for.
/// The stream ends without it when the token does, when the process stops and when what is watched is gone.
pub fn events<W: Watched, T: Serialize + 'static>(
    core: &Core,
    caller: &Caller,
    headers: &HeaderMap,
    first: W,
    shown: fn(&W) -> T,
) -> Response {
    let seen = headers.get("last-event-id");
    let seen = seen.and_then(|id| id.to_str().ok()).unwrap_or_default();
    let watcher = Watcher {
        seen: seen.to_owned(),
        ends: Instant::now() + caller.token_left(core.sources.now()),
        core: core.clone(),
        caller: caller.clone(),
        now: first,
        shown,
    };
    let alive = KeepAlive::new().interval(HEARTBEAT).text("alive");
    Sse::new(told(watcher)).keep_alive(alive).into_response()
}

/// One stream. It looks only while its reader waits, so nothing piles up.
struct Watcher<W, T> {
    core: Core,
    caller: Caller,
    now: W,
    seen: String,
    ends: Instant,
    shown: fn(&W) -> T,
}

fn told<W: Watched, T: Serialize + 'static>(
    watcher: Watcher<W, T>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(Some(watcher), |watcher| async move {
        let mut watcher = watcher?;
        while watcher.now.tag() == watcher.seen && !watcher.now.is_over() {
            watcher.look().await?;
        }
        let over = watcher.now.is_over();
        watcher.seen = watcher.now.tag();
        let event = Event::default()
            .event(if over { "end" } else { "progress" })
            .id(&watcher.seen)
            .json_data((watcher.shown)(&watcher.now))
            .ok()?;
        Some((Ok(event), (!over).then_some(watcher)))
    })
}

impl<W: Watched, T> Watcher<W, T> {
    /// Looks again after a while; it stays as it was when the database does not answer. None when the stream is to end.
    async fn look(&mut self) -> Option<()> {
        tokio::select! {
            () = self.core.shutdown.cancelled() => return None,
            () = tokio::time::sleep_until(self.ends) => return None,
            () = tokio::time::sleep(LOOK) => {}
        }
        if let Ok(mut tx) = self.core.db.read(&self.caller.scope).await
            && let Ok(again) = self.now.again(&mut tx).await
        {
            self.now = again?;
        }
        Some(())
    }
}
