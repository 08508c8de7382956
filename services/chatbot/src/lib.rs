//! The chatbot: conversations that do things for the user in the CRM, in natural language, with or without a model.
#![warn(missing_docs)]

mod actions;
mod agents;
mod analytics;
mod app;
mod chat;
mod config;
mod conversations;
mod crm;
mod failure;
mod feedback;
mod guide;
mod handoffs;
mod knowledge;
mod llm;
mod members;
mod pages;
mod queries;
mod rewording;
pub mod understand;
mod widget;
mod wording;

use bz_kernel::{ServiceInfo, platform};
use bz_service::{App, Core, Probe, ProbeStatus, Service, erasure};
use utoipa::openapi::OpenApi;

use crate::app::AppState;
pub use crate::config::{ChatConfig, LlmUse};

/// The service.
#[derive(Debug)]
pub struct Chatbot;

impl Service for Chatbot {
    const INFO: &'static ServiceInfo = &platform::CHATBOT;
    type Config = ChatConfig;

    fn openapi() -> OpenApi {
        let about = "Conversations that do things in the CRM.";
        app::routes().document(bz_http::openapi::base(Self::INFO, about))
    }

    async fn build(core: Core, config: ChatConfig) -> anyhow::Result<App> {
        let erasure = erasure::job(&core)?;
        let retention = conversations::retention::job(&core, config.retention_days);
        let feed = bz_events::feed_routes().with_state(core.clone());
        let state = AppState::new(core, &config)?;
        let crm = state.crm.clone();
        let probe = Probe::new("crm", move || {
            let crm = crm.clone();
            async move { ProbeStatus::of(crm.is_alive().await) }
        });
        let routes = app::routes().into_router().with_state(state);
        let app = App::new(routes.merge(feed));
        let app = app.with_probe(probe).with_job(erasure);
        Ok(match retention {
            Some(job) => app.with_job(job),
            None => app,
        })
    }
}
