//! One message to a server, and the answer to it: JSON, or events of which one is the answer.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use bz_http::egress::{Egress, EgressError, EgressStream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{Peer, events::Events, session::Session};
use crate::{
    mcp::message::{SESSION_HEADER, VERSION_HEADER},
    tools::{ToolError, by_status},
};

/// The most of a refusal that is read, in bytes.
const WORDS: usize = 2_000;
/// How long a server is told that nobody waits any more.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why a message has no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server does not know the session any more; it did nothing.
    Expired,
    /// The answer is larger than what is read of one.
    TooLarge,
    /// Anything else.
    Tool(ToolError),
}

impl From<ToolError> for Fault {
    fn from(error: ToolError) -> Self {
        Self::Tool(error)
    }
}

impl From<EgressError> for Fault {
    fn from(error: EgressError) -> Self {
        Self::Tool(error.into())
    }
}

impl Fault {
    /// For whom the difference does not matter.
    pub(super) fn into_error(self) -> ToolError {
        match self {
            Self::Expired => refused("session_ended", "the server ended the session at once"),
            Self::TooLarge => refused("too_large", "the answer of the server is too large"),
            Self::Tool(error) => error,
        }
    }
}

pub(super) fn refused(code: &str, message: impl Into<String>) -> ToolError {
    ToolError::Refused {
        code: code.to_owned(),
        message: message.into(),
    }
}

fn lost(message: &str) -> ToolError {
    ToolError::Unavailable {
        sent: true,
        message: message.to_owned(),
    }
}

/// The answer to a request.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) result: Value,
}

/// The way to a server.
pub(super) struct Line<'a> {
    pub(super) way: &'a Egress,
    pub(super) peer: &'a Peer<'a>,
    /// None until both have shaken hands.
    pub(super) session: Option<&'a Session>,
}

impl Line<'_> {
    /// Sends a request and waits for its answer. A request in a session that is dropped before is withdrawn.
    pub(super) async fn request(
        &self,
        id: i64,
        method: &str,
        params: &Value,
    ) -> Result<Answer, Fault> {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let mut withdrawal = self.session.map(|_| self.withdrawal(id));
        let answer = self.answer(id, &message).await;
        if let Some(withdrawal) = &mut withdrawal {
            withdrawal.0 = None;
        }
        answer
    }

    async fn answer(&self, id: i64, message: &Value) -> Result<Answer, Fault> {
        let mut stream = self.post(message).await?;
        let headers = std::mem::take(&mut stream.headers);
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let result = if kind.starts_with("text/event-stream") {
            self.in_stream(id, &mut stream).await?
        } else {
            in_whole(id, &mut stream).await?
        };
        Ok(Answer { headers, result })
    }

    /// Sends what wants no answer.
    pub(super) async fn notify(&self, method: &str) -> Result<(), Fault> {
        let message = json!({ "jsonrpc": "2.0", "method": method });
        self.post(&message).await.map(drop)
    }

    /// Ends the session. It does not matter whether the server hears it: it forgets sessions that nobody uses.
    pub(super) async fn close(&self) {
        let request = self
            .way
            .send(Method::DELETE, self.peer.url, self.headers(), Bytes::new());
        let _heard = tokio::time::timeout(FAREWELL, request).await;
    }

    async fn post(&self, message: &Value) -> Result<EgressStream, Fault> {
        let body = Bytes::from(message.to_string());
        let opened = self
            .way
            .open(Method::POST, self.peer.url, self.headers(), body);
        let mut stream = opened.await?;
        if stream.status.is_success() {
            return Ok(stream);
        }
        let known = self.session.is_some_and(|session| session.id.is_some());
        if stream.status == StatusCode::NOT_FOUND && known {
            return Err(Fault::Expired);
        }
        let mut words = BytesMut::new();
        while words.len() < WORDS
            && let Ok(Some(piece)) = stream.chunk().await
        {
            words.extend_from_slice(&piece);
        }
        Err(by_status(stream.status, &words).into())
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = self.peer.headers.clone();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        let both = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(header::ACCEPT, both);
        if let Some(session) = self.session {
            headers.insert(VERSION_HEADER, session.version_header());
            if let Some(id) = &session.id {
                headers.insert(SESSION_HEADER, id.clone());
            }
        }
        headers
    }

    async fn in_stream(&self, id: i64, stream: &mut EgressStream) -> Result<Value, Fault> {
        let mut events = Events::default();
        while let Some(piece) = stream.chunk().await? {
            for data in events.take(&piece) {
                let Ok(message) = serde_json::from_str::<Value>(&data) else {
                    continue;
                };
                if let Some(found) = found(id, &message) {
                    return Ok(found?);
                }
                self.reply(&message).await;
            }
        }
        if stream.is_cut() {
            return Err(Fault::TooLarge);
        }
        Err(lost("the server's answer broke off").into())
    }

    /// What a server asks: whether anybody is there. Everything else it was told not to ask.
    async fn reply(&self, message: &Value) {
        let (Some(id), Some(method)) = (message.get("id"), message["method"].as_str()) else {
            return;
        };
        let mut answer = json!({ "jsonrpc": "2.0", "id": id });
        match method {
            "ping" => answer["result"] = json!({}),
            _ => {
                answer["error"] =
                    json!({ "code": -32601, "message": "this client has no such method" });
            }
        }
        let _heard = tokio::time::timeout(FAREWELL, self.post(&answer)).await;
    }

    fn withdrawal(&self, id: i64) -> Withdrawal {
        let message = json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": { "requestId": id, "reason": "nobody waits for it any more" },
        });
        Withdrawal(Some(Parcel {
            way: self.way.clone(),
            url: self.peer.url.to_owned(),
            headers: self.headers(),
            body: Bytes::from(message.to_string()),
        }))
    }
}

async fn in_whole(id: i64, stream: &mut EgressStream) -> Result<Value, Fault> {
    let mut body = BytesMut::new();
    while let Some(piece) = stream.chunk().await? {
        body.extend_from_slice(&piece);
    }
    if stream.is_cut() {
        return Err(Fault::TooLarge);
    }
    let message: Option<Value> = serde_json::from_slice(&body).ok();
    let found = message.and_then(|message| found(id, &message));
    let unreadable = || refused("malformed", "the answer of the server cannot be read");
    Ok(found.unwrap_or_else(|| Err(unreadable()))?)
}

/// The answer to a request, if the message is that; older versions send several messages as one.
fn found(id: i64, message: &Value) -> Option<Result<Value, ToolError>> {
    if let Some(several) = message.as_array() {
        return several.iter().find_map(|one| found(id, one));
    }
    if message["id"] != id {
        return None;
    }
    if let Some(result) = message.get("result") {
        return Some(Ok(result.clone()));
    }
    let error = message.get("error")?;
    let words = plain(error["message"].as_str().unwrap_or_default(), 300);
    let message = format!("the server answers error {}: {words}", error["code"]);
    Some(Err(refused("mcp_error", message)))
}

/// A text without what a terminal or the journal would stumble over, and not longer than this.
pub(super) fn plain(text: &str, most: usize) -> String {
    let plain = |c: &char| !c.is_control() || *c == '\n';
    text.chars().filter(plain).take(most).collect()
}

/// Tells the server that nobody waits for a request any more, unless it is taken out.
struct Withdrawal(Option<Parcel>);

struct Parcel {
    way: Egress,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Drop for Withdrawal {
    fn drop(&mut self) {
        let Some(parcel) = self.0.take() else { return };
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let Parcel {
                way,
                url,
                headers,
                body,
            } = parcel;
            let told = way.send(Method::POST, &url, headers, body);
            let _heard = tokio::time::timeout(FAREWELL, told).await;
        });
    }
}
