//! What the chatbot can be told.

use std::str::FromStr;

use bz_service::config::{Config, Env};

/// When a language model is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LlmUse {
    /// When the rules understand nothing and the AI orchestrator has a provider.
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
        Some(Self { llm: llm? })
    }
}
