//! What everything that wants a model goes through.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    Charge, ChatAnswer, ChatRequest, Llm, LlmError, Usage,
    chat::{self, Choice},
};

/// The way to the models. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    provider: Option<Llm>,
}

impl Gateway {
    /// A gateway to this provider.
    #[must_use]
    pub const fn new(provider: Option<Llm>) -> Self {
        Self { provider }
    }

    /// Asks a model and waits for its whole answer. `cancel` ends the call and closes the connection to the provider.
    ///
    /// # Errors
    /// As [`LlmError`] says; [`LlmError::Cancelled`] when it was cancelled.
    pub async fn chat(
        &self,
        _who: &Charge,
        request: ChatRequest,
        cancel: CancellationToken,
    ) -> Result<ChatAnswer, LlmError> {
        let llm = self.provider.as_ref().ok_or(LlmError::NotConfigured)?;
        let mut body = request.to_wire();
        let model = request.models.first().map_or(llm.model(), String::as_str);
        body.insert("model".to_owned(), json!(model));
        let answer = cancel
            .run_until_cancelled(llm.post("chat/completions", &body))
            .await
            .ok_or(LlmError::Cancelled)??;
        chat::obeyed(&body, &answer)?;
        let choice = Choice::from_wire(&answer)?;
        Ok(ChatAnswer {
            content: choice.content,
            tool_calls: choice.tool_calls,
            finish_reason: choice.finish_reason,
            usage: chat::usage(&answer).unwrap_or(Usage {
                estimated: true,
                ..Usage::default()
            }),
            provider: "default".to_owned(),
            model: answer["model"].as_str().unwrap_or(model).to_owned(),
            cost: 0,
            fallbacks: Vec::new(),
        })
    }
}
