//! What the chatbot can be told.

use std::str::FromStr;

use bz_service::config::{Config, Env};

/// When a language model is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LlmUse {
    /// Whenever it is of use and the AI orchestrator has a provider.
    Auto,
    /// Never.
    Off,
}

impl FromStr for LlmUse {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            _ => Err("write auto or off"),
        }
    }
}

/// The chatbot's own configuration.
#[derive(Debug, Clone)]
pub struct ChatConfig {
    /// When a language model is asked.
    pub llm: LlmUse,
    /// Whether a language model says answers in other words.
    pub rewording: LlmUse,
    /// Messages a minute of one user; 0 for any number.
    pub per_user: u32,
    /// Messages a minute of all users of a tenant; 0 for any number.
    pub per_tenant: u32,
    /// For how many days a conversation is kept in which nothing more is said; 0 for good.
    pub retention_days: u32,
}

impl Config for ChatConfig {
    fn read(env: &mut Env) -> Option<Self> {
        let llm = env
            .parsed(
                "CHAT_LLM",
                "auto or off",
                "Whether a language model is asked about what the rules do not understand.",
            )
            .or("auto");
        let rewording = env
            .parsed(
                "CHAT_REWORDING",
                "auto or off",
                "Whether a language model says answers in other words; when a fact would be lost they stay as they are.",
            )
            .or("off");
        let per_user = env
            .number(
                "CHAT_MESSAGES_PER_USER",
                "Messages a minute of one user; 0 for any number.",
            )
            .or("60");
        let per_tenant = env
            .number(
                "CHAT_MESSAGES_PER_TENANT",
                "Messages a minute of all users of a tenant; 0 for any number.",
            )
            .or("600");
        let retention_days = env
            .number(
                "CHAT_RETENTION_DAYS",
                "For how many days a conversation is kept in which nothing more is said; 0 for good.",
            )
            .or("365");
        Some(Self {
            llm: llm?,
            rewording: rewording?,
            per_user: per_user?,
            per_tenant: per_tenant?,
            retention_days: retention_days?,
        })
    }
}
