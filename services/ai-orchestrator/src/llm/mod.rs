//! Models for chats: providers in an order, each behind a circuit breaker, spoken to in OpenAI's wire format or translated
//! from it, charged to budgets. All of it is optional; without a provider everything that needs one answers
//! `no_provider_available`.

mod anthropic;
mod assemble;
mod breaker;
pub mod chat;
mod choose;
mod config;
mod embeddings;
mod error;
mod estimate;
mod gateway;
mod in_process;
mod openai;
mod provider;
mod read;
mod sse;
mod status;
mod stream;
mod zeros;

pub use chat::{
    Charge, ChatAnswer, ChatRequest, FinishReason, Message, ResponseFormat, Tool, ToolCall,
    ToolChoice, Usage,
};
pub use config::{Kind, ProviderConfig, Providers};
pub use error::LlmError;
pub use gateway::{Asked, Gateway};
pub use openai::Llm;
pub use stream::ByteStream;
