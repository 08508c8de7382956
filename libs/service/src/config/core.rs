//! The configuration that all services share.

use std::time::Duration;

use bz_kernel::{PlatformSecret, SecretString, ServiceInfo, platform};
use url::Url;

use super::address::{database_url, redis_url};
use super::{Env, ServerConfig};
use crate::telemetry::TelemetryConfig;

/// What every service needs: where to listen, its database, its siblings, its limits.
#[derive(Debug, Clone)]
pub struct CoreConfig {
    /// The listener and its limits.
    pub server: ServerConfig,
    /// Logs, traces and metrics.
    pub telemetry: TelemetryConfig,
    /// Address of the database, with the role and its password.
    pub database_url: SecretString,
    /// Most connections to the database.
    pub db_pool_size: u32,
    /// Longest wait for a free connection.
    pub db_acquire_timeout: Duration,
    /// Address of Redis; `None` runs without.
    pub redis_url: Option<SecretString>,
    /// The installation's secret.
    pub platform_secret: PlatformSecret,
    /// Where the siblings are.
    pub siblings: SiblingUrls,
    /// The `iss` of access tokens.
    pub issuer: String,
}

/// Base addresses of the five services.
#[derive(Debug, Clone)]
pub struct SiblingUrls {
    /// Tenants, users, tokens.
    pub identity: Url,
    /// Agents and the LLM gateway.
    pub ai_orchestrator: Url,
    /// Conversations.
    pub chatbot: Url,
    /// Leads and to-dos.
    pub crm: Url,
    /// Events and dashboards.
    pub analytics: Url,
}

impl CoreConfig {
    /// Reads the shared variables for one service.
    pub fn read(env: &mut Env, info: &'static ServiceInfo) -> Option<Self> {
        let server = ServerConfig::read(env, info);
        let telemetry = TelemetryConfig::read(env);
        let database_url = database_url(env, info);
        let db_pool_size = env
            .number("DB_POOL_SIZE", "Most connections to the database.")
            .within(1, 1000)
            .or("10");
        let db_acquire_timeout = env
            .duration("DB_ACQUIRE_TIMEOUT", "Longest wait for a free connection.")
            .or("1s");
        let redis_url = redis_url(env);
        let platform_secret = env
            .secret(
                "PLATFORM_SECRET",
                "The installation's secret, the same for all services; at least 32 bytes.",
            )
            .map(|secret| PlatformSecret::new(secret).map_err(|error| error.to_string()))
            .required();
        let siblings = SiblingUrls::read(env);
        let issuer = env
            .text(
                "ISSUER",
                "The `iss` of access tokens, the same for all services.",
            )
            .or("http://localhost:8001");
        Some(Self {
            server: server?,
            telemetry: telemetry?,
            database_url: database_url?,
            db_pool_size: db_pool_size?,
            db_acquire_timeout: db_acquire_timeout?,
            redis_url: redis_url?,
            platform_secret: platform_secret?,
            siblings: siblings?,
            issuer: issuer?,
        })
    }
}

impl SiblingUrls {
    /// Reads the addresses; the local ones when unset.
    pub fn read(env: &mut Env) -> Option<Self> {
        let mut url = |info: &ServiceInfo, doc| {
            env.url(info.url_variable, doc)
                .or(format!("http://127.0.0.1:{}", info.port))
        };
        let identity = url(&platform::IDENTITY, "Base address of identity.");
        let ai_orchestrator = url(
            &platform::AI_ORCHESTRATOR,
            "Base address of the AI orchestrator.",
        );
        let chatbot = url(&platform::CHATBOT, "Base address of the chatbot.");
        let crm = url(&platform::CRM, "Base address of the CRM.");
        let analytics = url(&platform::ANALYTICS, "Base address of analytics.");
        Some(Self {
            identity: identity?,
            ai_orchestrator: ai_orchestrator?,
            chatbot: chatbot?,
            crm: crm?,
            analytics: analytics?,
        })
    }

    /// The base address of one service.
    #[must_use]
    pub fn of(&self, info: &ServiceInfo) -> &Url {
        match info.name {
            "identity" => &self.identity,
            "ai-orchestrator" => &self.ai_orchestrator,
            "chatbot" => &self.chatbot,
            "crm" => &self.crm,
            _ => &self.analytics,
        }
    }
}
