//! A chat as the platform's own code asks for it: agents, titles, repairs. It becomes OpenAI's wire format, which is what
//! every provider is spoken to in or translated from.

use bz_kernel::{CrewId, RunId, TenantId, UserId};
use bz_tenant::TenantScope;
use serde_json::{Map, Value, json};

use super::LlmError;

/// Whom a call is charged to.
#[derive(Debug, Clone, Copy)]
pub struct Charge {
    /// The tenant, whose budgets and accounts it counts in.
    pub tenant: TenantId,
    /// The user for whom it is made.
    pub user: UserId,
    /// The run that makes it.
    pub run: Option<RunId>,
    /// The crew whose run makes it; crews have budgets of their own.
    pub crew: Option<CrewId>,
}

impl Charge {
    /// A call that a user makes directly.
    #[must_use]
    pub const fn of_user(tenant: TenantId, user: UserId) -> Self {
        Self {
            tenant,
            user,
            run: None,
            crew: None,
        }
    }

    /// The scope of the transactions that reserve and settle.
    #[must_use]
    pub const fn scope(&self) -> TenantScope {
        TenantScope::new(self.tenant, Some(self.user))
    }
}

/// What a model is asked.
#[derive(Debug, Clone, Default)]
pub struct ChatRequest {
    /// The conversation so far; at least one message.
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Whether it must.
    pub tool_choice: ToolChoice,
    /// The form that the text of the answer must have; plain text when not given.
    pub response_format: Option<ResponseFormat>,
    /// The most tokens of the answer; the gateway's default when not given. Reserved in the budgets before the call.
    pub max_tokens: Option<u32>,
    /// 0 to 2; the provider's own when not given.
    pub temperature: Option<f32>,
    /// The models (or names of providers) to be tried, in order; the configured order when empty.
    pub models: Vec<String>,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Instructions.
    System(String),
    /// What a person, or the orchestrator for one, says.
    User(String),
    /// What the model said and called before.
    Assistant {
        /// Its text.
        content: Option<String>,
        /// Its calls.
        tool_calls: Vec<ToolCall>,
    },
    /// What a call gave.
    Tool {
        /// [`ToolCall::id`] of the call.
        call: String,
        /// The result, for the model to read.
        content: String,
    },
}

/// A function that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// 1 to 64 letters, digits, `_` and `-`: what providers take.
    pub name: String,
    /// For the model.
    pub description: String,
    /// JSON schema of the arguments, an object.
    pub parameters: Value,
}

/// Whether the model must call a tool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ToolChoice {
    /// As it likes.
    #[default]
    Auto,
    /// It must not.
    None,
    /// It must call one; an answer that does not is [`LlmError::ToolChoiceIgnored`].
    Required,
    /// It must call this one.
    Named(String),
}

/// The form of an answer's text.
#[derive(Debug, Clone, PartialEq)]
pub enum ResponseFormat {
    /// Some JSON object.
    Json,
    /// JSON that follows a schema.
    Schema {
        /// A name for the provider.
        name: String,
        /// The JSON schema.
        schema: Value,
    },
}

/// A call that the model makes.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Given by the provider; what [`Message::Tool`] refers to.
    pub id: String,
    /// Name of the tool. May be one that was not offered: the caller checks.
    pub name: String,
    /// Arguments: JSON, checked to be an object, not against the tool's schema.
    pub arguments: Value,
}

/// Tokens of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the request.
    pub prompt_tokens: u32,
    /// Of the answer.
    pub completion_tokens: u32,
    /// The provider told none, and these are counted from the characters.
    pub estimated: bool,
}

impl Usage {
    /// What was counted here, because the provider told nothing.
    pub(super) fn estimated(prompt: u64, completion: u64) -> Self {
        let number = |tokens: u64| u32::try_from(tokens).unwrap_or(u32::MAX);
        Self {
            prompt_tokens: number(prompt),
            completion_tokens: number(completion),
            estimated: true,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.prompt_tokens as u64 + self.completion_tokens as u64
    }
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// It was complete.
    Stop,
    /// It reached `max_tokens`: text and arguments may be cut.
    Length,
    /// It calls tools.
    ToolCalls,
    /// The provider's filter ended it.
    ContentFilter,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatAnswer {
    /// Its text.
    pub content: Option<String>,
    /// Its calls.
    pub tool_calls: Vec<ToolCall>,
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// Tokens, as charged.
    pub usage: Usage,
    /// Name of the provider that answered.
    pub provider: String,
    /// The model that answered.
    pub model: String,
    /// What it cost, in millionths of the currency of the configured prices.
    pub cost: i64,
    /// The providers that failed before this one answered, and how ([`LlmError::code`]).
    pub fallbacks: Vec<(String, &'static str)>,
}

impl ChatRequest {
    /// The request in OpenAI's wire format, without `model`.
    #[must_use]
    pub fn to_wire(&self) -> Map<String, Value> {
        let messages: Vec<Value> = self.messages.iter().map(Message::to_wire).collect();
        let mut body = Map::from_iter([("messages".to_owned(), Value::Array(messages))]);
        if !self.tools.is_empty() {
            let tools: Vec<Value> = self.tools.iter().map(Tool::to_wire).collect();
            body.insert("tools".to_owned(), Value::Array(tools));
            body.insert("tool_choice".to_owned(), self.tool_choice.to_wire());
        }
        if let Some(format) = &self.response_format {
            body.insert("response_format".to_owned(), format.to_wire());
        }
        if let Some(most) = self.max_tokens {
            body.insert("max_tokens".to_owned(), json!(most));
        }
        if let Some(temperature) = self.temperature {
            body.insert("temperature".to_owned(), json!(temperature));
        }
        body
    }
}

impl Message {
    fn to_wire(&self) -> Value {
        match self {
            Self::System(text) => json!({ "role": "system", "content": text }),
            Self::User(text) => json!({ "role": "user", "content": text }),
            Self::Tool { call, content } => {
                json!({ "role": "tool", "tool_call_id": call, "content": content })
            }
            Self::Assistant {
                content,
                tool_calls,
            } if tool_calls.is_empty() => json!({ "role": "assistant", "content": content }),
            Self::Assistant {
                content,
                tool_calls,
            } => {
                let calls: Vec<Value> = tool_calls.iter().map(ToolCall::to_wire).collect();
                json!({ "role": "assistant", "content": content, "tool_calls": calls })
            }
        }
    }
}

impl ToolCall {
    fn to_wire(&self) -> Value {
        let function = json!({ "name": self.name, "arguments": self.arguments.to_string() });
        json!({ "id": self.id, "type": "function", "function": function })
    }

    /// The call in an answer; what is not a call, or has arguments that are not a JSON object, is the provider's fault.
    fn from_wire(call: &Value) -> Result<Self, LlmError> {
        let text = |pointer| call.pointer(pointer).and_then(Value::as_str);
        let name = text("/function/name")
            .ok_or_else(|| LlmError::Malformed("a call without the name of a tool".to_owned()))?;
        let arguments = match text("/function/arguments").map(str::trim) {
            None | Some("") => json!({}),
            Some(arguments) => serde_json::from_str(arguments).unwrap_or(Value::Null),
        };
        if !arguments.is_object() {
            let message = format!("the arguments for {name:.64} are not a JSON object");
            return Err(LlmError::Malformed(message));
        }
        Ok(Self {
            id: text("/id").unwrap_or_default().to_owned(),
            name: name.to_owned(),
            arguments,
        })
    }
}

impl Tool {
    fn to_wire(&self) -> Value {
        json!({
            "type": "function",
            "function": { "name": self.name, "description": self.description, "parameters": self.parameters },
        })
    }
}

impl ToolChoice {
    fn to_wire(&self) -> Value {
        match self {
            Self::Auto => json!("auto"),
            Self::None => json!("none"),
            Self::Required => json!("required"),
            Self::Named(name) => json!({ "type": "function", "function": { "name": name } }),
        }
    }
}

impl ResponseFormat {
    fn to_wire(&self) -> Value {
        match self {
            Self::Json => json!({ "type": "json_object" }),
            Self::Schema { name, schema } => {
                let schema = json!({ "name": name, "schema": schema, "strict": true });
                json!({ "type": "json_schema", "json_schema": schema })
            }
        }
    }
}

/// The first choice of an answer in OpenAI's wire format.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choice {
    pub(super) content: Option<String>,
    pub(super) tool_calls: Vec<ToolCall>,
    pub(super) finish_reason: FinishReason,
}

impl Choice {
    /// Reads a `chat.completion`.
    pub(super) fn from_wire(document: &Value) -> Result<Self, LlmError> {
        let missing = || LlmError::Malformed("no message in the answer".to_owned());
        let choice = document.pointer("/choices/0").ok_or_else(missing)?;
        let message = choice.get("message").ok_or_else(missing)?;
        let calls = message.get("tool_calls").and_then(Value::as_array);
        let tool_calls: Vec<ToolCall> = calls
            .into_iter()
            .flatten()
            .map(ToolCall::from_wire)
            .collect::<Result<_, _>>()?;
        let finish_reason = match choice["finish_reason"].as_str() {
            Some("length") => FinishReason::Length,
            Some("content_filter") => FinishReason::ContentFilter,
            // Some servers say `stop` beside calls.
            _ if !tool_calls.is_empty() => FinishReason::ToolCalls,
            _ => FinishReason::Stop,
        };
        let content = message["content"].as_str();
        Ok(Self {
            content: content
                .filter(|content| !content.is_empty())
                .map(str::to_owned),
            tool_calls,
            finish_reason,
        })
    }
}

/// A tool that was demanded must have been called; a server whose model knows no tools answers with text instead.
///
/// # Errors
/// [`LlmError::ToolChoiceIgnored`].
pub(super) fn obeyed(request: &Map<String, Value>, answer: &Value) -> Result<(), LlmError> {
    let called = |name: Option<&str>| {
        let calls = answer.pointer("/choices/0/message/tool_calls");
        let mut calls = calls.and_then(Value::as_array).into_iter().flatten();
        calls.any(|call| name.is_none_or(|name| call["function"]["name"] == name))
    };
    let fine = match request.get("tool_choice") {
        Some(Value::String(choice)) if choice == "required" => called(None),
        Some(Value::Object(choice)) => called(
            choice
                .get("function")
                .and_then(|function| function["name"].as_str()),
        ),
        _ => true,
    };
    fine.then_some(()).ok_or(LlmError::ToolChoiceIgnored)
}

/// The tokens that an answer tells of, when it does.
pub(super) fn usage(answer: &Value) -> Option<Usage> {
    let count = |name| answer["usage"][name].as_u64();
    let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Some(Usage {
        prompt_tokens: number(count("prompt_tokens")?),
        completion_tokens: number(count("completion_tokens").unwrap_or(0)),
        estimated: false,
    })
}
