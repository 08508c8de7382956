//! The OpenAI-compatible endpoints, so that any OpenAI client can use the platform's provider with the platform's
//! tokens.

mod chat;
mod embeddings;
mod models;

use bz_http::{Routes, routes};

use crate::app::AppState;

bz_auth::permissions! {
    /// Use the LLM.
    LlmRead = "llm:read",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(chat::create_chat_completion))
        .routes(routes!(embeddings::create_openai_embeddings))
        .routes(routes!(models::list_models))
}
