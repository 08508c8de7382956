use axum::http::StatusCode;
use bz_http::Problem;
use serde_json::Value;

/// How much of a provider's own words is passed on.
const MESSAGE_CHARS: usize = 300;
/// When to try again while the provider loads its model.
const LOADING_SECONDS: u32 = 5;
/// When to try again after the provider had too many requests.
const RATE_LIMIT_SECONDS: u32 = 10;

/// What went wrong with a provider.
#[derive(Debug, thiserror::Error)]
pub enum LlmError {
    /// No provider is configured.
    #[error("no LLM provider is configured")]
    NotConfigured,
    /// All providers failed so often that they are left alone for a while.
    #[error("all LLM providers are left alone for a while, after they failed")]
    CircuitOpen,
    /// The database with the budgets failed.
    #[error("the budgets cannot be read")]
    Budgets(#[source] bz_tenant::DbError),
    /// The provider did not take the connection or closed it before it answered.
    #[error("the LLM provider cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The provider closed the connection within its answer.
    #[error("the LLM provider closed the connection within its answer")]
    Interrupted(#[source] reqwest::Error),
    /// The provider took too long.
    #[error("the LLM provider did not answer in time")]
    Deadline,
    /// The provider refused the request.
    #[error("the LLM provider answered {status}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What the provider said, cut to 300 characters.
        message: String,
    },
    /// The provider's answer is not what the protocol promises.
    #[error("the LLM provider's answer cannot be read: {0}")]
    Malformed(String),
    /// A tool had to be called and the provider answered with text.
    #[error("the LLM provider ignored that a tool must be called")]
    ToolChoiceIgnored,
    /// The caller gave up.
    #[error("the call was cancelled")]
    Cancelled,
    /// The request does not fit into the model; nothing was sent.
    #[error("{tokens} tokens do not fit into the model's {limit}")]
    ContextTooLarge {
        /// Of the request and the longest answer.
        tokens: u64,
        /// Of the model.
        limit: u64,
    },
    /// A hard budget has not enough left; nothing was sent.
    #[error("the budget of the {scope} has not enough left")]
    BudgetExceeded {
        /// `tenant`, `user` or `crew`.
        scope: String,
    },
}

impl LlmError {
    /// The code under which a problem, an event or a log line tells it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotConfigured
            | Self::CircuitOpen
            | Self::Unreachable(_)
            | Self::Refused { status: 503, .. } => "no_provider_available",
            Self::Budgets(_) => "database_unavailable",
            Self::Refused {
                status: 400 | 413 | 422,
                ..
            } => "provider_refused",
            Self::Refused { status: 429, .. } => "provider_rate_limited",
            Self::Refused { .. } | Self::Interrupted(_) | Self::Malformed(_) => "provider_error",
            Self::Deadline => "deadline_exceeded",
            Self::ToolChoiceIgnored => "tool_choice_ignored",
            Self::Cancelled => "cancelled",
            Self::ContextTooLarge { .. } => "context_too_large",
            Self::BudgetExceeded { .. } => "budget_exceeded",
        }
    }

    /// Whether the same call may succeed later. False for what the request itself is at fault for.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::CircuitOpen
            | Self::Budgets(_)
            | Self::Interrupted(_)
            | Self::Deadline
            | Self::Malformed(_)
            | Self::ToolChoiceIgnored => true,
            Self::Refused { status, .. } => matches!(*status, 408 | 409 | 429 | 500..),
            Self::NotConfigured
            | Self::Cancelled
            | Self::ContextTooLarge { .. }
            | Self::BudgetExceeded { .. } => false,
        }
    }

    /// Whether it counts against the provider.
    pub(super) const fn is_providers_fault(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Interrupted(_) | Self::Deadline | Self::Malformed(_) => {
                true
            }
            Self::Refused { status, .. } => *status >= 500,
            _ => false,
        }
    }

    /// A refusal with the sentence in its OpenAI-style body, or with the body's beginning.
    pub(super) fn refused(status: u16, body: &[u8]) -> Self {
        let document: Option<Value> = serde_json::from_slice(body).ok();
        let sentence = document
            .as_ref()
            .and_then(|document| document.pointer("/error/message"))
            .and_then(Value::as_str);
        let text = sentence.map_or_else(|| String::from_utf8_lossy(body), Into::into);
        let printable = text.chars().filter(|c| !c.is_control());
        Self::Refused {
            status,
            message: printable.take(MESSAGE_CHARS).collect(),
        }
    }
}

impl From<LlmError> for Problem {
    fn from(error: LlmError) -> Self {
        let unavailable = |code, title| Self::new(StatusCode::SERVICE_UNAVAILABLE, code, title);
        let none = |title| unavailable("no_provider_available", title);
        match error {
            // The provider found fault with what the client wrote, so the client may read why.
            LlmError::Refused {
                status: 400 | 413 | 422,
                message,
            } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "provider_refused",
                "The LLM provider refused the request",
            )
            .detail(message),
            LlmError::Refused { status: 429, .. } => unavailable(
                "provider_rate_limited",
                "The LLM provider has too many requests",
            )
            .retry_after(RATE_LIMIT_SECONDS)
            .caused_by(error),
            LlmError::Refused { status: 503, .. } => none("The LLM provider is not ready")
                .retry_after(LOADING_SECONDS)
                .caused_by(error),
            LlmError::NotConfigured => none("No LLM provider is configured"),
            LlmError::CircuitOpen => none("The LLM providers failed too often")
                .retry_after(RATE_LIMIT_SECONDS)
                .caused_by(error),
            LlmError::Budgets(error) => error.into(),
            LlmError::Unreachable(_) => none("The LLM provider cannot be reached").caused_by(error),
            LlmError::Deadline => Self::deadline_exceeded().caused_by(error),
            LlmError::ToolChoiceIgnored => Self::new(
                StatusCode::BAD_GATEWAY,
                "tool_choice_ignored",
                "The LLM provider answered without calling a tool",
            )
            .caused_by(error),
            LlmError::ContextTooLarge { .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "context_too_large",
                "The messages do not fit into the model",
            )
            .detail(error.to_string()),
            LlmError::BudgetExceeded { .. } => Self::new(
                StatusCode::PAYMENT_REQUIRED,
                "budget_exceeded",
                "The budget is used up",
            )
            .detail(error.to_string()),
            LlmError::Cancelled => {
                unavailable("cancelled", "The call was cancelled").caused_by(error)
            }
            LlmError::Refused { .. } | LlmError::Interrupted(_) | LlmError::Malformed(_) => {
                let title = "The LLM provider failed";
                Self::new(StatusCode::BAD_GATEWAY, "provider_error", title).caused_by(error)
            }
        }
    }
}
