//! A call as it would be sent: arguments put into the address, the query and the body.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    ToolSpec,
    spec::{Method, Target},
};

/// A call as it would be sent.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Prepared {
    /// `crm`, `analytics`, `identity`, `here`, `http`, `n8n`, `crewai` or `mcp`.
    pub to: String,
    /// The method.
    pub method: Method,
    /// The path, or the whole address.
    pub address: String,
    /// The body.
    #[schema(value_type = Option<Object>)]
    pub body: Option<Value>,
}

/// Puts arguments that fit the tool's schema where they belong.
pub(crate) fn prepare(tool: &ToolSpec, arguments: &Value) -> Prepared {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    match &tool.call {
        Target::Sibling {
            service,
            method,
            path,
            query,
        } => {
            let (address, mut left) = filled(path, arguments);
            let in_query = query
                .iter()
                .filter_map(|name| Some((name.clone(), left.remove(name)?)));
            let address = with_query(address, in_query.collect::<Vec<_>>());
            Prepared {
                to: service.clone(),
                method: *method,
                address,
                body: (method.has_body() && !left.is_empty()).then_some(Value::Object(left)),
            }
        }
        Target::Http { method, url, .. } => {
            let (address, left) = filled(url, arguments);
            let (address, body) = if method.has_body() {
                (address, Some(Value::Object(left)))
            } else {
                (with_query(address, left), None)
            };
            Prepared {
                to: "http".to_owned(),
                method: *method,
                address,
                body,
            }
        }
        Target::Here { operation } => posted("here", operation.name(), Value::Object(arguments)),
        Target::N8n { path } => posted("n8n", path, Value::Object(arguments)),
        Target::Crewai {} => {
            let body = serde_json::json!({ "inputs": arguments });
            posted("crewai", "/kickoff", body)
        }
        Target::Mcp { url, tool, .. } => {
            let body = serde_json::json!({ "name": tool, "arguments": arguments });
            posted("mcp", url, body)
        }
    }
}

fn posted(to: &str, address: &str, body: Value) -> Prepared {
    Prepared {
        to: to.to_owned(),
        method: Method::Post,
        address: address.to_owned(),
        body: Some(body),
    }
}

/// The text with its `{names}` replaced by arguments, which cannot leave their place in it; and the other arguments.
fn filled(template: &str, mut arguments: Map<String, Value>) -> (String, Map<String, Value>) {
    let mut text = template.to_owned();
    let names: Vec<String> = arguments.keys().cloned().collect();
    for name in names {
        let place = format!("{{{name}}}");
        if template.contains(&place)
            && let Some(value) = arguments.remove(&name)
        {
            text = text.replace(&place, &encoded(&value));
        }
    }
    (text, arguments)
}

fn with_query(address: String, query: impl IntoIterator<Item = (String, Value)>) -> String {
    query.into_iter().fold(address, |address, (name, value)| {
        let sign = if address.contains('?') { '&' } else { '?' };
        let name = utf8_percent_encode(&name, NON_ALPHANUMERIC);
        format!("{address}{sign}{name}={}", encoded(&value))
    })
}

fn encoded(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::builtin;
    use serde_json::json;

    fn built(name: &str, arguments: &Value) -> Prepared {
        let tool = builtin().iter().find(|tool| tool.name == name).unwrap();
        prepare(tool, arguments)
    }

    #[test]
    fn arguments_go_into_path_query_and_body_and_stay_there() {
        let listed = built(
            "crm.leads.list",
            &json!({ "limit": 5, "email": "a&b=c@x.de" }),
        );
        assert_eq!(
            listed.address,
            "/api/leads?limit=5&email=a%26b%3Dc%40x%2Ede"
        );
        assert_eq!(listed.body, None);
        let changed = built(
            "crm.leads.update",
            &json!({ "id": "../x", "status": "working" }),
        );
        assert_eq!(changed.address, "/api/leads/%2E%2E%2Fx");
        assert_eq!(changed.body, Some(json!({ "status": "working" })));
        let moved = built("crm.todos.complete", &json!({ "id": "7" }));
        assert_eq!(
            (moved.address.as_str(), moved.body),
            ("/api/todos/7/complete", None)
        );
    }
}
