//! One provider: what it is asked, how, and what that costs.

use std::time::Duration;

use bz_kernel::{SecretString, Sources};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    ByteStream, Kind, Llm, LlmError, ProviderConfig, Usage, anthropic::Anthropic, breaker::Breaker,
    chat, choose, in_process::InProcess, stream,
};
use crate::models::{self, Models};

/// Where Anthropic's own API is.
const ANTHROPIC: &str = "https://api.anthropic.com";

/// A provider.
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) model: String,
    pub(super) context: Option<u64>,
    pub(super) breaker: Breaker,
    supports_tools: bool,
    input_price: f64,
    output_price: f64,
    backend: Backend,
}

enum Backend {
    OpenAi(Llm),
    Anthropic(Anthropic),
    InProcess(InProcess),
}

impl Provider {
    /// As it is configured.
    pub(super) fn new(
        config: &ProviderConfig,
        deadline: Duration,
        models: &Models,
        sources: &Sources,
    ) -> anyhow::Result<Self> {
        let key = config
            .api_key_file
            .as_ref()
            .map(std::fs::read_to_string)
            .transpose()?;
        let key = key.map(|key| SecretString::from(key.trim()));
        let backend = match (config.kind, &config.base_url) {
            (Kind::OpenAi, Some(base)) => {
                Backend::OpenAi(Llm::new(base, key, config.model.clone(), deadline)?)
            }
            (Kind::OpenAi, None) => anyhow::bail!("{} has no base_url", config.name),
            (Kind::Anthropic, base) => Backend::Anthropic(Anthropic {
                http: super::openai::client()?,
                base: base.clone().map_or_else(|| ANTHROPIC.parse(), Ok)?,
                key,
                deadline,
            }),
            (Kind::InProcess, _) => {
                return Ok(Self::in_process(&config.name, deadline, models, sources));
            }
        };
        Ok(Self {
            name: config.name.clone(),
            model: config.model.clone(),
            context: config.context,
            breaker: Breaker::default(),
            supports_tools: config.supports_tools,
            input_price: config.input_price,
            output_price: config.output_price,
            backend,
        })
    }

    /// The one of the short form of the configuration.
    pub(super) fn of(llm: Llm) -> Self {
        Self {
            name: "default".to_owned(),
            model: llm.model().to_owned(),
            context: None,
            breaker: Breaker::default(),
            supports_tools: true,
            input_price: 0.0,
            output_price: 0.0,
            backend: Backend::OpenAi(llm),
        }
    }

    /// The model within the process.
    pub(super) fn in_process(
        name: &str,
        deadline: Duration,
        models: &Models,
        sources: &Sources,
    ) -> Self {
        Self {
            name: name.to_owned(),
            model: models::CHAT.to_owned(),
            context: None,
            breaker: Breaker::default(),
            supports_tools: false,
            input_price: 0.0,
            output_price: 0.0,
            backend: Backend::InProcess(InProcess {
                models: models.clone(),
                sources: sources.clone(),
                deadline,
            }),
        }
    }

    /// The client of an OpenAI-compatible server.
    pub(super) const fn openai(&self) -> Option<&Llm> {
        match &self.backend {
            Backend::OpenAi(llm) => Some(llm),
            Backend::Anthropic(_) | Backend::InProcess(_) => None,
        }
    }

    /// Whether it could answer, as far as that is known without asking.
    pub(super) fn is_available(&self) -> bool {
        match &self.backend {
            Backend::OpenAi(llm) => llm.is_reachable(),
            Backend::Anthropic(_) => self.breaker.state() != "open",
            Backend::InProcess(model) => model.models.offers(models::CHAT),
        }
    }

    /// Whether it is there at all: a model within the process whose files are not is no provider.
    pub(super) fn exists(&self) -> bool {
        !matches!(self.backend, Backend::InProcess(_)) || self.is_available()
    }

    /// What a call costs, in millionths.
    pub(super) fn cost(&self, usage: &Usage) -> i64 {
        let read = f64::from(usage.prompt_tokens) * self.input_price;
        (read + f64::from(usage.completion_tokens) * self.output_price).ceil() as i64
    }

    /// A whole answer.
    pub(super) async fn complete(
        &self,
        body: &Map<String, Value>,
        sources: &Sources,
    ) -> Result<Value, LlmError> {
        let chooses = self.chooses(body);
        let request = self.request(body);
        let answer = match &self.backend {
            Backend::OpenAi(llm) => llm.post("chat/completions", &request).await?,
            Backend::Anthropic(api) => api.complete(&self.model, &request).await?,
            Backend::InProcess(model) => model.complete(&self.model, &request).await?,
        };
        let answer = if chooses {
            choose::with_calls(answer, &format!("call_{}", sources.id::<Uuid>().simple()))?
        } else {
            answer
        };
        chat::obeyed(body, &answer)?;
        Ok(answer)
    }

    /// An answer as events: piece by piece where the provider and the request allow that, otherwise all at once.
    pub(super) async fn stream(
        &self,
        body: &Map<String, Value>,
        sources: &Sources,
    ) -> Result<ByteStream, LlmError> {
        let chooses = self.chooses(body);
        match &self.backend {
            Backend::OpenAi(llm) if !chooses => llm.stream(&self.request(body)).await,
            Backend::Anthropic(api) if !chooses => {
                api.stream(&self.model, &self.request(body)).await
            }
            Backend::InProcess(model) if !chooses => {
                Ok(model.stream(&self.model, &self.request(body)))
            }
            _ => {
                let mut body = body.clone();
                body.remove("stream");
                body.remove("stream_options");
                let answer = self.complete(&body, sources).await?;
                Ok(stream::at_once(&answer))
            }
        }
    }

    /// Whether its tools become actions within a schema.
    fn chooses(&self, body: &Map<String, Value>) -> bool {
        !self.supports_tools && !choose::offered(body).is_empty()
    }

    fn request(&self, body: &Map<String, Value>) -> Map<String, Value> {
        let mut body = if self.supports_tools {
            body.clone()
        } else {
            choose::without_tools(body)
        };
        body.entry("model").or_insert_with(|| json!(self.model));
        body
    }
}
