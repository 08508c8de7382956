//! The AI orchestrator: agents, crews, durable runs, tools, embeddings and the gateway to an LLM. Only what asks a model needs one.

mod agents;
mod app;
mod config;
mod crews;
mod embeddings;
pub mod llm;
mod openai;
mod runs;
mod schedules;
mod tools;

use std::time::Duration;

use bz_kernel::{Sealer, ServiceInfo, platform};
use bz_service::{App, Core, Job, Probe, ProbeStatus, Service, erasure};
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

pub use crate::agents::catalogue;
pub use crate::config::AiConfig;
use crate::{
    app::AppState,
    llm::{Gateway, Llm},
    runs::{Pace, Runs},
    tools::Toolbox,
};

/// How often the provider is asked whether it is there.
const PROBE_EVERY: Duration = Duration::from_secs(10);

/// The service.
#[derive(Debug)]
pub struct AiOrchestrator;

impl Service for AiOrchestrator {
    const INFO: &'static ServiceInfo = &platform::AI_ORCHESTRATOR;
    type Config = AiConfig;

    fn openapi() -> OpenApi {
        app::routes().into_openapi()
    }

    async fn build(core: Core, config: AiConfig) -> anyhow::Result<App> {
        let llm = config
            .llm_base_url
            .map(|base| {
                Llm::new(
                    &base,
                    config.llm_api_key,
                    config.llm_model,
                    config.llm_timeout,
                )
            })
            .transpose()?;
        if let Some(llm) = &llm {
            llm.probe().await;
        }
        let erasure = erasure::job(&core)?;
        let pace = Pace {
            slots: config.run_workers,
            lease: TimeDelta::from_std(config.run_lease)?,
            heartbeat: config.run_heartbeat,
        };
        let sealer = |purpose| Sealer::new(&core.secret, purpose, core.sources.rng.clone());
        let state = AppState {
            gateway: Gateway::new(llm.clone()),
            agents: agents::catalogue::catalogue()?.into(),
            toolbox: Toolbox::new(&core, config.egress, config.n8n_url, config.crewai_url)?,
            tool_secrets: sealer("ai-tools"),
            credentials: sealer("ai-credentials"),
            runs: Runs::new(&core.sources, pace),
            llm: llm.clone(),
            core,
        };
        let kept = TimeDelta::from_std(config.run_retention)?;
        let jobs = runs::jobs(&state, kept)
            .into_iter()
            .chain([schedules::job(&state)]);
        let jobs: Vec<Job> = jobs.collect();
        let health = state.clone();
        let routes = app::routes().split_for_parts().0;
        let routes = routes.merge(embeddings::internal::routes());
        let app = App::new(routes.with_state(state))
            .with_probe(Probe::new("llm", {
                let llm = llm.clone();
                move || {
                    let status = match &llm {
                        None => ProbeStatus::not_configured(),
                        Some(llm) => ProbeStatus::of(llm.is_reachable()),
                    };
                    async move { status }
                }
            }))
            .with_details(move || agents::details(&health))
            .with_job(erasure);
        let app = jobs.into_iter().fold(app, App::with_job);
        Ok(match llm {
            Some(llm) => app.with_job(Job::new("llm-probe", move |stop| keep_probing(llm, stop))),
            None => app,
        })
    }
}

/// Asks the provider whether it is there until the service stops.
async fn keep_probing(llm: Llm, stop: CancellationToken) -> anyhow::Result<()> {
    while stop
        .run_until_cancelled(tokio::time::sleep(PROBE_EVERY))
        .await
        .is_some()
    {
        llm.probe().await;
    }
    Ok(())
}
