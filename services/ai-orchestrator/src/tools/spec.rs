//! What a tool is.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::here::Operation;
use crate::{
    mcp::{McpServerId, client::wire_name},
    schemas,
};

/// What a call of a tool does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing.
    Read,
    /// It makes or changes something.
    Write,
    /// It takes something away, or reaches other people: a person is asked each time.
    Destructive,
}

/// HTTP methods of tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

impl Method {
    /// For the HTTP client.
    pub(crate) const fn as_http(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Post => http::Method::POST,
            Self::Put => http::Method::PUT,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
        }
    }

    /// Whether a request has a body.
    pub(crate) const fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

/// Where a call goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// A service of the platform, with the user's own token.
    Sibling {
        /// `crm`, `analytics` or `identity`.
        service: String,
        /// The method.
        method: Method,
        /// The path; `{id}` stands for the argument of that name.
        path: String,
        /// The arguments that go into the query; the others make the body.
        query: Vec<String>,
    },
    /// This service itself.
    Here {
        /// What is done.
        operation: Operation,
    },
    /// An address of the world outside, over https.
    Http {
        /// The method.
        method: Method,
        /// The address; `{id}` stands for the argument of that name. Other arguments make the body, or the query where there
        /// is none.
        url: String,
        /// Hosts that the address may have, 1 to 20.
        allowed_hosts: Vec<String>,
    },
    /// A webhook of the installation's n8n (`N8N_URL`), which gets the arguments as JSON.
    N8n {
        /// Path of the webhook: `/webhook/new-lead`.
        path: String,
    },
    /// The installation's CrewAI server (`CREWAI_URL`): its crew is started with the arguments as inputs and waited for.
    Crewai {},
    /// A server of the Model Context Protocol that the tenant named.
    Mcp {
        /// Its id.
        server_id: McpServerId,
        /// Its address.
        url: String,
        /// The tool, as the server calls it; none for its resources.
        tool: Option<String>,
    },
}

/// Where a call of a tenant's own tool goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum OwnTarget {
    /// An address of the world outside, over https.
    Http {
        /// The method.
        method: Method,
        /// The address; `{id}` stands for the argument of that name. Other arguments make the body, or the query where there
        /// is none.
        #[schema(example = "https://api.example.com/items/{id}")]
        url: String,
        /// Hosts that the address may have, 1 to 20.
        #[schema(min_items = 1, max_items = 20)]
        allowed_hosts: Vec<String>,
    },
    /// A webhook of the installation's n8n (`N8N_URL`), which gets the arguments as JSON.
    N8n {
        /// Path of the webhook: `/webhook/new-lead`.
        path: String,
    },
    /// The installation's CrewAI server (`CREWAI_URL`): its crew is started with the arguments as inputs and waited for.
    Crewai {},
}

impl From<OwnTarget> for Target {
    fn from(own: OwnTarget) -> Self {
        match own {
            OwnTarget::Http {
                method,
                url,
                allowed_hosts,
            } => Self::Http {
                method,
                url,
                allowed_hosts,
            },
            OwnTarget::N8n { path } => Self::N8n { path },
            OwnTarget::Crewai {} => Self::Crewai {},
        }
    }
}

/// A tool as runs use it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ToolSpec {
    /// Its name: `crm.leads.list`.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// For the model: what it does.
    pub description: String,
    /// What a call does to the world.
    pub effect: Effect,
    /// Whether the same call with the same key may be sent twice without a second effect.
    pub idempotent: bool,
    /// How long a call may take.
    pub timeout_seconds: u32,
    /// The permission that the user needs for it.
    pub permission: Option<String>,
    /// JSON schema of the arguments.
    pub parameters: Value,
    /// Where a call goes.
    pub call: Target,
}

impl ToolSpec {
    /// The name as models may write it: letters, digits, `_` and `-`.
    pub(crate) fn wire_name(&self) -> String {
        match self.call {
            Target::Mcp { .. } => wire_name(&self.name),
            _ => self.name.replace('.', "_"),
        }
    }

    /// What is wrong with arguments; nothing when they fit the schema.
    pub(crate) fn faults(&self, arguments: &Value) -> Vec<(String, String)> {
        let Some(validator) = schemas::validator(&self.parameters) else {
            return vec![(String::new(), "the tool's schema cannot be read".to_owned())];
        };
        let found = validator.iter_errors(arguments).take(5);
        found
            .map(|error| (error.instance_path().to_string(), error.to_string()))
            .collect()
    }
}

/// The tools that everybody has.
pub(crate) fn builtin() -> &'static [ToolSpec] {
    static TOOLS: LazyLock<Vec<ToolSpec>> = LazyLock::new(|| {
        // A test reads the file; a service that cannot has no tools and says so whenever one is named.
        serde_json::from_str(include_str!("builtin.json")).unwrap_or_default()
    });
    &TOOLS
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use serde_json::json;

    #[test]
    fn the_built_in_tools_read_have_names_of_their_own_and_schemas_that_compile() {
        let read: Vec<ToolSpec> = serde_json::from_str(include_str!("builtin.json")).unwrap();
        assert!(read.len() > 30);
        let wire: BTreeSet<String> = read.iter().map(ToolSpec::wire_name).collect();
        assert_eq!(wire.len(), read.len());
        for tool in &read {
            assert!(
                jsonschema::validator_for(&tool.parameters).is_ok(),
                "{}",
                tool.name
            );
            assert!(tool.wire_name().len() <= 64 && tool.idempotent);
            let (method, path) = match &tool.call {
                Target::Sibling { method, path, .. } => (method, path),
                Target::Here { operation } => {
                    assert_eq!(tool.name, operation.name());
                    continue;
                }
                other => panic!("{} goes elsewhere: {other:?}", tool.name),
            };
            assert_eq!(
                *method == Method::Delete,
                tool.effect == Effect::Destructive
            );
            assert_eq!(
                path.contains("{id}"),
                tool.parameters["properties"]["id"].is_object()
            );
        }
    }

    #[test]
    fn arguments_are_checked_against_the_schema_with_their_place() {
        let tool = builtin()
            .iter()
            .find(|tool| tool.name == "crm.todos.create")
            .unwrap();
        assert!(tool.faults(&json!({ "title": "call Ada" })).is_empty());
        let faults = tool.faults(&json!({ "title": "call Ada", "priority": "soon" }));
        assert_eq!(faults[0].0, "/priority");
        assert!(!tool.faults(&json!({})).is_empty());
        assert!(
            !tool
                .faults(&json!({ "title": "x", "colour": "red" }))
                .is_empty()
        );
    }
}
