//! The CRM: leads with a score that explains itself, contacts, companies, deals, activities and to-dos.

mod app;
mod companies;
mod contacts;
mod leads;
mod normal;
mod outbox;
mod problems;
mod records;
mod rules;
mod scoring;
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
        let [scores, trainings] = scoring::jobs(&state);
        let public = app::routes().split_for_parts().0.with_state(state);
        let erasure = erasure::job(&core)?;
        Ok(
            App::new(public.merge(bz_events::feed_routes().with_state(core)))
                .with_job(erasure)
                .with_job(scores)
                .with_job(trainings),
        )
    }
}
