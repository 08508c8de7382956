//! Relays a provider's server-sent events with a deadline for each part.

use std::{convert::Infallible, pin::Pin, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use serde_json::Value;

use super::{
    LlmError, Usage,
    assemble::{self, Assembly},
};
use crate::budgets::Reservation;

/// The bytes of a stream of server-sent events. Faults after the first byte can no longer change the status, so they
/// arrive as an `error` event.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, Infallible>> + Send>>;

/// How much of a stream is passed on, and kept until it ends; a longer one is a fault of the provider.
const MAX_STREAM_BYTES: usize = 32 * 1024 * 1024;

/// Passes on what arrives; `idle` is the longest silence.
pub(super) fn relay(answer: reqwest::Response, idle: Duration) -> ByteStream {
    let parts = answer.bytes_stream();
    Box::pin(stream::unfold(
        Some((Box::pin(parts), 0)),
        move |state| async move {
            let (mut parts, so_far) = state?;
            match tokio::time::timeout(idle, parts.next()).await {
                Ok(Some(Ok(bytes))) if so_far + bytes.len() > MAX_STREAM_BYTES => Some((
                    Ok(error_event(
                        "provider_error",
                        "the LLM provider does not come to an end",
                    )),
                    None,
                )),
                Ok(Some(Ok(bytes))) => {
                    let so_far = so_far + bytes.len();
                    Some((Ok(bytes), Some((parts, so_far))))
                }
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

/// Waits for the first part, so that another provider can be tried when it does not come or is an error.
pub(super) async fn begun(
    mut events: ByteStream,
    deadline: Duration,
) -> Result<ByteStream, LlmError> {
    let first = tokio::time::timeout(deadline, events.next()).await;
    let first = match first {
        Ok(Some(Ok(first))) => first,
        Ok(None) => return Err(LlmError::Malformed("the stream ended early".to_owned())),
        Err(_) => return Err(LlmError::Deadline),
    };
    let mut assembly = Assembly::default();
    assembly.take(&first);
    if assembly.is_error() {
        return Err(assembly.document().err().unwrap_or(LlmError::Deadline));
    }
    Ok(stream::iter([Ok(first)]).chain(events).boxed())
}

/// Reads a stream to its end; its text is told as it comes.
pub(super) async fn collect(
    mut events: ByteStream,
    assembly: &mut Assembly,
    said: &(dyn Fn(&str) + Send + Sync),
) {
    while let Some(Ok(bytes)) = events.next().await {
        let text = assembly.take(&bytes);
        if !text.is_empty() {
            said(&text);
        }
    }
}

/// An answer that came at once, as a stream.
pub(super) fn at_once(answer: &Value) -> ByteStream {
    let events = assemble::events(answer).into_iter();
    let events = events.map(|event| format!("data: {event}\n\n"));
    let events: String = events.chain(["data: [DONE]\n\n".to_owned()]).collect();
    stream::iter([Ok(Bytes::from(events))]).boxed()
}

/// What a use costs.
pub(super) type Prices = Box<dyn Fn(&Usage) -> i64 + Send + Sync>;

/// What is settled when a stream ends or is left.
pub(super) struct Meter {
    pub(super) prompt: u64,
    pub(super) must_call: bool,
    pub(super) prices: Prices,
    pub(super) reserved: Option<Reservation>,
    pub(super) remaining: Option<i64>,
}

/// A stream, read along as it passes.
struct Metered {
    events: Option<ByteStream>,
    assembly: Assembly,
    meter: Meter,
}

impl Drop for Metered {
    fn drop(&mut self) {
        let usage = self.assembly.usage(self.meter.prompt);
        let cost = (self.meter.prices)(&usage);
        if let Some(reserved) = self.meter.reserved.take() {
            reserved.settle_later(usage, cost);
        }
    }
}

/// The stream with its use settled at its end. One that ended early, or without the call that it had to make, gets an
/// event that says so.
pub(super) fn metered(events: ByteStream, meter: Meter) -> ByteStream {
    let state = Metered {
        events: Some(events),
        assembly: Assembly::default(),
        meter,
    };
    Box::pin(stream::unfold(state, |mut state| async move {
        let Some(part) = state.events.as_mut()?.next().await else {
            state.events = None;
            let (code, message) = state.assembly.fault(state.meter.must_call)?;
            return Some((Ok(error_event(code, message)), state));
        };
        if let Ok(bytes) = &part {
            state.assembly.take(bytes);
        }
        Some((part, state))
    }))
}
