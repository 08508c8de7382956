//! What is known of the providers without asking for a chat.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Gateway, Llm, provider::Provider};

impl Gateway {
    /// The OpenAI-compatible servers, for what is more than chats.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &Llm> {
        self.0.providers.iter().filter_map(Provider::openai)
    }

    /// The names of the models of the other providers.
    pub(crate) fn other_models(&self) -> impl Iterator<Item = &str> {
        let providers = self.0.providers.iter().filter(|provider| provider.exists());
        let others = providers.filter(|provider| provider.openai().is_none());
        others.map(|provider| provider.model.as_str())
    }

    /// Whether there is a provider at all.
    pub(crate) fn is_configured(&self) -> bool {
        self.0.providers.iter().any(Provider::exists)
    }

    /// Whether one of the providers could answer.
    pub(crate) fn is_available(&self) -> bool {
        self.0.providers.iter().any(Provider::is_available)
    }

    /// The longest that an answer may take, all providers one after the other.
    pub(crate) fn patience(&self) -> Duration {
        let count = u32::try_from(self.0.providers.len()).unwrap_or(1);
        self.0.deadline * count.max(1)
    }

    /// Asks the servers whether they are there.
    pub(crate) async fn probe(&self) {
        for server in self.servers() {
            server.probe().await;
        }
    }

    /// What `/health` says of the providers.
    pub(crate) fn health(&self) -> Vec<Value> {
        let providers = self.0.providers.iter().map(|provider| {
            json!({
                "name": provider.name,
                "model": provider.model,
                "circuit": provider.breaker.state(),
                "available": provider.is_available(),
            })
        });
        providers.collect()
    }
}
