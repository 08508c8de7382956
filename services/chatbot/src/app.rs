//! What the chatbot's handlers share, and the list of its routes.

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_kernel::platform;
use bz_service::Core;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    chat,
    config::{ChatConfig, LlmUse},
    conversations,
    crm::Crm,
    llm::Llm,
};

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct AppState {
    /// What every service has.
    pub(crate) core: Core,
    /// Where to-dos and leads are.
    pub(crate) crm: Crm,
    /// The second opinion, when it is wanted.
    pub(crate) llm: Option<Llm>,
}

impl AppState {
    /// Puts the state together. Connects to nothing yet.
    pub(crate) fn new(core: Core, config: &ChatConfig) -> anyhow::Result<Self> {
        let crm = Crm::new(&core)?;
        let llm = match config.llm {
            LlmUse::Auto => Some(Llm::new(&core)?),
            LlmUse::Off => None,
        };
        Ok(Self { core, crm, llm })
    }
}

impl FromRef<AppState> for Verifier {
    fn from_ref(app: &AppState) -> Self {
        app.core.verifier.clone()
    }
}

bz_auth::permissions! {
    /// See one's own conversations.
    ChatRead = "chat:read",
    /// Talk to the chatbot and delete conversations.
    ChatWrite = "chat:write",
}

/// All routes, with their documentation.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    let info = bz_http::openapi::base(
        &platform::CHATBOT,
        "Conversations that do things in the CRM.",
    );
    OpenApiRouter::with_openapi(info)
        .merge(chat::routes())
        .merge(conversations::routes())
}
