//! Following identity's revocations, so that a token that was revoked is refused here within a second.
//!
//! They are asked for at the start, when Redis says that something happened in identity, and otherwise every
//! `POLL`; once in `RELOAD` from the beginning, which also lets go of what does not matter any more. While identity
//! is away the ones at hand stay in force, and new ones are learnt `POLL` after it is back. A service that starts while
//! identity is away serves: it has no keys to verify tokens with before it has reached identity.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bz_auth::{RevocationPage, ServiceTokens, Verifier};
use bz_events::{Redis, channel};
use bz_kernel::{ExposeSecret, platform};
use http::{StatusCode, header};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::app::Job;
use crate::core::{Core, to_identity};

/// Without a wake-up the revocations are asked for this often.
pub const POLL: Duration = Duration::from_millis(700);
/// The shortest time between two questions: it bounds what a burst of changes costs.
const BETWEEN: Duration = Duration::from_millis(20);
/// How often all of them are asked for again.
const RELOAD: Duration = Duration::from_secs(300);
/// How long a start waits for the first answer.
const AT_START: Duration = Duration::from_millis(250);
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where revocations are read.
pub trait Source: Send + Sync + 'static {
    /// Those that were not there at `after`, which is the `next` of an earlier answer; all that matter without.
    fn read(
        &self,
        after: Option<&str>,
    ) -> impl Future<Output = anyhow::Result<RevocationPage>> + Send;
}

/// Puts what a source tells into a verifier.
pub struct Follower<S> {
    source: S,
    verifier: Verifier,
    redis: Redis,
    nudge: Arc<Notify>,
    position: Option<String>,
    loaded_at: Option<Instant>,
    failures: u32,
}

impl<S: Source> Follower<S> {
    /// A follower for the verifier of `core`. `nudge` wakes it, as Redis does.
    #[must_use]
    pub fn new(core: &Core, source: S, nudge: Arc<Notify>) -> Self {
        Self {
            source,
            verifier: core.verifier.clone(),
            redis: core.redis.clone(),
            nudge,
            position: None,
            loaded_at: None,
            failures: 0,
        }
    }

    /// Asks once.
    ///
    /// # Errors
    /// When the source does not answer; the revocations at hand stay in force.
    pub async fn turn(&mut self) -> anyhow::Result<()> {
        let asked = Instant::now();
        if self.loaded_at.is_some_and(|at| at.elapsed() >= RELOAD) {
            self.position = None;
        }
        let from_the_beginning = self.position.is_none();
        let page = match self.source.read(self.position.as_deref()).await {
            Ok(page) => page,
            Err(error) => {
                // Should it be the position that is not understood.
                self.position = None;
                return Err(error);
            }
        };
        let known = self.verifier.revocations();
        if from_the_beginning {
            known.replace(&page);
            self.loaded_at = Some(asked);
        } else {
            known.add(&page);
        }
        metrics::gauge!("revocations_known").set(known.count() as f64);
        self.position = Some(page.next);
        Ok(())
    }

    /// The job that goes on asking.
    #[must_use]
    pub fn job(self) -> Job {
        Job::new("revocations", async move |stop| {
            self.run(stop).await;
            Ok(())
        })
    }

    async fn run(mut self, stop: CancellationToken) {
        let mut hints = self.redis.subscribe(&[&channel(platform::IDENTITY.schema)]);
        let work = async {
            loop {
                // What is heard from here on may be about revocations that the question below does not see.
                hints.skip_heard();
                let answer = self.turn().await;
                self.report(answer.err());
                sleep(BETWEEN).await;
                let woken = async {
                    tokio::select! {
                        _ = hints.next() => {}
                        () = self.nudge.notified() => {}
                    }
                };
                let _ = timeout(POLL, woken).await;
            }
        };
        stop.run_until_cancelled(work).await;
    }

    fn report(&mut self, error: Option<anyhow::Error>) {
        let Some(error) = error else {
            if self.failures > 0 {
                tracing::info!("revocations are followed again");
            }
            self.failures = 0;
            return;
        };
        self.failures = self.failures.saturating_add(1);
        metrics::counter!("revocations_follow_failures_total").increment(1);
        let error = format!("{error:#}");
        // Identity that restarts is worth no warning; one that stays away is worth one a minute.
        if self.failures % 86 == 5 {
            tracing::warn!(
                error,
                "revocations cannot be followed: those at hand stay in force"
            );
        } else {
            tracing::debug!(error, "revocations cannot be followed");
        }
    }
}

/// Identity's feed, for its siblings.
struct Feed {
    url: Url,
    client: reqwest::Client,
    tokens: ServiceTokens,
}

impl Source for Feed {
    async fn read(&self, after: Option<&str>) -> anyhow::Result<RevocationPage> {
        let token = self.tokens.get().await?;
        let mut url = self.url.clone();
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after", after);
        }
        let request = self
            .client
            .get(url)
            .timeout(PATIENCE)
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", token.expose_secret()),
            )
            .send();
        let answer = request.await.map_err(reqwest::Error::without_url)?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            // The key that signed it may be gone.
            self.tokens.forget();
        }
        let answer = answer.error_for_status()?;
        serde_json::from_slice(&answer.bytes().await?).context("identity's answer cannot be read")
    }
}

/// The job of a service; none for identity, which reads its own table.
///
/// # Errors
/// When the HTTP client cannot be built.
pub fn job(core: &Core) -> anyhow::Result<Option<Job>> {
    Ok(follower(core)?.map(Follower::job))
}

/// The same after the first question was answered, or was not for a moment.
pub(crate) async fn started(core: &Core) -> Option<Job> {
    let follower = follower(core).unwrap_or_else(|error| {
        tracing::error!(error = format!("{error:#}"), "revocations are not followed");
        None
    });
    let mut follower = follower?;
    if let Ok(Err(error)) = timeout(AT_START, follower.turn()).await {
        follower.report(Some(error));
    }
    Some(follower.job())
}

fn follower(core: &Core) -> anyhow::Result<Option<Follower<Feed>>> {
    if core.info.name == platform::IDENTITY.name {
        return Ok(None);
    }
    let feed = Feed {
        url: core.siblings.identity.join("/internal/revocations")?,
        client: to_identity()?,
        tokens: core.tokens.clone(),
    };
    Ok(Some(Follower::new(core, feed, Arc::default())))
}
