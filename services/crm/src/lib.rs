//! The CRM: leads with a score that explains itself, contacts, companies, deals, activities and to-dos.

mod activities;
mod app;
mod companies;
mod contacts;
mod deals;
mod leads;
mod links;
mod normal;
mod notes;
mod pipelines;
mod problems;
mod records;
mod rules;
pub mod scoring;
mod todos;

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
    type Config = ();

    fn openapi() -> OpenApi {
        app::routes().into_openapi()
    }

    async fn build(core: Core, (): ()) -> anyhow::Result<App> {
        let state = AppState::new(core.clone());
        let public = app::routes().split_for_parts().0.with_state(state.clone());
        let erasure = erasure::job(&core)?;
        let app = App::new(public.merge(bz_events::feed_routes().with_state(core)));
        Ok(app.with_job(erasure).with_job(todos::reminders::job(state)))
    }
}
