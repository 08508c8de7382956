//! The client to sibling services: time limits, retries of what may be repeated, a circuit breaker, and the request's
//! id, trace and remaining time passed on.

mod breaker;

use std::sync::Arc;
use std::time::Duration;

use bz_kernel::{ExposeSecret, Rng, SecretString, Sources};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::context::{self, DEADLINE_HEADER, REQUEST_ID_HEADER, TRACEPARENT_HEADER};
use crate::problem::{PROBLEM_JSON, ProblemDocument};
use crate::{FieldError, Problem, etag};
use breaker::{Breaker, longest_pause};

/// Longest time for one call with all its retries, when the request in hand has no less.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest time for a connection to open.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// Retries of a call that may be repeated.
const RETRIES: u32 = 2;

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
            SiblingError::Unavailable { .. } => Self::unavailable(error),
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
        let repeatable = matches!(method, Method::GET | Method::PUT);
        Call {
            sibling: self.clone(),
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: None,
            repeatable,
        }
    }
}

/// A call being put together.
pub struct Call {
    sibling: Sibling,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<serde_json::Result<Vec<u8>>>,
    repeatable: bool,
}

impl Call {
    /// Sends a token.
    #[must_use]
    pub fn bearer(mut self, token: &SecretString) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())) {
            value.set_sensitive(true);
            self.headers.insert(header::AUTHORIZATION, value);
        }
        self
    }

    /// Sends an idempotency key (visible ASCII), which makes the call repeatable.
    #[must_use]
    pub fn idempotency_key(mut self, key: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(key) {
            self.headers.insert("idempotency-key", value);
            self.repeatable = true;
        }
        self
    }

    /// Asks for the call to be made only on that version of the record.
    #[must_use]
    pub fn if_match(mut self, version: i64) -> Self {
        self.headers.insert(header::IF_MATCH, etag(version));
        self
    }

    /// Sends a JSON body.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.body = Some(serde_json::to_vec(body));
        self
    }

    /// Makes the call and reads the answer.
    ///
    /// # Errors
    /// [`SiblingError`].
    pub async fn send<T: DeserializeOwned>(self) -> Result<T, SiblingError> {
        let name = self.sibling.0.name;
        let body = self.answer().await?;
        serde_json::from_slice(&body).map_err(|source| SiblingError::Malformed { name, source })
    }

    /// Makes the call; the answer has no body that matters.
    ///
    /// # Errors
    /// [`SiblingError`].
    pub async fn send_empty(self) -> Result<(), SiblingError> {
        self.answer().await.map(drop)
    }

    async fn answer(mut self) -> Result<bytes::Bytes, SiblingError> {
        let inner = Arc::clone(&self.sibling.0);
        let name = inner.name;
        let body = match self.body.take().transpose() {
            Ok(body) => body.map(bytes::Bytes::from),
            Err(source) => return Err(SiblingError::Malformed { name, source }),
        };
        let context = context::current();
        let limit = context.as_ref().map_or(inner.timeout, |context| {
            context.remaining().min(inner.timeout)
        });
        if let Some(context) = context {
            pass_on(&mut self.headers, REQUEST_ID_HEADER, &context.request_id);
            pass_on(&mut self.headers, TRACEPARENT_HEADER, &context.traceparent);
        }
        let retries = if self.repeatable { RETRIES } else { 0 };
        let deadline = tokio::time::Instant::now() + limit;
        tokio::time::timeout_at(deadline, self.tries(&inner, body, retries, deadline))
            .await
            .unwrap_or_else(|_| {
                inner.breaker.failed();
                Err(SiblingError::Unavailable {
                    name,
                    sent: true,
                    source: None,
                })
            })
    }

    async fn tries(
        &self,
        inner: &Inner,
        body: Option<bytes::Bytes>,
        retries: u32,
        deadline: tokio::time::Instant,
    ) -> Result<bytes::Bytes, SiblingError> {
        let (mut done, mut sent) = (0, false);
        loop {
            if !inner.breaker.allow() {
                return Err(SiblingError::Unavailable {
                    name: inner.name,
                    sent,
                    source: None,
                });
            }
            let error = match self.once(inner, body.clone(), deadline).await {
                Err(SiblingError::Unavailable {
                    name,
                    sent: now,
                    source,
                }) => {
                    sent |= now;
                    SiblingError::Unavailable { name, sent, source }
                }
                other => {
                    inner.breaker.succeeded();
                    return other;
                }
            };
            inner.breaker.failed();
            if done == retries {
                return Err(error);
            }
            tokio::time::sleep(longest_pause(done).mul_f64(inner.rng.unit())).await;
            done += 1;
        }
    }

    async fn once(
        &self,
        inner: &Inner,
        body: Option<bytes::Bytes>,
        deadline: tokio::time::Instant,
    ) -> Result<bytes::Bytes, SiblingError> {
        let name = inner.name;
        let unavailable = |source: reqwest::Error| SiblingError::Unavailable {
            name,
            sent: !source.is_connect(),
            source: Some(source),
        };
        let url = format!("{}{}", inner.base.as_str().trim_end_matches('/'), self.path);
        let left = deadline
            .saturating_duration_since(tokio::time::Instant::now())
            .as_millis();
        let mut request = inner
            .http
            .request(self.method.clone(), url)
            .headers(self.headers.clone())
            .header(DEADLINE_HEADER, left.to_string());
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body);
        }
        let answer = request.send().await.map_err(unavailable)?;
        let status = answer.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(SiblingError::Unavailable {
                name,
                sent: true,
                source: answer.error_for_status().err(),
            });
        }
        let is_problem = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind == PROBLEM_JSON);
        let body = answer.bytes().await.map_err(unavailable)?;
        if status.is_success() {
            return Ok(body);
        }
        let problem = is_problem
            .then(|| serde_json::from_slice::<ProblemDocument>(&body).ok())
            .flatten();
        let (code, detail, errors) =
            problem.map_or_else(Default::default, |p| (p.code, p.detail, p.errors));
        Err(SiblingError::Refused {
            name,
            status,
            code,
            detail,
            errors,
        })
    }
}

fn pass_on(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
