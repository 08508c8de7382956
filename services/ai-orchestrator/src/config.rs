//! What the AI orchestrator can be told.

use std::{path::PathBuf, time::Duration};

use bz_http::egress::EgressPolicy;
use bz_kernel::SecretString;
use bz_service::config::{Config, Env, egress};
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
    /// Where tools that tenants make may call.
    pub egress: EgressPolicy,
    /// The installation's n8n.
    pub n8n_url: Option<Url>,
    /// The installation's CrewAI server.
    pub crewai_url: Option<Url>,
    /// Web pages that may speak the Model Context Protocol with the service.
    pub mcp_allowed_origins: Vec<String>,
    /// Runs that this process does at the same time.
    pub run_workers: usize,
    /// How long the lease of a run lasts.
    pub run_lease: Duration,
    /// How often leases are renewed.
    pub run_heartbeat: Duration,
    /// How long runs that are over are kept.
    pub run_retention: Duration,
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
        let egress = egress(env);
        let n8n_url = env
            .url(
                "N8N_URL",
                "Base address of n8n, whose webhooks tools may call. None when unset.",
            )
            .optional();
        let crewai_url = env
            .url("CREWAI_URL", "Base address of a CrewAI server (kickoff, status), whose crew tools may start. None when unset.")
            .optional();
        let mcp_allowed_origins = env
            .list(
                "MCP_ALLOWED_ORIGINS",
                "Origins of web pages that may call /mcp, besides that of ISSUER. Programs send none and may call in any case.",
            )
            .or("");
        let runs = RunConfig::read(env)?;
        Some(Self {
            egress: egress?,
            n8n_url: n8n_url?,
            crewai_url: crewai_url?,
            mcp_allowed_origins: mcp_allowed_origins?,
            run_workers: runs.workers,
            run_lease: runs.lease,
            run_heartbeat: runs.heartbeat,
            run_retention: runs.retention,
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

/// What there is about runs.
struct RunConfig {
    workers: usize,
    lease: Duration,
    heartbeat: Duration,
    retention: Duration,
}

impl RunConfig {
    fn read(env: &mut Env) -> Option<Self> {
        let workers = env
            .number(
                "RUN_WORKERS",
                "Runs of agents that this process does at the same time; 0 for none.",
            )
            .within(0, 1000)
            .or("32");
        let lease = env
            .duration(
                "RUN_LEASE",
                "How long a worker that is not heard of keeps a run; then another one takes it.",
            )
            .or("30s");
        let heartbeat = env
            .duration(
                "RUN_HEARTBEAT",
                "How often a worker says that it is there. Shorter than RUN_LEASE.",
            )
            .or("10s");
        let retention = env
            .duration(
                "RUN_RETENTION",
                "How long runs that are over are kept, with their steps and events.",
            )
            .or("90d");
        let (lease, heartbeat) = (lease?, heartbeat?);
        if heartbeat.is_zero() || heartbeat * 2 > lease {
            env.problem(
                "RUN_HEARTBEAT",
                "must be more than zero and at most half of RUN_LEASE",
            );
            return None;
        }
        Some(Self {
            workers: workers?,
            lease,
            heartbeat,
            retention: retention?,
        })
    }
}
