//! The gateway as the platform's own code uses it, against what real servers were recorded to answer.

use std::time::{Duration, Instant};

use ai_orchestrator::llm::{
    Charge, ChatRequest, FinishReason, Gateway, Llm, LlmError, Message, Tool, ToolChoice,
};
use bz_kernel::{Sources, TenantId, UserId};
use bz_testkit::wait_until;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    provider::{Act, Provider},
    transcript::Transcript,
};

fn somebody() -> Charge {
    #[expect(clippy::disallowed_methods, reason = "no row is read for it")]
    let tenant = TenantId::trusted(uuid::Uuid::from_u128(1));
    Charge::of_user(tenant, UserId::from_uuid(uuid::Uuid::from_u128(2)))
}

fn gateway(provider: &Provider) -> Gateway {
    let base = format!("http://{}", provider.address()).parse().unwrap();
    let llm = Llm::new(&base, None, "smollm2".to_owned(), Duration::from_secs(5));
    Gateway::new(Some(llm.unwrap()), Sources::system())
}

/// The recorded request in the platform's words.
fn request(recorded: &Value) -> ChatRequest {
    let text = |message: &Value| message["content"].as_str().unwrap().to_owned();
    let messages = recorded["messages"].as_array().unwrap().iter();
    let messages = messages.map(|message| match message["role"].as_str() {
        Some("system") => Message::System(text(message)),
        _ => Message::User(text(message)),
    });
    let tools = recorded["tools"].as_array().into_iter().flatten();
    let tools = tools.map(|tool| Tool {
        name: tool["function"]["name"].as_str().unwrap().to_owned(),
        description: tool["function"]["description"].as_str().unwrap().to_owned(),
        parameters: tool["function"]["parameters"].clone(),
    });
    ChatRequest {
        messages: messages.collect(),
        tools: tools.collect(),
        tool_choice: match &recorded["tool_choice"] {
            Value::String(_) => ToolChoice::Required,
            Value::Object(choice) => {
                ToolChoice::Named(choice["function"]["name"].as_str().unwrap().to_owned())
            }
            _ => ToolChoice::Auto,
        },
        max_tokens: recorded["max_tokens"].as_u64().map(|n| n as u32),
        temperature: Some(0.0),
        ..ChatRequest::default()
    }
}

#[tokio::test]
async fn a_recorded_call_of_a_tool_arrives_with_its_arguments_read() {
    let Some(recorded) = Transcript::read("llama-cpp-python-tool-forced") else {
        return;
    };
    let provider = Provider::that(Act::Send(recorded.wire())).await;
    let answer = gateway(&provider)
        .chat(
            &somebody(),
            request(&recorded.request()),
            CancellationToken::new(),
        )
        .await
        .unwrap();
    assert_eq!(answer.finish_reason, FinishReason::ToolCalls);
    assert_eq!((answer.content, answer.model.as_str()), (None, "smollm2"));
    assert_eq!(answer.tool_calls.len(), 1);
    assert_eq!(answer.tool_calls[0].name, "create_todo");
    assert_eq!(answer.tool_calls[0].arguments["title"], "Invoice to Acme");
    assert_eq!(
        (answer.usage.prompt_tokens, answer.usage.completion_tokens),
        (305, 69)
    );

    // What was sent is what the recorded client sent.
    let (sent, expected) = (provider.last().body, recorded.request());
    for field in ["messages", "tools", "tool_choice", "max_tokens", "model"] {
        assert_eq!(sent[field], expected[field], "{field}");
    }
}

#[tokio::test]
async fn a_recorded_text_arrives() {
    let Some(recorded) = Transcript::read("llama-server-chat") else {
        return;
    };
    let provider = Provider::that(Act::Send(recorded.wire())).await;
    let answer = gateway(&provider)
        .chat(
            &somebody(),
            request(&recorded.request()),
            CancellationToken::new(),
        )
        .await
        .unwrap();
    assert_eq!(answer.finish_reason, FinishReason::Stop);
    let text = answer.content.unwrap();
    assert!(text.starts_with("I'm glad you're here."), "{text}");
    assert_eq!(answer.usage.total(), 57);
}

#[tokio::test]
async fn a_recorded_text_where_a_tool_was_required_is_an_error() {
    let Some(recorded) = Transcript::read("llama-server-tools-ignored") else {
        return;
    };
    let provider = Provider::that(Act::Send(recorded.wire())).await;
    let error = gateway(&provider)
        .chat(
            &somebody(),
            request(&recorded.request()),
            CancellationToken::new(),
        )
        .await
        .unwrap_err();
    assert!(matches!(error, LlmError::ToolChoiceIgnored), "{error}");
}

#[tokio::test]
async fn arguments_that_are_not_an_object_are_the_providers_fault() {
    for arguments in ["{\"title\": \"cut o", "[1]", "null", "\"title\""] {
        let call = json!({ "id": "c1", "type": "function", "function": { "name": "t", "arguments": arguments } });
        let message = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
        let choice = json!({ "index": 0, "message": message, "finish_reason": "tool_calls" });
        let provider = Provider::that(Act::json(200, &json!({ "choices": [choice] }))).await;
        let request = ChatRequest {
            messages: vec![Message::User("hello".to_owned())],
            ..ChatRequest::default()
        };
        let error = gateway(&provider)
            .chat(&somebody(), request, CancellationToken::new())
            .await
            .unwrap_err();
        assert!(matches!(error, LlmError::Malformed(_)), "{error}");
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn a_cancelled_call_ends_at_once_and_the_provider_is_told() {
    let provider = Provider::that(Act::FallSilent(Vec::new())).await;
    let (gateway, cancel) = (gateway(&provider), CancellationToken::new());
    let request = ChatRequest {
        messages: vec![Message::User("hello".to_owned())],
        ..ChatRequest::default()
    };
    let stop = cancel.clone();
    let who = somebody();
    let call = gateway.chat(&who, request, cancel);
    let leave = async {
        wait_until(async || provider.open() == 1, Duration::from_secs(5)).await;
        stop.cancel();
        Instant::now()
    };
    let (answer, left) = tokio::join!(call, leave);
    assert!(matches!(answer, Err(LlmError::Cancelled)));
    wait_until(async || provider.open() == 0, Duration::from_secs(1)).await;
    assert!(left.elapsed() < Duration::from_secs(1));
}
