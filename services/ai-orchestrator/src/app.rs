//! What the AI orchestrator's handlers share, and the list of its routes.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_kernel::{ExposeSecret, RunId, Sealer, SecretString, platform};
use bz_service::Core;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    agents::{self, ReadyAgent},
    crews, embeddings,
    llm::{Gateway, Llm, LlmError},
    openai,
    runs::{self, Runs},
    schedules,
    tools::{self, Toolbox},
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
    /// The way to the models.
    pub gateway: Gateway,
    /// The ready agents.
    pub agents: Arc<[ReadyAgent]>,
    /// What tools call.
    pub(crate) toolbox: Toolbox,
    /// Seals the headers of tools.
    pub(crate) tool_secrets: Sealer,
    /// Seals the tokens with which runs work.
    pub(crate) credentials: Sealer,
    /// The worker of this process.
    pub(crate) runs: Runs,
}

impl AppState {
    /// The provider for a request that waits for its work, which may last longer than other requests do.
    pub(crate) fn working_llm(&self) -> Result<&Llm, LlmError> {
        let llm = self.llm.as_ref().ok_or(LlmError::NotConfigured)?;
        bz_http::context::extend_deadline(llm.deadline() + ANSWER_MARGIN);
        Ok(llm)
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
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let info = bz_http::openapi::base(
        &platform::AI_ORCHESTRATOR,
        "Agents, crews and their runs, embeddings and a gateway to an LLM.",
    );
    OpenApiRouter::with_openapi(info)
        .merge(agents::routes())
        .merge(crews::routes())
        .merge(runs::routes())
        .merge(schedules::routes())
        .merge(tools::routes())
        .merge(embeddings::routes())
        .merge(openai::routes())
}
