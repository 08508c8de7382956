//! The Model Context Protocol's messages as tests send them.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{Client, TestApp};
use serde_json::{Value, json};

use crate::ledger::Ledger;

/// The service beside a CRM, without a model.
pub(crate) struct Office {
    pub(crate) app: TestApp<AiOrchestrator>,
    pub(crate) crm: Ledger,
}

impl Office {
    pub(crate) async fn open() -> Self {
        let crm = Ledger::start().await;
        let app = crm.of(TestApp::builder()).start().await;
        Self { app, crm }
    }
}

/// A request.
pub(crate) fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

/// The whole answer to a request of a client that shook hands.
pub(crate) async fn ask(client: &Client, method: &str, params: Value) -> Value {
    let answer = client.post("/mcp", request(method, &params)).await;
    let answer = answer.assert_status(200).json();
    assert_eq!(
        (&answer["jsonrpc"], &answer["id"]),
        (&json!("2.0"), &json!(7))
    );
    answer
}

/// The result of a tool.
pub(crate) async fn call(client: &Client, tool: &str, arguments: Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    ask(client, "tools/call", params).await["result"].clone()
}

/// The text of a result.
pub(crate) fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

/// The names of all tools that a client is offered.
pub(crate) async fn names(client: &Client) -> Vec<String> {
    let tools = tools(client).await;
    let names = tools.iter().map(|tool| tool["name"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

/// All tools that a client is offered.
pub(crate) async fn tools(client: &Client) -> Vec<Value> {
    let (mut tools, mut params) = (Vec::new(), json!({}));
    loop {
        let page = ask(client, "tools/list", params).await["result"].clone();
        tools.extend(page["tools"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(next) => params = json!({ "cursor": next }),
            None => return tools,
        }
    }
}
