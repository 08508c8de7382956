//! Vectors of a provider's model, charged as chats are. There is no second provider for them: vectors of different models
//! cannot be compared.

use serde_json::{Map, Value, json};

use super::{Charge, Gateway, LlmError, Usage, chat, estimate};

impl Gateway {
    /// The OpenAI-style answer to texts, by the server whose model that is, or by the first one, which may know it. Charged
    /// to somebody, unless the platform itself asks.
    ///
    /// # Errors
    /// As [`LlmError`] says.
    pub(crate) async fn embed(
        &self,
        who: Option<&Charge>,
        model: &str,
        input: &[String],
    ) -> Result<Value, LlmError> {
        let servers = || {
            let providers = self.0.providers.iter();
            providers.filter_map(|provider| Some((provider, provider.openai()?)))
        };
        let named = servers().find(|(provider, _)| provider.model == model);
        let chosen = named.or_else(|| servers().next());
        let (provider, server) = chosen.ok_or(LlmError::NotConfigured)?;
        let body = Map::from_iter([
            ("model".to_owned(), json!(model)),
            ("input".to_owned(), json!(input)),
        ]);
        let worst = Usage::estimated(estimate::at_most(&body), 0);
        let mut reserved = match who {
            Some(who) => self.take(who, provider, model, &worst).await?,
            None => None,
        };
        let answer = server.post("embeddings", &body).await;
        if let Some(reserved) = &mut reserved {
            let used = match &answer {
                Ok(answer) => chat::usage(answer).unwrap_or(worst),
                Err(_) => Usage::default(),
            };
            reserved.settle(&used, provider.cost(&used)).await;
        }
        answer
    }
}
