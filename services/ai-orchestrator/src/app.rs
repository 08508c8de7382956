//! What the AI orchestrator's handlers share, and the list of its routes.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_kernel::platform;
use bz_service::Core;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    agents::{self, AgentCard},
    embeddings,
    llm::{Llm, LlmError},
    openai,
};

/// What a request has left, once the provider's time is over, to say so.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// What every handler gets.
#[derive(Clone)]
pub struct AppState {
    /// What every service has.
    pub core: Core,
    /// The provider, when one is configured.
    pub llm: Option<Llm>,
    /// The catalogue.
    pub agents: Arc<[AgentCard]>,
}

impl AppState {
    /// The provider for a request that waits for its work, which may last longer than other requests do.
    pub(crate) fn working_llm(&self) -> Result<&Llm, LlmError> {
        let llm = self.llm.as_ref().ok_or(LlmError::NotConfigured)?;
        bz_http::context::extend_deadline(llm.deadline() + ANSWER_MARGIN);
        Ok(llm)
    }
}

impl FromRef<AppState> for Verifier {
    fn from_ref(app: &AppState) -> Self {
        app.core.verifier.clone()
    }
}

/// All routes, with their documentation.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let info = bz_http::openapi::base(
        &platform::AI_ORCHESTRATOR,
        "Agents, embeddings and a gateway to an LLM.",
    );
    OpenApiRouter::with_openapi(info)
        .merge(agents::routes())
        .merge(embeddings::routes())
        .merge(openai::routes())
}
