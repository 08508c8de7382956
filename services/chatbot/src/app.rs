//! What the chatbot's handlers share, and the list of its routes.

use std::sync::Arc;

use axum::extract::FromRef;
use bz_auth::Verifier;
use bz_http::Routes;
use bz_service::{Core, limiter::Limiter};

use crate::{
    actions,
    agents::AgentService,
    analytics::Analytics,
    chat,
    config::{ChatConfig, LlmUse},
    conversations,
    crm::Crm,
    feedback, guide, handoffs,
    knowledge::Knowledge,
    llm::Llm,
    members::Members,
    rewording::Rewording,
    widget,
};

/// The buckets that a process keeps while it counts alone.
const MOST_BUCKETS: usize = 20_000;

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct AppState {
    /// What every service has.
    pub(crate) core: Core,
    /// Where to-dos and leads are.
    pub(crate) crm: Crm,
    /// Where numbers are.
    pub(crate) analytics: Analytics,
    /// Who runs agents.
    pub(crate) agents: AgentService,
    /// Who is who in the tenant.
    pub(crate) members: Members,
    /// The tenant's documents.
    pub(crate) knowledge: Knowledge,
    /// The second opinion, when it is wanted.
    pub(crate) llm: Option<Llm>,
    /// Who says answers in other words, when that is wanted.
    pub(crate) rewording: Option<Rewording>,
    /// How often messages may be sent.
    pub(crate) limiter: Arc<Limiter>,
    /// Messages a minute of one user; 0 for any number.
    pub(crate) per_user: u32,
    /// Messages a minute of one tenant; 0 for any number.
    pub(crate) per_tenant: u32,
    /// Days for which conversations are kept; 0 for good.
    pub(crate) retention_days: u32,
}

impl AppState {
    /// Puts the state together. Connects to nothing yet.
    pub(crate) fn new(core: Core, config: &ChatConfig) -> anyhow::Result<Self> {
        let llm = match config.llm {
            LlmUse::Auto => Some(Llm::new(&core)?),
            LlmUse::Off => None,
        };
        let rewording = match config.rewording {
            LlmUse::Auto => Some(Rewording::new(&core)?),
            LlmUse::Off => None,
        };
        Ok(Self {
            crm: Crm::new(&core)?,
            analytics: Analytics::new(&core)?,
            agents: AgentService::new(&core)?,
            members: Members::new(&core)?,
            knowledge: Knowledge::new(&core)?,
            llm,
            rewording,
            limiter: Arc::new(Limiter::new(MOST_BUCKETS)),
            per_user: config.per_user,
            per_tenant: config.per_tenant,
            retention_days: config.retention_days,
            core,
        })
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
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .merge(chat::routes())
        .merge(actions::routes())
        .merge(conversations::routes())
        .merge(feedback::routes())
        .merge(handoffs::routes())
        .merge(guide::routes())
        .merge(widget::routes())
}
