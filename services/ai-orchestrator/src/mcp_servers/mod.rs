//! Servers of the Model Context Protocol that a tenant names, and what of them its agents may use.

mod create;
mod delete;
mod get;
mod list;
mod put;
mod refresh;
mod store;
mod tools;

use bz_http::{Errors, Problem, Routes, Validate, egress::EgressPolicy, routes};
use bz_kernel::UserId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    agents::{Unknown, check_name, check_unknown},
    app::AppState,
    mcp::McpServerId,
    tools::{Headers, check_headers},
};

pub(crate) use tools::usable::{PREFIX, tool, tools_behind, usable};

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(list::list_mcp_servers, create::create_mcp_server))
        .routes(routes!(
            get::get_mcp_server,
            put::put_mcp_server,
            delete::delete_mcp_server
        ))
        .routes(routes!(refresh::refresh_mcp_server))
        .merge(tools::routes())
}

/// A server whose tools agents may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct McpServer {
    /// Its id.
    pub id: McpServerId,
    /// Name for programs, also in the names of its tools: `mcp.<name>.<tool>`.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Names of the headers that go with every request; their values are not shown.
    pub header_names: Vec<String>,
    /// Whether agents may use its tools.
    pub enabled: bool,
    /// How long a call may take.
    pub timeout_seconds: i32,
    /// What it told of itself at the last refresh.
    pub peer: Option<McpPeer>,
    /// When its tools were last read.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// Grows by one with every change and refresh; also the `ETag`.
    pub version: i64,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a server tells of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct McpPeer {
    /// Its name.
    pub name: String,
    /// Name for people.
    pub title: Option<String>,
    /// Its own version.
    pub version: String,
    /// The version of the protocol that both speak.
    pub protocol_version: String,
}

/// A server to name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CreateMcpServer {
    /// Its name: 1 to 60 small letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 60, example = "files")]
    pub name: String,
    /// How it is called.
    #[serde(flatten)]
    pub settings: McpServerSettings,
    /// Headers that go with every request, as `authorization`; at most 10. They are sealed and never shown again.
    #[serde(default)]
    pub headers: Headers,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What is to be said of a server from now on.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub(crate) struct PutMcpServer {
    /// How it is called.
    #[serde(flatten)]
    pub settings: McpServerSettings,
    /// Headers that go with every request; those of before stay when not given, unless the address changes.
    pub headers: Option<Headers>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// How a server is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct McpServerSettings {
    /// Its address, over https (streamable HTTP).
    #[schema(max_length = 2048, example = "https://mcp.example.com/mcp")]
    pub url: String,
    /// Whether agents may use its tools; true when not given.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// How long a call may take, 1 to 120 seconds; 30 when not given.
    #[serde(default = "thirty")]
    #[schema(minimum = 1, maximum = 120)]
    pub timeout_seconds: i32,
}

const fn yes() -> bool {
    true
}

const fn thirty() -> i32 {
    30
}

impl McpServerSettings {
    fn check(&self, errors: &mut Errors) {
        if !(1..=120).contains(&self.timeout_seconds) {
            errors.add("/timeout_seconds", "out_of_range", "must be 1 to 120");
        }
    }

    /// Goes on if this installation allows the address.
    fn allowed(&self, policy: &EgressPolicy) -> Result<(), Problem> {
        let checked = policy.check(&self.url);
        let refused = |refused: bz_http::egress::RefusedUrl| {
            Problem::invalid("/url", refused.code, refused.message)
        };
        checked.map(drop).map_err(refused)
    }
}

impl Validate for CreateMcpServer {
    fn validate(&self, errors: &mut Errors) {
        check_unknown(errors, &self.unknown);
        check_name(errors, &self.name);
        self.settings.check(errors);
        check_headers(errors, &self.headers);
    }
}

impl Validate for PutMcpServer {
    fn validate(&self, errors: &mut Errors) {
        check_unknown(errors, &self.unknown);
        self.settings.check(errors);
        if let Some(headers) = &self.headers {
            check_headers(errors, headers);
        }
    }
}
