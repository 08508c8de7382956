//! What a client hears while its message is being answered.

use std::convert::Infallible;

use axum::response::sse::Event;
use futures_util::{Stream, stream};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::ChatReply;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ChatEvent {
    name: &'static str,
    data: Value,
}

/// Where events go; nowhere when nobody listens.
#[derive(Debug, Clone, Default)]
pub(super) struct Listener(Option<UnboundedSender<ChatEvent>>);

impl Listener {
    /// A listener, and what it hears. A message has few events, so nothing piles up.
    pub(super) fn new() -> (Self, UnboundedReceiver<ChatEvent>) {
        let (sender, receiver) = unbounded_channel();
        (Self(Some(sender)), receiver)
    }

    /// Tells that something happened. A client that went away misses it; the answer is kept for it.
    pub(super) fn tell(&self, name: &'static str, data: impl Serialize) {
        let Some(sender) = &self.0 else { return };
        if let Ok(data) = serde_json::to_value(data) {
            let _gone = sender.send(ChatEvent { name, data });
        }
    }

    /// Tells what an answer has, and that it is complete. Its text comes line by line.
    pub(super) fn complete(&self, answer: &ChatReply) {
        for part in &answer.degraded {
            self.tell("degraded", json!({ "part": part }));
        }
        if let Some(confirmation) = &answer.confirmation {
            self.tell("confirmation.required", confirmation);
        }
        for citation in &answer.citations {
            self.tell("citation", citation);
        }
        for line in answer.reply.split_inclusive('\n') {
            self.tell("delta", json!({ "text": line }));
        }
        self.tell("message.completed", answer);
    }
}

/// The events as the client gets them, until the answer is complete.
pub(super) fn stream(
    receiver: UnboundedReceiver<ChatEvent>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((receiver, 0_u32), |(mut receiver, seq)| async move {
        let event = receiver.recv().await?;
        let data = event.data.to_string();
        let shown = Event::default()
            .event(event.name)
            .id(seq.to_string())
            .data(data);
        Some((Ok(shown), (receiver, seq + 1)))
    })
}
