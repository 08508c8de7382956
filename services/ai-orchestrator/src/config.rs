//! What the AI orchestrator can be told.

use std::time::Duration;

use bz_http::egress::EgressPolicy;
use bz_kernel::SecretString;
use bz_service::config::{Config, Env, egress};
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
    /// Where tools that tenants make may call.
    pub egress: EgressPolicy,
    /// The installation's n8n.
    pub n8n_url: Option<Url>,
    /// The installation's CrewAI server.
    pub crewai_url: Option<Url>,
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
        let runs = RunConfig::read(env);
        let runs = runs?;
        Some(Self {
            egress: egress?,
            n8n_url: n8n_url?,
            crewai_url: crewai_url?,
            run_workers: runs.workers,
            run_lease: runs.lease,
            run_heartbeat: runs.heartbeat,
            run_retention: runs.retention,
            llm_base_url: llm_base_url?,
            llm_api_key: llm_api_key?,
            llm_model: llm_model?,
            llm_timeout: llm_timeout?,
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
