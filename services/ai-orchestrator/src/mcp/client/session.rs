//! Sessions with servers. Each process has one with each server, and makes a new one when the server forgot it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use aws_lc_rs::digest;
use http::HeaderValue;
use rmcp::model::{InitializeResult, ProtocolVersion};
use serde_json::json;

use super::{
    Peer,
    exchange::{Line, refused},
};
use crate::{
    mcp::{
        McpServerId,
        message::{SESSION_HEADER, VERSIONS},
    },
    tools::ToolError,
};

/// The most sessions of a process. One more, and another is made anew at its next use.
const MOST: usize = 1_000;

/// A session.
pub(super) struct Session {
    /// By which the server knows it; none for a server without sessions.
    pub(super) id: Option<HeaderValue>,
    /// What the server said of itself.
    pub(super) hello: InitializeResult,
    next: AtomicI64,
    with: Vec<u8>,
}

impl Session {
    /// The number of the next request.
    pub(super) fn next(&self) -> i64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The version that both agreed on.
    pub(super) fn version_header(&self) -> HeaderValue {
        let version = self.hello.protocol_version.as_str();
        // One of the known versions: visible ASCII.
        HeaderValue::from_str(version).unwrap_or(HeaderValue::from_static("2025-03-26"))
    }
}

/// The sessions of this process.
#[derive(Clone, Default)]
pub(super) struct Sessions(Arc<Mutex<HashMap<McpServerId, Arc<Session>>>>);

impl Sessions {
    /// The session with a server, if it was made with the same address and headers.
    pub(super) fn get(&self, peer: &Peer<'_>) -> Option<Arc<Session>> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(&peer.id)?;
        (session.with == with(peer)).then(|| Arc::clone(session))
    }

    /// Keeps a session; answers the one of before.
    pub(super) fn put(&self, peer: &Peer<'_>, session: Arc<Session>) -> Option<Arc<Session>> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MOST
            && !sessions.contains_key(&peer.id)
            && let Some(other) = sessions.keys().next().copied()
        {
            sessions.remove(&other);
        }
        sessions.insert(peer.id, session)
    }

    /// Forgets the session with a server.
    pub(super) fn forget(&self, id: McpServerId) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&id);
    }
}

/// What a session hangs on: the hash of address and headers.
fn with(peer: &Peer<'_>) -> Vec<u8> {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(peer.url.as_bytes());
    for (name, value) in peer.headers {
        for part in [name.as_str().as_bytes(), value.as_bytes()] {
            hash.update(&part.len().to_le_bytes());
            hash.update(part);
        }
    }
    hash.finish().as_ref().to_vec()
}

/// Shakes hands.
pub(super) async fn handshake(line: Line<'_>) -> Result<Session, ToolError> {
    let params = json!({
        "protocolVersion": ProtocolVersion::LATEST_WITH_INITIALIZE,
        "capabilities": {},
        "clientInfo": { "name": "bizosaas", "title": "BizOSaaS", "version": env!("CARGO_PKG_VERSION") },
    });
    let answer = line.request(0, "initialize", &params).await;
    let answer = answer.map_err(|fault| not_sent(fault.into_error()))?;
    let id = answer.headers.get(SESSION_HEADER).cloned();
    let hello: InitializeResult = serde_json::from_value(answer.result)
        .map_err(|_| refused("malformed", "the server's greeting cannot be read"))?;
    let version = &hello.protocol_version;
    let old = *version == ProtocolVersion::V_2024_11_05;
    let known = old || VERSIONS.contains(version) && version.has_initialize();
    if !known {
        let message = "the server speaks no version of the protocol that is spoken here";
        return Err(refused("unsupported_version", message));
    }
    let session = Session {
        id,
        hello,
        next: AtomicI64::new(1),
        with: with(line.peer),
    };
    let within = Line {
        session: Some(&session),
        ..line
    };
    let told = within.notify("notifications/initialized").await;
    told.map_err(|fault| not_sent(fault.into_error()))?;
    Ok(session)
}

/// What goes wrong before a call is sent leaves no doubt about the call.
fn not_sent(error: ToolError) -> ToolError {
    match error {
        ToolError::Unavailable { message, .. } => ToolError::Unavailable {
            sent: false,
            message,
        },
        other => other,
    }
}
