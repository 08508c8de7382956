//! What the AI orchestrator can be told.

use std::time::Duration;

use bz_kernel::SecretString;
use bz_service::config::{Config, Env};
use url::Url;

/// The LLM provider; everything works without one.
#[derive(Debug, Clone)]
pub struct AiConfig {
    /// Base address of an OpenAI-compatible server.
    pub llm_base_url: Option<Url>,
    /// Its key.
    pub llm_api_key: Option<SecretString>,
    /// The model used when a request names none.
    pub llm_model: String,
    /// Longest wait for an answer, for its first part and between two parts of a stream.
    pub llm_timeout: Duration,
}

impl Config for AiConfig {
    fn read(env: &mut Env) -> Option<Self> {
        let llm_base_url = env
            .url("LLM_BASE_URL", "Base address of an OpenAI-compatible server (Ollama: http://ollama:11434). None when unset.")
            .optional();
        let llm_api_key = env
            .secret("LLM_API_KEY", "Key of that server, when it wants one.")
            .optional();
        let llm_model = env
            .text("LLM_MODEL", "Model used when a request names none.")
            .or("llama3.2");
        let llm_timeout = env
            .duration(
                "LLM_TIMEOUT",
                "Longest wait for an answer, for its first part and between two parts.",
            )
            .or("30s");
        Some(Self {
            llm_base_url: llm_base_url?,
            llm_api_key: llm_api_key?,
            llm_model: llm_model?,
            llm_timeout: llm_timeout?,
        })
    }
}
