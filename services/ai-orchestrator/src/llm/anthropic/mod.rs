//! Anthropic's API: OpenAI's wire format translated to it and back, whole answers and streams.

mod answer;
mod events;
mod request;

use std::time::Duration;

use bz_kernel::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::{ByteStream, LlmError, read, stream};

/// The version of the API that is spoken.
const VERSION: &str = "2023-06-01";
/// The tool by which an answer within a schema is given.
const ANSWER: &str = "give_answer";

/// A client. Cheap to clone.
#[derive(Clone)]
pub(super) struct Anthropic {
    pub(super) http: reqwest::Client,
    pub(super) base: Url,
    pub(super) key: Option<SecretString>,
    pub(super) deadline: Duration,
}

impl Anthropic {
    /// A whole answer. Dropping the future closes the connection.
    pub(super) async fn complete(
        &self,
        model: &str,
        body: &Map<String, Value>,
    ) -> Result<Value, LlmError> {
        let work = async {
            let sent = self.send(&request::request(model, body)).await?;
            answer::completion(&read::document(sent).await?)
        };
        let answer = tokio::time::timeout(self.deadline, work).await;
        answer.map_err(|_| LlmError::Deadline)?
    }

    /// The answer as OpenAI's events, piece by piece. Dropping the stream closes the connection and so ends the work.
    pub(super) async fn stream(
        &self,
        model: &str,
        body: &Map<String, Value>,
    ) -> Result<ByteStream, LlmError> {
        let mut request = request::request(model, body);
        request["stream"] = Value::Bool(true);
        let sent = tokio::time::timeout(self.deadline, self.send(&request)).await;
        let sent = sent.map_err(|_| LlmError::Deadline)??;
        Ok(events::translated(stream::relay(sent, self.deadline)))
    }

    async fn send(&self, body: &Value) -> Result<reqwest::Response, LlmError> {
        let url = self.base.join("v1/messages");
        let url = url.map_err(|error| LlmError::Malformed(error.to_string()))?;
        let mut request = self
            .http
            .post(url)
            .header("anthropic-version", VERSION)
            .json(body);
        if let Some(key) = &self.key {
            request = request.header("x-api-key", key.expose_secret());
        }
        let answer = request.send().await.map_err(LlmError::Unreachable)?;
        read::accepted(answer).await
    }
}
