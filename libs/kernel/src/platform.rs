//! The five services: names, ports and schemas, in one table.

/// What the platform knows of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceInfo {
    /// Name of the binary, the crate and the container: `crm`.
    pub name: &'static str,
    /// Name that health answers: `crm-service`.
    pub health_name: &'static str,
    /// One line of what it owns.
    pub owns: &'static str,
    /// Schema in Postgres and prefix of its database roles: `crm`, `crm_api`.
    pub schema: &'static str,
    /// Port of the API.
    pub port: u16,
    /// Port of the Kubernetes NodePort.
    pub node_port: u16,
    /// Port of `/metrics`.
    pub admin_port: u16,
    /// Environment variable by which siblings find it.
    pub url_variable: &'static str,
}

/// Tenants, users, sessions, tokens.
pub const IDENTITY: ServiceInfo = ServiceInfo {
    name: "identity",
    health_name: "identity-service",
    owns: "tenants, users, sessions, tokens, roles",
    schema: "identity",
    port: 8001,
    node_port: 30101,
    admin_port: 9001,
    url_variable: "IDENTITY_URL",
};

/// Agents, runs, embeddings, the LLM gateway.
pub const AI_ORCHESTRATOR: ServiceInfo = ServiceInfo {
    name: "ai-orchestrator",
    health_name: "ai-orchestrator-service",
    owns: "agents, embeddings, the LLM gateway",
    schema: "ai",
    port: 8002,
    node_port: 30102,
    admin_port: 9002,
    url_variable: "AI_ORCHESTRATOR_URL",
};

/// Conversations.
pub const CHATBOT: ServiceInfo = ServiceInfo {
    name: "chatbot",
    health_name: "chatbot-service",
    owns: "conversations",
    schema: "chat",
    port: 8003,
    node_port: 30103,
    admin_port: 9003,
    url_variable: "CHATBOT_URL",
};

/// Leads and to-dos.
pub const CRM: ServiceInfo = ServiceInfo {
    name: "crm",
    health_name: "crm-service",
    owns: "leads, to-dos, lead scoring",
    schema: "crm",
    port: 8004,
    node_port: 30104,
    admin_port: 9004,
    url_variable: "CRM_URL",
};

/// Events, rollups and dashboards.
pub const ANALYTICS: ServiceInfo = ServiceInfo {
    name: "analytics",
    health_name: "analytics-service",
    owns: "events, rollups, dashboards",
    schema: "analytics",
    port: 8005,
    node_port: 30105,
    admin_port: 9005,
    url_variable: "ANALYTICS_URL",
};

/// All five, in the order of their ports.
pub const SERVICES: [&ServiceInfo; 5] = [&IDENTITY, &AI_ORCHESTRATOR, &CHATBOT, &CRM, &ANALYTICS];

impl ServiceInfo {
    /// The weak role that a pod logs in with.
    #[must_use]
    pub fn api_role(&self) -> String {
        format!("{}_api", self.schema)
    }
}
