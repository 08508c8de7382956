//! The AI orchestrator: agents, crews, durable runs, tools, embeddings and the gateway to an LLM. Only what asks a model needs one.

mod agents;
mod app;
mod budgets;
mod config;
mod crews;
mod definitions;
mod embeddings;
mod erasure;
mod knowledge;
pub mod llm;
mod mcp;
mod mcp_servers;
mod memory;
mod models;
mod openai;
mod runs;
mod schedules;
mod schemas;
mod tools;
mod usage;

use std::time::Duration;

use bz_kernel::{Sealer, ServiceInfo, platform};
use bz_service::{App, Core, Job, Probe, ProbeStatus, Service};
use chrono::TimeDelta;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

pub use crate::agents::catalogue;
pub use crate::config::AiConfig;
use crate::{
    app::AppState,
    budgets::Accounts,
    llm::{Gateway, Llm},
    mcp::server::Origins,
    models::Models,
    runs::{Pace, Runs},
    tools::Toolbox,
};

/// How often the providers are asked whether they are there.
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// The service.
#[derive(Debug)]
pub struct AiOrchestrator;

impl Service for AiOrchestrator {
    const INFO: &'static ServiceInfo = &platform::AI_ORCHESTRATOR;
    type Config = AiConfig;

    fn openapi() -> OpenApi {
        let about = "Agents, crews and their runs, embeddings and a gateway to an LLM.";
        app::routes().document(bz_http::openapi::base(Self::INFO, about))
    }

    async fn build(core: Core, config: AiConfig) -> anyhow::Result<App> {
        let models = Models::start(config.model_dir.clone(), config.model_context)?;
        let gateway = gateway(&core, &config, &models)?;
        gateway.probe().await;
        let erasure = erasure::job(&core)?;
        let pace = Pace {
            slots: config.run_workers,
            lease: TimeDelta::from_std(config.run_lease)?,
            heartbeat: config.run_heartbeat,
        };
        let sealer = |purpose| Sealer::new(&core.secret, purpose, core.sources.rng.clone());
        let state = AppState {
            gateway: gateway.clone(),
            models: models.clone(),
            model_admin_tenant: config.model_admin_tenant,
            agents: agents::catalogue::catalogue()?.into(),
            toolbox: Toolbox::new(&core, config.egress, config.n8n_url, config.crewai_url)?,
            tool_secrets: sealer("ai-tools"),
            credentials: sealer("ai-credentials"),
            mcp_origins: Origins::new(&config.mcp_allowed_origins, &core.issuer),
            runs: Runs::new(&core.sources, pace, core.db.pool_status().max),
            core: core.clone(),
        };
        let kept = TimeDelta::from_std(config.run_retention)?;
        let jobs = runs::jobs(&state, kept)
            .into_iter()
            .chain([schedules::job(&state), knowledge::job(&state)]);
        let jobs: Vec<Job> = jobs.collect();
        let health = state.clone();
        let routes = app::routes().into_router();
        let routes = routes.merge(embeddings::internal::routes());
        let routes = routes.with_state(state);
        let app = App::new(routes.merge(bz_events::feed_routes().with_state(core)))
            .with_probe(Probe::new("llm", {
                let gateway = gateway.clone();
                move || {
                    let status = if gateway.is_configured() {
                        ProbeStatus::of(gateway.is_available())
                    } else {
                        ProbeStatus::not_configured()
                    };
                    async move { status }
                }
            }))
            .with_warm_up({
                let models = models.clone();
                move || models.is_loading().then_some("loading_models")
            })
            .with_probe(Probe::new("models", move || {
                let status = models.healthy();
                async move { status.map_or(ProbeStatus::not_configured(), ProbeStatus::of) }
            }))
            .with_details(move || details(&health))
            .with_job(erasure);
        let app = jobs.into_iter().fold(app, App::with_job);
        if gateway.servers().next().is_none() {
            return Ok(app);
        }
        let probe = Job::new("llm-probe", move |stop| keep_probing(gateway, stop));
        Ok(app.with_job(probe))
    }
}

/// The providers of the configuration.
fn gateway(core: &Core, config: &AiConfig, models: &Models) -> anyhow::Result<Gateway> {
    let short = config.llm_base_url.as_ref().map(|base| {
        let (key, model) = (config.llm_api_key.clone(), config.llm_model.clone());
        Llm::new(base, key, model, config.llm_timeout)
    });
    let providers = config.llm_providers.as_ref();
    Gateway::configured(
        providers.map_or(&[], |providers| &providers.0),
        short.transpose()?,
        (models, config.model_dir.is_some()),
        Accounts::new(core),
        (&core.sources, config.llm_timeout),
    )
}

/// What `/health` says of the agents, the models and the providers.
fn details(app: &AppState) -> Map<String, Value> {
    let mut details = agents::details(app);
    details.insert("models".to_owned(), Value::Array(app.models.health()));
    details.insert("providers".to_owned(), Value::Array(app.gateway.health()));
    details
}

/// Asks the providers whether they are there until the service stops.
async fn keep_probing(gateway: Gateway, stop: CancellationToken) -> anyhow::Result<()> {
    while stop
        .run_until_cancelled(tokio::time::sleep(PROBE_EVERY))
        .await
        .is_some()
    {
        gateway.probe().await;
    }
    Ok(())
}
