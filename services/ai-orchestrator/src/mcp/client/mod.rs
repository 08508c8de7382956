//! The client: agents use tools and resources of servers that a tenant names (streamable HTTP, versions with a handshake). It
//! goes the guarded way out, keeps no connection open between calls, and says of every failure whether the call was sent.

mod events;
mod exchange;
mod name;
mod result;
mod session;

use std::{sync::Arc, time::Duration};

use bz_http::egress::{Egress, EgressLimits, EgressPolicy};
use http::HeaderMap;
use rmcp::model::Tool;
use serde_json::{Value, json};

use super::{McpServerId, message::IDEMPOTENCY_KEY};
use crate::tools::ToolError;
use exchange::{Fault, Line};
pub(crate) use name::wire_name;
use session::{Session, Sessions, handshake};

/// The most of an answer that is read, in bytes.
const MOST_BYTES: usize = 1024 * 1024;
/// The most tools of a server.
pub(crate) const MOST_TOOLS: usize = 200;
/// The most pages of a list that are asked for.
const MOST_PAGES: usize = 50;

/// A server, and what goes with every request to it.
pub(crate) struct Peer<'a> {
    /// Its id.
    pub id: McpServerId,
    /// Its address.
    pub url: &'a str,
    /// The tenant's headers.
    pub headers: &'a HeaderMap,
}

/// What a server is and has.
pub(crate) struct Met {
    /// The greeting of the server.
    pub hello: rmcp::model::InitializeResult,
    /// Its tools.
    pub tools: Vec<Tool>,
    /// How many of them cannot be read.
    pub unreadable: usize,
}

/// The way to servers.
#[derive(Clone)]
pub(crate) struct McpClient {
    way: Egress,
    sessions: Sessions,
}

impl McpClient {
    /// A client under this policy; no request takes longer than this.
    ///
    /// # Errors
    /// When an HTTP client cannot be built.
    pub(crate) fn new(policy: EgressPolicy, longest: Duration) -> anyhow::Result<Self> {
        let limits = EgressLimits {
            total: longest,
            answer: MOST_BYTES,
            ..EgressLimits::default()
        };
        Ok(Self {
            way: Egress::new(policy, limits)?,
            sessions: Sessions::default(),
        })
    }

    /// Shakes hands anew, and lists the tools.
    ///
    /// # Errors
    /// [`ToolError`].
    pub(crate) async fn meet(&self, peer: &Peer<'_>) -> Result<Met, ToolError> {
        let session = Arc::new(handshake(self.line(peer, None)).await?);
        if let Some(old) = self.sessions.put(peer, Arc::clone(&session)) {
            self.line(peer, Some(&old)).close().await;
        }
        let mut met = Met {
            hello: session.hello.clone(),
            tools: Vec::new(),
            unreadable: 0,
        };
        if met.hello.capabilities.tools.is_none() {
            return Ok(met);
        }
        let mut params = json!({});
        for _ in 0..MOST_PAGES {
            let line = self.line(peer, Some(&session));
            let page = line.request(session.next(), "tools/list", &params).await;
            let page = page.map_err(Fault::into_error)?.result;
            for tool in page["tools"].as_array().into_iter().flatten() {
                match serde_json::from_value(tool.clone()) {
                    Ok(tool) => met.tools.push(tool),
                    Err(_) => met.unreadable += 1,
                }
            }
            match page["nextCursor"].as_str() {
                Some(next) if met.tools.len() <= MOST_TOOLS => params = json!({ "cursor": next }),
                _ => break,
            }
        }
        if met.tools.len() > MOST_TOOLS {
            let message = format!("the server has more than {MOST_TOOLS} tools");
            return Err(exchange::refused("too_many_tools", message));
        }
        Ok(met)
    }

    /// Calls a tool, with a key by which the server may tell a repeat.
    ///
    /// # Errors
    /// [`ToolError`]; also when the tool's result is an error.
    pub(crate) async fn call(
        &self,
        peer: &Peer<'_>,
        (tool, arguments): (&str, &Value),
        key: &str,
    ) -> Result<Value, ToolError> {
        let params =
            json!({ "name": tool, "arguments": arguments, "_meta": { IDEMPOTENCY_KEY: key } });
        match self.ask(peer, "tools/call", &params).await {
            Ok(result) => result::of_call(&result),
            // It was done; what it answers is of no use to a model anyway.
            Err(Fault::TooLarge) => {
                let text = "The call was made. Its result is larger than 1 MiB and was not read.";
                Ok(json!({ "cut": true, "text": text }))
            }
            Err(fault) => Err(fault.into_error()),
        }
    }

    /// Reads the resource that `uri` names, or lists those behind `cursor`.
    ///
    /// # Errors
    /// [`ToolError`].
    pub(crate) async fn resources(
        &self,
        peer: &Peer<'_>,
        arguments: &Value,
    ) -> Result<Value, ToolError> {
        if arguments["uri"].is_string() {
            let params = json!({ "uri": arguments["uri"] });
            let read = self.ask(peer, "resources/read", &params).await;
            return Ok(result::of_resource(&read.map_err(Fault::into_error)?));
        }
        let params = match &arguments["cursor"] {
            Value::Null => json!({}),
            cursor => json!({ "cursor": cursor }),
        };
        let listed = self.ask(peer, "resources/list", &params).await;
        Ok(result::of_list(&listed.map_err(Fault::into_error)?))
    }

    /// Forgets the session with a server.
    pub(crate) fn forget(&self, id: McpServerId) {
        self.sessions.forget(id);
    }

    /// Asks in the session that there is. A server that does not know it any more did nothing: it is asked once more in a new one.
    async fn ask(&self, peer: &Peer<'_>, method: &str, params: &Value) -> Result<Value, Fault> {
        if let Some(session) = self.sessions.get(peer) {
            let line = self.line(peer, Some(&session));
            match line.request(session.next(), method, params).await {
                Err(Fault::Expired) => {}
                answer => return Ok(answer?.result),
            }
        }
        let session = Arc::new(handshake(self.line(peer, None)).await?);
        self.sessions.put(peer, Arc::clone(&session));
        let line = self.line(peer, Some(&session));
        Ok(line.request(session.next(), method, params).await?.result)
    }

    fn line<'a>(&'a self, peer: &'a Peer<'a>, session: Option<&'a Session>) -> Line<'a> {
        Line {
            way: &self.way,
            peer,
            session,
        }
    }
}
