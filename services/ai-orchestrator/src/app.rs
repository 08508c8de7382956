//! What the AI orchestrator's handlers share, and the list of its routes.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_kernel::platform;
use bz_service::Core;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::{
    agents::{self, AgentCard},
    budgets, embeddings,
    llm::{Gateway, LlmError},
    models::{self, Models},
    openai, usage,
};

/// What a request has left, once the provider's time is over, to say so.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

/// What every handler gets.
#[derive(Clone)]
pub struct AppState {
    /// What every service has.
    pub core: Core,
    /// The way to the models that chat.
    pub gateway: Gateway,
    /// The models within the process.
    pub(crate) models: Models,
    /// The tenant whose administrators may load and unload them.
    pub model_admin_tenant: Option<Uuid>,
    /// The catalogue.
    pub agents: Arc<[AgentCard]>,
}

impl AppState {
    /// The gateway for a request that waits for its work, which may last longer than other requests do.
    pub(crate) fn working_gateway(&self) -> Result<&Gateway, LlmError> {
        if !self.gateway.is_configured() {
            return Err(LlmError::NotConfigured);
        }
        bz_http::context::extend_deadline(self.gateway.patience() + ANSWER_MARGIN);
        Ok(&self.gateway)
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
        .merge(budgets::routes())
        .merge(embeddings::routes())
        .merge(models::routes())
        .merge(openai::routes())
        .merge(usage::routes())
}
