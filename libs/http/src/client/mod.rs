//! The client to sibling services: time limits, retries of what may be repeated, a circuit breaker, and the request's
//! id, trace and remaining time passed on.

mod breaker;
mod call;

use std::sync::Arc;
use std::time::Duration;

use bz_kernel::{Rng, Sources};
use http::{Method, StatusCode};
use url::Url;

use crate::{FieldError, Problem};
use breaker::Breaker;
pub use call::Call;

/// Longest time for one call with all its retries, when the request in hand has no less.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest time for a connection to open.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// A sibling service. Cheap to clone; clones share connections and the circuit breaker.
#[derive(Clone)]
pub struct Sibling(Arc<Inner>);

struct Inner {
    name: &'static str,
    base: Url,
    http: reqwest::Client,
    breaker: Breaker,
    rng: Rng,
    timeout: Duration,
}

/// Why a call brought no result.
#[derive(Debug, thiserror::Error)]
pub enum SiblingError {
    /// The sibling does not answer, answers that it cannot, or is left alone because it kept failing.
    #[error("{name} is unavailable")]
    Unavailable {
        /// The sibling.
        name: &'static str,
        /// Whether a try got as far as a connection: the sibling may have done what was asked.
        sent: bool,
        /// What the last try ended with; none when no try was made.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// The sibling refused the request.
    #[error("{name} answered {status} {code}")]
    Refused {
        /// The sibling.
        name: &'static str,
        /// The status, a 4xx.
        status: StatusCode,
        /// The problem's code; empty when the answer was no problem document.
        code: String,
        /// What the problem says.
        detail: Option<String>,
        /// The faults that it lists.
        errors: Vec<FieldError>,
    },
    /// The sibling's answer is not what its document promises.
    #[error("the answer of {name} cannot be read")]
    Malformed {
        /// The sibling.
        name: &'static str,
        /// Where it differs.
        #[source]
        source: serde_json::Error,
    },
}

impl From<SiblingError> for Problem {
    /// A sibling that is not there makes this service unavailable; everything else is a mistake between us.
    fn from(error: SiblingError) -> Self {
        match error {
            SiblingError::Unavailable { .. }
            | SiblingError::Refused {
                status: StatusCode::TOO_MANY_REQUESTS,
                ..
            } => Self::unavailable(error),
            SiblingError::Refused { .. } | SiblingError::Malformed { .. } => Self::internal(error),
        }
    }
}

impl Sibling {
    /// The sibling at `base`.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(name: &'static str, base: &Url, sources: &Sources) -> reqwest::Result<Self> {
        Self::with_timeout(name, base, sources, TOTAL_TIMEOUT)
    }

    /// The same with another time limit, for siblings that work long (an LLM).
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn with_timeout(
        name: &'static str,
        base: &Url,
        sources: &Sources,
        timeout: Duration,
    ) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            // Shorter than any server's keep-alive, so that no call goes out on a connection that is being closed.
            .pool_idle_timeout(Duration::from_secs(10))
            .tcp_nodelay(true)
            // Siblings are inside the cluster: a proxy of the environment is for the world outside, and a redirect could
            // lead a token out.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let (breaker, rng) = (Breaker::new(sources.clock.clone()), sources.rng.clone());
        Ok(Self(Arc::new(Inner {
            name,
            base: base.clone(),
            http,
            breaker,
            rng,
            timeout,
        })))
    }

    /// A `GET` of a path, which may have a query.
    #[must_use]
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// A `POST`; repeated only with an idempotency key.
    #[must_use]
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// A `PUT`.
    #[must_use]
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// A `PATCH`; not repeated.
    #[must_use]
    pub fn patch(&self, path: &str) -> Call {
        self.call(Method::PATCH, path)
    }

    /// A `DELETE`; not repeated, because the second answer would be 404.
    #[must_use]
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.clone(), method, path)
    }
}
