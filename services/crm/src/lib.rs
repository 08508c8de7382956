//! The CRM: leads with a score that explains itself, contacts, companies, deals, activities and to-dos.

mod app;
mod automations;
mod companies;
mod config;
mod contacts;
mod leads;
mod normal;
mod outbox;
mod problems;
mod records;
mod rules;
pub mod scoring;
mod search;
mod todos;
mod webhooks;

pub use config::CrmConfig;
pub use leads::{Lead, LeadStatus};
pub use todos::{Todo, TodoPriority, TodoStatus};

use bz_kernel::{ServiceInfo, platform};
use bz_service::{App, Core, Service, erasure};
use utoipa::openapi::OpenApi;

use crate::app::AppState;

/// The service.
#[derive(Debug)]
pub struct Crm;

impl Service for Crm {
    const INFO: &'static ServiceInfo = &platform::CRM;
    type Config = CrmConfig;

    fn openapi() -> OpenApi {
        app::routes().into_openapi()
    }

    async fn build(core: Core, config: CrmConfig) -> anyhow::Result<App> {
        let state = AppState::new(core.clone(), config)?;
        let embeddings = search::job(&core, state.meaning.clone());
        let public = app::routes().split_for_parts().0.with_state(state.clone());
        let erasure = erasure::job(&core)?;
        let app = App::new(public.merge(bz_events::feed_routes().with_state(core)));
        let [deliver, purge] = webhooks::sender::jobs(&state);
        let automations = automations::jobs(&state)?;
        Ok([erasure, embeddings, deliver, purge]
            .into_iter()
            .chain(automations)
            .fold(app, App::with_job))
    }
}
