//! Where keys come from, and how long they serve.

use std::sync::{
    Arc, Mutex, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use bz_kernel::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{DecodingKey, jwk::JwkSet};
use url::Url;

use super::{AuthError, cache::TokenCache, key_set::KeySet};

/// How long keys are used before identity is asked again.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// How much longer they serve when identity does not answer.
const STALE: TimeDelta = TimeDelta::hours(1);
/// Unknown key ids, which anybody can send, cost identity at most one question in this time.
const BETWEEN_FETCHES: TimeDelta = TimeDelta::seconds(30);
/// Without any usable key nothing works, so that identity is asked more often.
const BETWEEN_FETCHES_WITHOUT_KEYS: TimeDelta = TimeDelta::seconds(1);
/// How long one question may take.
const FETCH_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(2);

/// The keys, with the rules of when they are fetched.
pub(super) struct KeyStore(Arc<Shared>);

struct Shared {
    clock: Clock,
    remote: Option<Remote>,
    current: RwLock<Current>,
    /// Held while a fetch is under way, so that there is one at a time.
    fetching: Arc<tokio::sync::Mutex<()>>,
    asked_at: Mutex<Option<DateTime<Utc>>>,
    answers: AtomicU64,
    /// Emptied when a key is gone.
    verified: Arc<TokenCache>,
}

struct Remote {
    url: Url,
    client: reqwest::Client,
}

#[derive(Default)]
struct Current {
    keys: KeySet,
    since: Option<DateTime<Utc>>,
}

/// How good the keys at hand are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Fresh,
    Stale,
    Unusable,
}

impl KeyStore {
    pub(super) fn remote(
        url: Url,
        client: reqwest::Client,
        clock: Clock,
        verified: Arc<TokenCache>,
    ) -> Self {
        Self::new(clock, Some(Remote { url, client }), verified)
    }

    pub(super) fn local(clock: Clock, verified: Arc<TokenCache>) -> Self {
        Self::new(clock, None, verified)
    }

    fn new(clock: Clock, remote: Option<Remote>, verified: Arc<TokenCache>) -> Self {
        Self(Arc::new(Shared {
            clock,
            remote,
            current: RwLock::default(),
            fetching: Arc::default(),
            asked_at: Mutex::default(),
            answers: AtomicU64::new(0),
            verified,
        }))
    }

    /// Replaces the keys.
    pub(super) fn install(&self, keys: KeySet) {
        self.0.replace(keys);
    }

    /// The key named `kid`.
    pub(super) async fn find(&self, kid: &str) -> Result<Arc<DecodingKey>, AuthError> {
        match self.0.get(kid) {
            (Age::Fresh, Some(key)) => Ok(key),
            (Age::Stale, Some(key)) => {
                // Identity may be down. Nobody waits for it while the old keys are good enough.
                drop(self.0.start_fetch_if_idle());
                Ok(key)
            }
            _ => self.find_after_asking(kid).await,
        }
    }

    async fn find_after_asking(&self, kid: &str) -> Result<Arc<DecodingKey>, AuthError> {
        self.0.fetch().await;
        match self.0.get(kid) {
            (Age::Fresh | Age::Stale, Some(key)) => Ok(key),
            (Age::Fresh, None) => Err(AuthError::Invalid("unknown key")),
            _ => Err(AuthError::KeysUnavailable),
        }
    }
}

impl Shared {
    fn get(&self, kid: &str) -> (Age, Option<Arc<DecodingKey>>) {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        (self.age(current.since), current.keys.get(kid))
    }

    fn age(&self, since: Option<DateTime<Utc>>) -> Age {
        let Some(since) = since else {
            return Age::Unusable;
        };
        let age = self.clock.now() - since;
        if self.remote.is_none() || age < FRESH {
            Age::Fresh
        } else if age < FRESH + STALE {
            Age::Stale
        } else {
            Age::Unusable
        }
    }

    fn replace(&self, keys: KeySet) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let gone = current.keys.loses_a_key(&keys);
        *current = Current {
            keys,
            since: Some(self.clock.now()),
        };
        drop(current);
        if gone {
            self.verified.clear();
        }
    }

    /// Asks identity, or waits for the answer that somebody else asked for.
    async fn fetch(self: &Arc<Self>) {
        let seen = self.answers.load(Ordering::Acquire);
        let turn = Arc::clone(&self.fetching).lock_owned().await;
        if self.answers.load(Ordering::Acquire) == seen
            && let Some(task) = self.start_fetch(turn)
        {
            // The task goes on when the client hangs up: what it was asked for is good for the next one.
            let _ = task.await;
        }
    }

    fn start_fetch_if_idle(self: &Arc<Self>) -> Option<tokio::task::JoinHandle<()>> {
        let turn = Arc::clone(&self.fetching).try_lock_owned().ok()?;
        self.start_fetch(turn)
    }

    fn start_fetch(
        self: &Arc<Self>,
        turn: tokio::sync::OwnedMutexGuard<()>,
    ) -> Option<tokio::task::JoinHandle<()>> {
        self.remote.as_ref()?;
        if !self.may_ask() {
            return None;
        }
        let this = Arc::clone(self);
        Some(tokio::spawn(async move {
            this.ask().await;
            this.answers.fetch_add(1, Ordering::Release);
            drop(turn);
        }))
    }

    fn may_ask(&self) -> bool {
        let since = self
            .current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .since;
        let pause = match self.age(since) {
            Age::Fresh | Age::Stale => BETWEEN_FETCHES,
            Age::Unusable => BETWEEN_FETCHES_WITHOUT_KEYS,
        };
        let now = self.clock.now();
        let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock may have been set back; `abs` keeps that from silencing us for as long.
        let may = asked_at.is_none_or(|at| (now - at).abs() >= pause);
        if may {
            *asked_at = Some(now);
        }
        may
    }

    async fn ask(&self) {
        let Some(remote) = &self.remote else { return };
        let answer = async {
            let response = remote
                .client
                .get(remote.url.clone())
                .timeout(FETCH_TIMEOUT)
                .send()
                .await?;
            response.error_for_status()?.json::<JwkSet>().await
        };
        match answer.await.map(|jwks| KeySet::of(&jwks)) {
            Ok(keys) if keys.is_empty() => {
                tracing::warn!(jwks.url = %remote.url, "identity publishes no usable key");
            }
            Ok(keys) => self.replace(keys),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(jwks.url = %remote.url, error, "the signing keys of identity could not be fetched");
            }
        }
    }
}
