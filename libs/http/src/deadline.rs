//! The moment at which a request ends, and work that ends with it.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

/// When the answer to a request is of no use any more. Clones share it: when a handler asks for more time, everything
/// that works for the request has it.
#[derive(Debug, Clone)]
pub struct Deadline(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    moment: Mutex<Instant>,
    /// When the client stops waiting, if it said so. Nothing moves the deadline beyond this.
    client: Option<Instant>,
}

impl Deadline {
    /// The end of a request that began at `started`: at the service's `limit`, or earlier when the client asked for less.
    #[must_use]
    pub fn new(started: Instant, limit: Duration, asked: Option<Duration>) -> Self {
        let client = asked.and_then(|asked| started.checked_add(asked));
        let limit = started + limit;
        Self(Arc::new(Inner {
            moment: Mutex::new(client.map_or(limit, |client| client.min(limit))),
            client,
        }))
    }

    /// The moment.
    #[must_use]
    pub fn moment(&self) -> Instant {
        *self.0.moment.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the moment to `limit` from now, if that is later; never beyond what the client asked for.
    pub(crate) fn extend(&self, limit: Duration) {
        let wanted = Instant::now() + limit;
        let wanted = self.0.client.map_or(wanted, |client| client.min(wanted));
        let mut moment = self.0.moment.lock().unwrap_or_else(PoisonError::into_inner);
        *moment = wanted.max(*moment);
    }

    /// What the future answers, or `None` when the deadline comes first; it may move meanwhile.
    pub(crate) async fn bound<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        loop {
            let moment = self.moment();
            match timeout_at(moment.into(), &mut future).await {
                Ok(output) => return Some(output),
                Err(_) if self.moment() > moment => {}
                Err(_) => return None,
            }
        }
    }
}

impl From<Instant> for Deadline {
    fn from(moment: Instant) -> Self {
        Self::new(moment, Duration::ZERO, None)
    }
}
