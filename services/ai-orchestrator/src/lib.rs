//! The AI orchestrator: agents, embeddings and the gateway to an LLM. Everything but the gateway works without one.

mod agents;
mod app;
mod config;
mod embeddings;
pub mod llm;
mod openai;

use std::time::Duration;

use bz_kernel::{ServiceInfo, platform};
use bz_service::{App, Core, Job, Probe, ProbeStatus, Service, erasure};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

pub use crate::config::AiConfig;
use crate::{app::AppState, llm::Llm};

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
        let state = AppState {
            core,
            llm: llm.clone(),
            agents: agents::catalog()?.into(),
        };
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
            .with_details(move || details(&health))
            .with_job(erasure);
        Ok(match llm {
            Some(llm) => app.with_job(Job::new("llm-probe", move |stop| keep_probing(llm, stop))),
            None => app,
        })
    }
}

/// What `/health` says of the agents.
fn details(app: &AppState) -> Map<String, Value> {
    let status = agents::status(app);
    let agents = app
        .agents
        .iter()
        .map(|card| json!({ "name": card.name, "status": status }))
        .collect();
    Map::from_iter([("agents".to_owned(), Value::Array(agents))])
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
