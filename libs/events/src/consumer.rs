//! Following a sibling's feed.

use std::time::Duration;

use anyhow::Context;
use bz_auth::ServiceTokens;
use bz_http::client::{Sibling, SiblingError};
use bz_kernel::ServiceInfo;
use http::StatusCode;
use serde::Deserialize;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{Envelope, Redis, channel, envelope::WireEvent, feed::MAX_LIMIT, redis::Subscription};

/// Without a wake-up the feed is looked at this often: dashboards follow within two seconds without Redis too.
const POLL: Duration = Duration::from_millis(500);
/// After a wake-up it is looked at again this soon, and then less and less often: an older transaction that is still
/// open, in whatever database of the server, holds the event back for a moment.
const POLL_AFTER_WAKE: Duration = Duration::from_millis(50);
/// Pauses after failures double from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a consumer does with events, and where it keeps its position.
pub trait EventHandler: Send + Sync {
    /// The position that was stored last; `None` before the first batch.
    fn position(&self) -> impl Future<Output = anyhow::Result<Option<String>>> + Send;

    /// Takes in a batch and stores `next`, the position behind it. A batch can come again, whole or in part, when the
    /// process ended or failed in between: an event that was taken in is known by its id.
    fn handle(
        &self,
        batch: Vec<Envelope>,
        next: &str,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Follows the feed of one sibling.
pub struct Consumer {
    /// Whose events.
    pub source: &'static ServiceInfo,
    /// The way to it.
    pub sibling: Sibling,
    /// The token that lets us in.
    pub tokens: ServiceTokens,
    /// What wakes us.
    pub redis: Redis,
}

/// The answer of `GET /internal/events`.
#[derive(Deserialize)]
struct Page {
    items: Vec<WireEvent>,
    next_cursor: String,
}

impl Consumer {
    /// Follows the feed until `stop`, and finishes the batch in hand then. Failures of the sibling, of the network and
    /// of the handler are tried again for ever: events wait, they are not skipped.
    pub async fn run(self, handler: impl EventHandler, stop: CancellationToken) {
        let mut hints = self.redis.subscribe(&[&channel(self.source.schema)]);
        let mut position = None;
        let mut poll = POLL;
        let mut failures = 0;
        while !stop.is_cancelled() {
            // What is heard from here on may be about events that the pull below does not see.
            hints.skip_heard();
            match self.turn(&handler, &mut position, &stop).await {
                Ok(count) => {
                    failures = 0;
                    if count > 0 {
                        poll = POLL;
                    }
                    if count < usize::from(MAX_LIMIT) {
                        let woken = until(&stop, woken_within(poll, &mut hints)).await;
                        poll = if woken == Some(true) {
                            POLL_AFTER_WAKE
                        } else {
                            (poll * 2).min(POLL)
                        };
                    }
                }
                Err(error) => {
                    self.report(&error, failures);
                    // It is not known whether the handler stored a position.
                    position = None;
                    until(&stop, sleep(pause_after(failures))).await;
                    failures += 1;
                }
            }
        }
    }

    /// Pulls once and hands over what came. Answers how many events that were.
    async fn turn(
        &self,
        handler: &impl EventHandler,
        position: &mut Option<String>,
        stop: &CancellationToken,
    ) -> anyhow::Result<usize> {
        if position.is_none() {
            *position = handler
                .position()
                .await
                .context("the position in the feed cannot be read")?;
        }
        let Some(pulled) = until(stop, self.pull(position.as_deref())).await else {
            return Ok(0);
        };
        let Page { items, next_cursor } = pulled?;
        let count = items.len();
        if count > 0 {
            let batch: Vec<Envelope> = items.into_iter().map(WireEvent::trusted).collect();
            let span = tracing::info_span!(
                "events.consume",
                events.source = self.source.name,
                events.count = count
            );
            // Not bound to `stop`: the batch in hand is finished.
            let handled = handler.handle(batch, &next_cursor).instrument(span).await;
            handled.context("the events could not be taken in")?;
            metrics::counter!("events_consumed_total", "source" => self.source.name)
                .increment(count as u64);
        }
        *position = Some(next_cursor);
        Ok(count)
    }

    async fn pull(&self, after: Option<&str>) -> anyhow::Result<Page> {
        let token = self.tokens.get().await?;
        // A cursor is of digits and a dash.
        let path = match after {
            Some(after) => format!("/internal/events?limit={MAX_LIMIT}&after={after}"),
            None => format!("/internal/events?limit={MAX_LIMIT}"),
        };
        let call = self.sibling.get(&path).bearer(&token).insisting();
        let answer = call.send::<Page>().await;
        if let Err(SiblingError::Refused {
            status: StatusCode::UNAUTHORIZED,
            ..
        }) = &answer
        {
            // The key that signed it may be gone.
            self.tokens.forget();
        }
        Ok(answer?)
    }

    fn report(&self, error: &anyhow::Error, failures: u32) {
        metrics::counter!("events_consumer_failures_total", "source" => self.source.name)
            .increment(1);
        let (source, error) = (self.source.name, format!("{error:#}"));
        // A sibling that restarts is worth no warning; one that stays away is worth one a minute.
        if failures % 12 == 5 {
            tracing::warn!(
                events.source = source,
                error,
                "events wait: they could not be taken in for a while"
            );
        } else {
            tracing::debug!(events.source = source, error, "events wait");
        }
    }
}

fn pause_after(failures: u32) -> Duration {
    (FIRST_PAUSE * 2_u32.saturating_pow(failures.min(10))).min(LONGEST_PAUSE)
}

/// Waits for a wake-up, but no longer than `poll`. Answers whether there was one.
async fn woken_within(poll: Duration, hints: &mut Subscription) -> bool {
    tokio::time::timeout(poll, hints.next()).await.is_ok()
}

/// Runs a future, but no longer than until `stop`.
async fn until<T>(stop: &CancellationToken, future: impl Future<Output = T>) -> Option<T> {
    stop.run_until_cancelled(future).await
}
