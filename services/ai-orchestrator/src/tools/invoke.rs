//! Calling a tool.

use std::time::Duration;

use bytes::Bytes;
use bz_auth::Caller;
use bz_http::{
    client::{Call, Sibling, SiblingError},
    egress::{Egress, EgressAnswer, EgressError, EgressLimits, EgressPolicy},
};
use bz_kernel::{SecretString, ServiceInfo, platform};
use bz_service::Core;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use url::Url;

use super::{
    ToolSpec,
    prepare::{Prepared, prepare},
    spec::{Method, Target},
};
use crate::mcp::client::{McpClient, Peer};

/// Longest time of a call to a sibling; a tool's own limit is shorter.
const LONGEST: Duration = Duration::from_secs(120);
/// How often a crew of a CrewAI server is asked whether it is done.
const CREWAI_PAUSE: Duration = Duration::from_secs(1);

/// Why a call brought no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ToolError {
    /// It was refused: nothing happened, and would not the next time.
    #[error("{message}")]
    Refused {
        /// For programs.
        code: String,
        /// For the model and people.
        message: String,
    },
    /// The user's token is not good any more.
    #[error("the token of the user is not accepted any more")]
    Unauthorized,
    /// There was no answer. With `sent` it is not known what happened.
    #[error("{message}")]
    Unavailable {
        /// Whether it may have arrived.
        sent: bool,
        /// For people.
        message: String,
    },
}

/// What calls need.
#[derive(Clone)]
pub(crate) struct Toolbox {
    crm: Sibling,
    analytics: Sibling,
    identity: Sibling,
    outside: Egress,
    operators: Egress,
    mcp: McpClient,
    n8n: Option<Url>,
    crewai: Option<Url>,
}

/// One call.
pub(crate) struct Invocation<'a> {
    /// The tool.
    pub tool: &'a ToolSpec,
    /// What it is called with.
    pub arguments: &'a Value,
    /// The user's token.
    pub token: Option<&'a SecretString>,
    /// The user, when it was just verified who it is.
    pub caller: Option<&'a Caller>,
    /// The agent that calls.
    pub agent: Option<&'a str>,
    /// By which the other side tells a repeat.
    pub key: &'a str,
    /// Headers of the tool, with their secrets.
    pub headers: HeaderMap,
}

impl Toolbox {
    /// The services and servers that are configured.
    ///
    /// # Errors
    /// When an HTTP client cannot be built.
    pub(crate) fn new(
        core: &Core,
        policy: EgressPolicy,
        n8n: Option<Url>,
        crewai: Option<Url>,
    ) -> anyhow::Result<Self> {
        let sibling = |info: &'static ServiceInfo| {
            let base = core.siblings.of(info);
            Sibling::with_timeout(info.name, base, &core.sources, LONGEST)
        };
        let limits = EgressLimits {
            total: LONGEST,
            ..EgressLimits::default()
        };
        // The operator's own servers may be anywhere, also inside.
        let hosts = [&n8n, &crewai].into_iter().flatten();
        let hosts: Vec<String> = hosts
            .filter_map(|url| url.host_str().map(str::to_owned))
            .collect();
        let operators = EgressPolicy::default()
            .allow(hosts)
            .map_err(anyhow::Error::msg)?;
        Ok(Self {
            crm: sibling(&platform::CRM)?,
            analytics: sibling(&platform::ANALYTICS)?,
            identity: sibling(&platform::IDENTITY)?,
            mcp: McpClient::new(policy.clone(), LONGEST)?,
            outside: Egress::new(policy, limits)?,
            operators: Egress::new(operators, limits)?,
            n8n,
            crewai,
        })
    }

    /// Which addresses tenants may give.
    pub(crate) const fn policy(&self) -> &EgressPolicy {
        self.outside.policy()
    }

    /// Whether the server of such a tool is configured.
    pub(crate) const fn has(&self, target: &Target) -> bool {
        match target {
            Target::N8n { .. } => self.n8n.is_some(),
            Target::Crewai {} => self.crewai.is_some(),
            Target::Sibling { .. }
            | Target::Here { .. }
            | Target::Http { .. }
            | Target::Mcp { .. } => true,
        }
    }

    /// The way to servers of the Model Context Protocol.
    pub(crate) const fn mcp(&self) -> &McpClient {
        &self.mcp
    }

    /// Makes a call of another service.
    ///
    /// # Errors
    /// [`ToolError`].
    pub(super) async fn invoke(&self, call: Invocation<'_>) -> Result<Value, ToolError> {
        let limit = Duration::from_secs(call.tool.timeout_seconds.into());
        let prepared = prepare(call.tool, call.arguments);
        let work = async {
            match &call.tool.call {
                Target::Sibling { .. } => self.to_sibling(prepared, &call).await,
                Target::Http { allowed_hosts, .. } => {
                    self.outside(prepared, allowed_hosts, &call).await
                }
                Target::N8n { .. } => self.to_n8n(prepared, &call).await,
                Target::Crewai {} => self.to_crewai(prepared, &call).await,
                Target::Mcp {
                    server_id: id,
                    url,
                    tool,
                } => {
                    let (id, headers) = (*id, &call.headers);
                    self.to_mcp(&Peer { id, url, headers }, tool.as_deref(), &call)
                        .await
                }
                Target::Here { .. } => Err(not_configured()),
            }
        };
        tokio::time::timeout(limit, work)
            .await
            .unwrap_or_else(|_| Err(unavailable(true, "there was no answer in time")))
    }

    async fn to_sibling(&self, call: Prepared, of: &Invocation<'_>) -> Result<Value, ToolError> {
        let sibling = match call.to.as_str() {
            "crm" => &self.crm,
            "analytics" => &self.analytics,
            _ => &self.identity,
        };
        let token = of.token.ok_or(ToolError::Unauthorized)?;
        let ask = match call.method {
            Method::Get => sibling.get(&call.address),
            Method::Post => sibling.post(&call.address).idempotency_key(of.key),
            Method::Put => sibling.put(&call.address),
            Method::Patch => sibling.patch(&call.address),
            Method::Delete => sibling.delete(&call.address),
        };
        let ask: Call = ask.bearer(token);
        let ask = match &call.body {
            Some(body) => ask.json(body),
            None if call.method.has_body() => ask.json(&json!({})),
            None => ask,
        };
        if call.method == Method::Delete {
            // What is gone already is what was wanted: a repeat must not look like a failure.
            return match ask.send_empty().await {
                Ok(()) => Ok(json!({ "deleted": true })),
                Err(SiblingError::Refused { status, .. }) if status.as_u16() == 404 => {
                    Ok(json!({ "deleted": true, "was_gone": true }))
                }
                Err(error) => Err(by_sibling(error)),
            };
        }
        ask.send::<Value>().await.map_err(by_sibling)
    }

    async fn outside(
        &self,
        call: Prepared,
        allowed: &[String],
        of: &Invocation<'_>,
    ) -> Result<Value, ToolError> {
        let url = Url::parse(&call.address).ok();
        let host = url.as_ref().and_then(Url::host_str);
        if !host.is_some_and(|host| allowed.iter().any(|one| one == host)) {
            return Err(refused(
                "host_not_allowed",
                "the host is not on the tool's list",
            ));
        }
        let answer = send(&self.outside, &call.address, &call, of).await?;
        read(&answer)
    }

    async fn to_n8n(&self, call: Prepared, of: &Invocation<'_>) -> Result<Value, ToolError> {
        let base = self.n8n.as_ref().ok_or_else(not_configured)?;
        let answer = send(&self.operators, &under(base, &call.address), &call, of).await?;
        read(&answer)
    }

    async fn to_mcp(
        &self,
        peer: &Peer<'_>,
        tool: Option<&str>,
        of: &Invocation<'_>,
    ) -> Result<Value, ToolError> {
        match tool {
            Some(tool) => self.mcp.call(peer, (tool, of.arguments), of.key).await,
            None => self.mcp.resources(peer, of.arguments).await,
        }
    }

    /// CrewAI's API: `POST /kickoff`, then `GET /status/{id}` until it is over.
    async fn to_crewai(&self, call: Prepared, of: &Invocation<'_>) -> Result<Value, ToolError> {
        let base = self.crewai.as_ref().ok_or_else(not_configured)?;
        let answer = send(&self.operators, &under(base, &call.address), &call, of).await?;
        let started = read(&answer)?;
        let id = started["kickoff_id"].as_str().unwrap_or_default();
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(refused("malformed", "the CrewAI server told no kickoff_id"));
        }
        let status = Prepared {
            method: Method::Get,
            body: None,
            ..call
        };
        let address = under(base, &format!("/status/{id}"));
        loop {
            let answer = read(&send(&self.operators, &address, &status, of).await?)?;
            match answer["state"].as_str().unwrap_or_default() {
                "SUCCESS" => return Ok(answer),
                "FAILED" | "FAILURE" | "ERROR" => {
                    return Err(refused(
                        "crew_failed",
                        "the crew of the CrewAI server failed",
                    ));
                }
                _ => tokio::time::sleep(CREWAI_PAUSE).await,
            }
        }
    }
}

fn under(base: &Url, path: &str) -> String {
    format!("{}{path}", base.as_str().trim_end_matches('/'))
}

pub(super) fn refused(code: &str, message: impl Into<String>) -> ToolError {
    ToolError::Refused {
        code: code.to_owned(),
        message: message.into(),
    }
}

pub(super) fn unavailable(sent: bool, message: impl Into<String>) -> ToolError {
    ToolError::Unavailable {
        sent,
        message: message.into(),
    }
}

fn not_configured() -> ToolError {
    refused("not_configured", "this installation has no such server")
}

async fn send(
    egress: &Egress,
    address: &str,
    call: &Prepared,
    of: &Invocation<'_>,
) -> Result<EgressAnswer, ToolError> {
    let mut headers = of.headers.clone();
    let body = match &call.body {
        Some(body) => {
            let json = HeaderValue::from_static("application/json");
            headers.insert(header::CONTENT_TYPE, json);
            Bytes::from(body.to_string())
        }
        None => Bytes::new(),
    };
    if let Ok(key) = HeaderValue::from_str(of.key) {
        headers.insert(HeaderName::from_static("idempotency-key"), key);
    }
    let answer = egress.send(call.method.as_http(), address, headers, body);
    Ok(answer.await?)
}

impl From<EgressError> for ToolError {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::Url(_) | EgressError::Address => refused(error.code(), error.to_string()),
            EgressError::Connect(_) => unavailable(false, error.to_string()),
            EgressError::Timeout | EgressError::Broken(_) => unavailable(true, error.to_string()),
        }
    }
}

fn read(answer: &EgressAnswer) -> Result<Value, ToolError> {
    if answer.status.is_success() {
        let text = || Value::String(String::from_utf8_lossy(&answer.body).into_owned());
        return Ok(serde_json::from_slice(&answer.body).unwrap_or_else(|_| text()));
    }
    Err(by_status(answer.status, &answer.body))
}

/// What it means for a call that it was answered with a status that is no success.
pub(crate) fn by_status(status: StatusCode, body: &[u8]) -> ToolError {
    match status.as_u16() {
        429 => unavailable(false, "the other side has too many requests"),
        status @ 500.. => unavailable(true, format!("the other side failed with status {status}")),
        status => {
            let text = String::from_utf8_lossy(body);
            let words = text.chars().filter(|c| !c.is_control()).take(300);
            let words: String = words.collect();
            refused("refused", format!("status {status}: {words}"))
        }
    }
}

fn by_sibling(error: SiblingError) -> ToolError {
    match error {
        SiblingError::Refused {
            status,
            code,
            detail,
            errors,
            ..
        } => match status.as_u16() {
            401 => ToolError::Unauthorized,
            429 => unavailable(false, "too many requests"),
            // It is being made: the same call has it later.
            409 if code == "report_not_ready" => unavailable(false, "the report is not made yet"),
            _ => {
                let faults = errors.into_iter().map(|fault| {
                    let place = fault.pointer.or(fault.parameter).unwrap_or_default();
                    format!("{place} {}", fault.message)
                });
                let told: Vec<String> = detail.into_iter().chain(faults).collect();
                let message = format!("{status} {code}: {}", told.join("; "));
                ToolError::Refused { code, message }
            }
        },
        SiblingError::Unavailable { name, sent, .. } => {
            unavailable(sent, format!("{name} cannot be reached"))
        }
        SiblingError::Malformed { name, .. } => {
            refused("malformed", format!("the answer of {name} cannot be read"))
        }
    }
}

/// The headers that a tool has sealed.
pub(crate) fn headers_of(sealed: &Value) -> HeaderMap {
    let pairs = sealed.as_object().into_iter().flatten();
    pairs
        .filter_map(|(name, value)| {
            let name: HeaderName = name.parse().ok()?;
            let mut value = HeaderValue::from_str(value.as_str()?).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        })
        .collect()
}
