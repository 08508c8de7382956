//! Relays a provider's server-sent events with a deadline for each part.

use std::{convert::Infallible, pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

/// The bytes of a stream of server-sent events. Faults after the first byte can no longer change the status, so they
/// arrive as an `error` event.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Infallible>> + Send>>;

/// Passes on what arrives; `idle` is the longest silence.
pub(super) fn relay(answer: reqwest::Response, idle: Duration) -> ByteStream {
    let parts = answer.bytes_stream();
    Box::pin(stream::unfold(
        Some(Box::pin(parts)),
        move |parts| async move {
            let mut parts = parts?;
            match tokio::time::timeout(idle, parts.next()).await {
                Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(parts))),
                Ok(None) => None,
                Ok(Some(Err(_))) => Some((
                    Ok(error_event(
                        "provider_error",
                        "the LLM provider closed early",
                    )),
                    None,
                )),
                Err(_) => Some((
                    Ok(error_event(
                        "deadline_exceeded",
                        "the LLM provider fell silent",
                    )),
                    None,
                )),
            }
        },
    ))
}

/// An error as OpenAI's clients understand it within a stream. The blank line in front ends the event that the provider
/// may have left half written.
fn error_event(code: &str, message: &str) -> Bytes {
    Bytes::from(format!(
        "\n\ndata: {{\"error\":{{\"code\":\"{code}\",\"message\":\"{message}\"}}}}\n\n"
    ))
}
