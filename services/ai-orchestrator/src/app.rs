//! What the AI orchestrator's handlers share, and the list of its routes.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_http::Routes;
use bz_kernel::{ExposeSecret, RunId, Sealer, SecretString, platform};
use bz_service::Core;
use uuid::Uuid;

use crate::{
    agents::{self, ReadyAgent},
    budgets, crews, embeddings, knowledge,
    llm::{Gateway, LlmError},
    mcp::server::{self as mcp_server, Origins},
    mcp_servers, memory,
    models::{self, Models},
    openai,
    runs::{self, Runs},
    schedules,
    tools::{self, Toolbox},
    usage,
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
    /// The ready agents.
    pub agents: Arc<[ReadyAgent]>,
    /// What tools call.
    pub(crate) toolbox: Toolbox,
    /// Seals the headers of tools.
    pub(crate) tool_secrets: Sealer,
    /// Seals the tokens with which runs work.
    pub(crate) credentials: Sealer,
    /// Web pages that may speak the Model Context Protocol with it.
    pub(crate) mcp_origins: Origins,
    /// The worker of this process.
    pub(crate) runs: Runs,
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

    /// Tells the readers of the feed that there is something new. Called after the commit; a reader that misses it
    /// looks by itself soon.
    pub(crate) fn wake(&self) {
        bz_events::wake(&self.core.redis, platform::AI_ORCHESTRATOR.schema);
    }

    /// The ready agent of a name.
    pub(crate) fn ready_agent(&self, name: &str) -> Option<&ReadyAgent> {
        self.agents.iter().find(|ready| ready.name == name)
    }

    /// A token with which a run works, for the store: bound to the run, so that it opens for no other.
    pub(crate) fn credential(&self, run: RunId, token: &SecretString) -> Vec<u8> {
        let plain = token.expose_secret().as_bytes();
        self.credentials.seal(run.as_uuid().as_bytes(), plain)
    }

    /// The token with which a run works.
    pub(crate) fn token_of(&self, run: RunId, sealed: &[u8]) -> Option<SecretString> {
        let plain = self
            .credentials
            .open(run.as_uuid().as_bytes(), sealed)
            .ok()?;
        String::from_utf8(plain).ok().map(SecretString::from)
    }
}

impl FromRef<AppState> for Verifier {
    fn from_ref(app: &AppState) -> Self {
        app.core.verifier.clone()
    }
}

/// All routes, with their documentation.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .merge(agents::routes())
        .merge(budgets::routes())
        .merge(crews::routes())
        .merge(runs::routes())
        .merge(schedules::routes())
        .merge(tools::routes())
        .merge(embeddings::routes())
        .merge(knowledge::routes())
        .merge(memory::routes())
        .merge(mcp_server::routes())
        .merge(mcp_servers::routes())
        .merge(models::routes())
        .merge(openai::routes())
        .merge(usage::routes())
}
