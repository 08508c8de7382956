//! One call to a sibling, with its retries.

use std::sync::Arc;

use bytes::Bytes;
use bz_kernel::{ExposeSecret, SecretString};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

use super::breaker::longest_pause;
use super::{Inner, Sibling, SiblingError};
use crate::context::{self, DEADLINE_HEADER, REQUEST_ID_HEADER, TRACEPARENT_HEADER};
use crate::etag;
use crate::idempotency::KEY_HEADER;
use crate::problem::{PROBLEM_JSON, ProblemDocument};

/// Retries of a call that may be repeated.
const RETRIES: u32 = 2;

/// A call being put together.
pub struct Call {
    sibling: Sibling,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<serde_json::Result<Vec<u8>>>,
    insists: bool,
}

impl Call {
    pub(super) fn new(sibling: Sibling, method: Method, path: &str) -> Self {
        Self {
            sibling,
            method,
            path: path.to_owned(),
            headers: HeaderMap::new(),
            body: None,
            insists: false,
        }
    }

    /// Goes out also while the circuit is open: for who waits by itself between two calls, and is to notice soon that the
    /// sibling is back.
    #[must_use]
    pub const fn insisting(mut self) -> Self {
        self.insists = true;
        self
    }

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
            self.headers.insert(KEY_HEADER, value);
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

    /// Whether the call may be made twice. A version to change would be another one the second time.
    fn repeatable(&self) -> bool {
        self.method == Method::GET
            || self.headers.contains_key(KEY_HEADER)
            || (self.method == Method::PUT && !self.headers.contains_key(header::IF_MATCH))
    }

    async fn answer(mut self) -> Result<Bytes, SiblingError> {
        let inner = Arc::clone(&self.sibling.0);
        let name = inner.name;
        let body = match self.body.take().transpose() {
            Ok(body) => body.map(Bytes::from),
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
        let deadline = Instant::now() + limit;
        let tries = self.tries(&inner, body, deadline);
        timeout_at(deadline, tries).await.unwrap_or_else(|_| {
            // A client in a hurry says nothing about the sibling.
            if limit == inner.timeout {
                inner.breaker.failed();
            }
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
        body: Option<Bytes>,
        deadline: Instant,
    ) -> Result<Bytes, SiblingError> {
        let retries = if self.repeatable() { RETRIES } else { 0 };
        let (mut done, mut sent, mut last) = (0, false, None);
        loop {
            if !self.insists && !inner.breaker.allow() {
                return Err(SiblingError::Unavailable {
                    name: inner.name,
                    sent,
                    source: last,
                });
            }
            let answer = self.once(inner, body.clone(), deadline).await;
            let Err(Failed::Unreachable(source, now)) = answer else {
                inner.breaker.succeeded();
                return answer.map_err(|failed| failed.into_error(inner.name));
            };
            inner.breaker.failed();
            sent |= now;
            last = source;
            if done == retries {
                return Err(Failed::Unreachable(last, sent).into_error(inner.name));
            }
            sleep(longest_pause(done).mul_f64(inner.rng.unit())).await;
            done += 1;
        }
    }

    async fn once(
        &self,
        inner: &Inner,
        body: Option<Bytes>,
        deadline: Instant,
    ) -> Result<Bytes, Failed> {
        let url = format!("{}{}", inner.base.as_str().trim_end_matches('/'), self.path);
        let left = deadline.saturating_duration_since(Instant::now());
        let mut request = inner
            .http
            .request(self.method.clone(), url)
            .headers(self.headers.clone())
            .header(DEADLINE_HEADER, left.as_millis().to_string());
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body);
        }
        let answer = request.send().await.map_err(Failed::on_the_way)?;
        let status = answer.status();
        if status.is_server_error() {
            return Err(Failed::by_status(status, answer));
        }
        let is_problem = is_problem(answer.headers());
        let body = answer.bytes().await.map_err(Failed::on_the_way)?;
        if status.is_success() {
            return Ok(body);
        }
        let problem = is_problem
            .then(|| serde_json::from_slice(&body).ok())
            .flatten();
        Err(Failed::Refused(status, problem))
    }
}

/// How a try failed.
enum Failed {
    /// It did not answer, or answered that it cannot serve now: worth a retry, and counted by the breaker. With whether
    /// it may have got the request.
    Unreachable(Option<reqwest::Error>, bool),
    /// It failed at this very request, and would again. No reason to leave it alone: others' requests may be fine.
    Broken(Option<reqwest::Error>),
    /// It refused the request.
    Refused(StatusCode, Option<ProblemDocument>),
}

impl Failed {
    fn on_the_way(error: reqwest::Error) -> Self {
        let sent = !error.is_connect();
        Self::Unreachable(Some(error), sent)
    }

    fn by_status(status: StatusCode, answer: reqwest::Response) -> Self {
        let error = answer.error_for_status().err();
        match status {
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Self::Unreachable(error, true),
            _ => Self::Broken(error),
        }
    }

    fn into_error(self, name: &'static str) -> SiblingError {
        match self {
            Self::Unreachable(source, sent) => SiblingError::Unavailable { name, sent, source },
            Self::Broken(source) => SiblingError::Unavailable {
                name,
                sent: true,
                source,
            },
            Self::Refused(status, problem) => {
                let (code, detail, errors) = problem.map_or_else(Default::default, |problem| {
                    (problem.code, problem.detail, problem.errors)
                });
                SiblingError::Refused {
                    name,
                    status,
                    code,
                    detail,
                    errors,
                }
            }
        }
    }
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(PROBLEM_JSON.as_bytes()))
}

fn pass_on(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
