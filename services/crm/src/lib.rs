//! The CRM: leads with a score that explains itself, contacts, companies, deals, activities and to-dos.

mod app;
mod bulk;
mod companies;
mod contacts;
mod exports;
mod imports;
mod jobs;
mod leads;
mod normal;
mod outbox;
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
        let app = AppState::new(core.clone());
        let public = app::routes().split_for_parts().0.with_state(app.clone());
        let erasure = erasure::job(&core)?;
        let router = public.merge(bz_events::feed_routes().with_state(core));
        Ok(App::new(router)
            .with_job(erasure)
            .with_job(jobs::run::job(&app))
            .with_job(jobs::retention::job(&app)))
    }
}
