//! What the AI orchestrator can be told.

use std::{path::PathBuf, time::Duration};

use bz_kernel::SecretString;
use bz_service::config::{Config, Env};
use url::Url;
use uuid::Uuid;

use crate::llm::Providers;

/// The LLM providers and the models within the process; everything works without them.
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
    /// Several providers in their order, instead of the one above.
    pub llm_providers: Option<Providers>,
    /// Where the models are that run within the process.
    pub model_dir: Option<PathBuf>,
    /// The most tokens of a chat with the model within the process.
    pub model_context: usize,
    /// The tenant whose administrators may load and unload models.
    pub model_admin_tenant: Option<Uuid>,
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
        let llm_providers = env
            .parsed(
                "LLM_PROVIDERS",
                "JSON list, or the path of a file with one",
                "Several providers in the order in which they are tried, instead of LLM_BASE_URL, LLM_API_KEY and LLM_MODEL. Of \
                 each: name, kind (openai, anthropic or in_process), base_url, api_key_file, model, supports_tools (true), \
                 context (tokens), input_price and output_price (of a million tokens).",
            )
            .optional();
        let model_dir = env
            .text(
                "MODEL_DIR",
                "Folder with the models that run within the process, as scripts/fetch-models makes it. None when unset.",
            )
            .optional();
        let model_context = env
            .number(
                "MODEL_CONTEXT",
                "Most tokens of a chat with the model within the process, its answer included. While it is answered each takes 46 kB.",
            )
            .or("2048");
        let model_admin_tenant = env
            .parsed(
                "MODEL_ADMIN_TENANT",
                "UUID",
                "Tenant whose administrators may load and unload the models within the process, which all tenants share. Nobody when unset.",
            )
            .optional();
        Some(Self {
            llm_base_url: llm_base_url?,
            llm_api_key: llm_api_key?,
            llm_model: llm_model?,
            llm_timeout: llm_timeout?,
            llm_providers: llm_providers?,
            model_dir: model_dir?.map(PathBuf::from),
            model_context: model_context?,
            model_admin_tenant: model_admin_tenant?,
        })
    }
}
