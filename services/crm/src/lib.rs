//! The CRM: leads with a score that explains itself, contacts, companies, deals, activities and to-dos.

mod activities;
mod app;
mod assignment;
mod audit;
mod automations;
mod bulk;
mod companies;
mod config;
mod contacts;
mod custom_fields;
mod deals;
mod duplicates;
mod exports;
mod forms;
mod imports;
mod jobs;
mod leads;
mod links;
mod merges;
mod normal;
mod notes;
mod pipelines;
mod privacy;
mod problems;
mod record_access;
mod records;
mod rules;
mod scoring;
mod search;
mod settings;
mod tags;
mod teams;
mod todos;
pub mod trash;
mod views;
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
        let about =
            "Leads with an explained score, contacts, companies, deals, activities and to-dos.";
        app::routes().document(bz_http::openapi::base(Self::INFO, about))
    }

    async fn build(core: Core, config: CrmConfig) -> anyhow::Result<App> {
        let trash_days = config.trash_days;
        let state = AppState::new(core.clone(), config)?;
        let [deliver, purge] = bz_service::webhooks::jobs(&state);
        let jobs = [
            erasure::job(&core)?,
            trash::job(&state, trash_days),
            todos::reminders::job(state.clone()),
            jobs::run::job(&state),
            jobs::retention::job(&state),
            search::job(&core, state.meaning.clone()),
            deliver,
            purge,
        ];
        let more = automations::jobs(&state)?
            .into_iter()
            .chain(scoring::jobs(&state))
            .chain([search::backlog::job(&core), search::words::job(&core)]);
        let public = app::routes().into_router().with_state(state);
        let app = App::new(public.merge(bz_events::feed_routes().with_state(core)));
        Ok(jobs.into_iter().chain(more).fold(app, App::with_job))
    }
}
