//! Requests to addresses that a tenant gives: webhooks, imports, tools. They must not reach what only this network can
//! reach ("server-side request forgery", CWE-918).
//!
//! https only, names resolved once and every address checked, the connection made to exactly these addresses, no
//! redirects, limits of time and size. The operator may allow more with an [`EgressPolicy`].

mod address;
mod policy;
mod resolver;

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use reqwest::redirect;

pub use address::not_public;
pub use policy::{EgressPolicy, RefusedUrl};
use resolver::{Guard, RefusedAddress};
pub use resolver::{Looking, Lookup, SystemLookup};

/// Limits of one request.
#[derive(Clone, Copy, Debug)]
pub struct EgressLimits {
    /// The longest time from the name's lookup to the end of the answer.
    pub total: Duration,
    /// The longest time for a connection to open.
    pub connect: Duration,
    /// The most of an answer that is read, in bytes; the rest is not waited for.
    pub answer: usize,
}

impl Default for EgressLimits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(10),
            connect: Duration::from_secs(5),
            answer: 64 * 1024,
        }
    }
}

/// The way out. Cheap to clone.
#[derive(Clone)]
pub struct Egress {
    policy: EgressPolicy,
    client: reqwest::Client,
    limits: EgressLimits,
}

/// What the other side answered.
#[derive(Debug, Clone)]
pub struct EgressAnswer {
    /// The status, also that of a redirect, which is not followed.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, cut at the limit.
    pub body: Bytes,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why there is no answer. The texts name no addresses: whoever gave the host may read them.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The address cannot be one to send to.
    #[error("the address is refused: {0}")]
    Url(#[source] RefusedUrl),
    /// The host has an address that must not be called.
    #[error("the host has an address that must not be called")]
    Address,
    /// There was no whole answer in time.
    #[error("no answer in time")]
    Timeout,
    /// There was no connection: no such name, nobody there, no trusted certificate.
    #[error("no connection")]
    Connect(#[source] reqwest::Error),
    /// The connection broke, or what was answered is not HTTP.
    #[error("the connection broke")]
    Broken(#[source] reqwest::Error),
}

impl EgressError {
    /// The error for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Url(_) => "url_refused",
            Self::Address => "address_refused",
            Self::Timeout => "timeout",
            Self::Connect(_) => "no_connection",
            Self::Broken(_) => "connection_broken",
        }
    }
}

impl Egress {
    /// The way out under a policy.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(policy: EgressPolicy, limits: EgressLimits) -> reqwest::Result<Self> {
        Self::with_lookup(policy, limits, Arc::new(SystemLookup))
    }

    /// The same with another resolver.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn with_lookup(
        policy: EgressPolicy,
        limits: EgressLimits,
        lookup: Arc<dyn Lookup>,
    ) -> reqwest::Result<Self> {
        let guard = Guard {
            policy: policy.clone(),
            lookup,
        };
        let builder = reqwest::Client::builder()
            .user_agent(concat!("BizOSaaS/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(guard))
            .redirect(redirect::Policy::none())
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            // Every request resolves and checks anew.
            .pool_max_idle_per_host(0)
            .tcp_nodelay(true)
            .referer(false)
            // The environment's proxy is for siblings of this process, not for what tenants name.
            .no_proxy();
        let builder = match policy.proxy() {
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.clone())?),
            None => builder,
        };
        Ok(Self {
            client: builder.build()?,
            policy,
            limits,
        })
    }

    /// What addresses are allowed, to check one when it is given.
    #[must_use]
    pub const fn policy(&self) -> &EgressPolicy {
        &self.policy
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<EgressAnswer, EgressError> {
        let started = Instant::now();
        let mut stream = self.open(method, url, headers, body).await?;
        let mut body = BytesMut::new();
        while let Some(piece) = stream.chunk().await? {
            body.extend_from_slice(&piece);
        }
        Ok(EgressAnswer {
            status: stream.status,
            headers: stream.headers,
            body: body.freeze(),
            elapsed: started.elapsed(),
        })
    }

    /// Sends a request and leaves it to the caller to read the body, for answers that come piece by piece. The limits are the
    /// same.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn open(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<EgressStream, EgressError> {
        let url = self.policy.check(url).map_err(EgressError::Url)?;
        let request = self.client.request(method, url).headers(headers).body(body);
        let mut answer = request.send().await.map_err(sort)?;
        Ok(EgressStream {
            status: answer.status(),
            headers: std::mem::take(answer.headers_mut()),
            left: self.limits.answer,
            answer,
        })
    }
}

/// An answer whose body is still to be read. The connection closes with it.
#[derive(Debug)]
pub struct EgressStream {
    /// The status, also that of a redirect, which is not followed.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    answer: reqwest::Response,
    left: usize,
}

impl EgressStream {
    /// What comes next of the body; none when it is over or the limit is reached.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, EgressError> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(mut piece) = self.answer.chunk().await.map_err(sort)? else {
            return Ok(None);
        };
        piece.truncate(self.left);
        self.left -= piece.len();
        Ok(Some(piece))
    }

    /// Whether as much was read as may be, so that the rest is missing.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.left == 0
    }
}

fn sort(error: reqwest::Error) -> EgressError {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    if causes
        .into_iter()
        .any(<dyn Error + 'static>::is::<RefusedAddress>)
    {
        EgressError::Address
    } else if error.is_timeout() {
        EgressError::Timeout
    } else if error.is_connect() {
        EgressError::Connect(error.without_url())
    } else {
        EgressError::Broken(error.without_url())
    }
}
