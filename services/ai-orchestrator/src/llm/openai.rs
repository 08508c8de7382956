//! The client of one OpenAI-compatible server: Ollama, llama.cpp's server, vLLM, Groq, OpenAI.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bz_kernel::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::{ByteStream, LlmError, read, stream};

/// How long a connection to the provider may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the probe waits for the provider's list of models.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// A configured provider. Cheap to clone.
#[derive(Clone)]
pub struct Llm(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    base: Url,
    key: Option<SecretString>,
    model: String,
    deadline: Duration,
    reachable: AtomicBool,
}

/// The HTTP client of a provider.
pub(super) fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(Duration::from_secs(10))
        .tcp_nodelay(true)
        // A redirect would turn the request into one without a body, or carry it to another server.
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

impl Llm {
    /// A client for the server at `base` (with or without a trailing `/v1`).
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(
        base: &Url,
        key: Option<SecretString>,
        model: String,
        deadline: Duration,
    ) -> anyhow::Result<Self> {
        let http = client()?;
        let mut base = base.clone();
        let path = base
            .path()
            .trim_end_matches('/')
            .trim_end_matches("/v1")
            .to_owned();
        base.set_path(&format!("{path}/v1/"));
        Ok(Self(Arc::new(Inner {
            http,
            base,
            key,
            model,
            deadline,
            reachable: AtomicBool::new(false),
        })))
    }

    /// The model used when a request names none.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.0.model
    }

    /// The longest wait for an answer, for its first part and between two parts of a stream.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.0.deadline
    }

    /// Whether the provider answered when it was last asked for something.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        self.0.reachable.load(Ordering::Relaxed)
    }

    /// Asks for the list of models, to see whether the provider is there.
    pub async fn probe(&self) -> bool {
        let answer = tokio::time::timeout(PROBE_TIMEOUT, self.models()).await;
        let reachable = matches!(answer, Ok(Ok(_)));
        self.set_reachable(reachable);
        reachable
    }

    /// `GET /v1/models`.
    ///
    /// # Errors
    /// As [`LlmError`] says.
    pub async fn models(&self) -> Result<Value, LlmError> {
        self.finish(self.0.http.get(self.url("models"))).await
    }

    /// `POST /v1/chat/completions` or another endpoint that answers one JSON document.
    ///
    /// # Errors
    /// As [`LlmError`] says.
    pub async fn post(&self, endpoint: &str, body: &Map<String, Value>) -> Result<Value, LlmError> {
        self.finish(self.0.http.post(self.url(endpoint)).json(body))
            .await
    }

    /// `POST /v1/chat/completions` with `stream: true`: the provider's server-sent events, byte for byte. Dropping the
    /// stream closes the provider's connection and so ends its work.
    ///
    /// # Errors
    /// As [`LlmError`] says, until the answer begins; later faults end the stream with an error event.
    pub async fn stream(&self, body: &Map<String, Value>) -> Result<ByteStream, LlmError> {
        let request = self.0.http.post(self.url("chat/completions")).json(body);
        let answer = tokio::time::timeout(self.0.deadline, self.send(request))
            .await
            .map_err(|_| LlmError::Deadline)??;
        if !read::is_json(&answer) {
            return Ok(stream::relay(answer, self.0.deadline));
        }
        // A server that cannot stream answers at once.
        let document = tokio::time::timeout(self.0.deadline, read::document(answer))
            .await
            .map_err(|_| LlmError::Deadline)??;
        Ok(stream::at_once(&document))
    }

    fn url(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.0.base)
    }

    async fn finish(&self, request: reqwest::RequestBuilder) -> Result<Value, LlmError> {
        let answer = async { read::document(self.send(request).await?).await };
        tokio::time::timeout(self.0.deadline, answer)
            .await
            .map_err(|_| LlmError::Deadline)?
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, LlmError> {
        let request = match &self.0.key {
            Some(key) => request.bearer_auth(key.expose_secret()),
            None => request,
        };
        let answer = request.send().await.map_err(|error| {
            self.set_reachable(false);
            LlmError::Unreachable(error)
        })?;
        let answer = read::accepted(answer).await?;
        self.set_reachable(true);
        Ok(answer)
    }

    fn set_reachable(&self, reachable: bool) {
        self.0.reachable.store(reachable, Ordering::Relaxed);
    }
}
