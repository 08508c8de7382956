//! Tools: the built-in ones, those of a tenant, and what a call would send.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::TestApp;
use serde_json::{Value, json};

use crate::{
    ledger::Ledger,
    play::{World, asked, call, decide, model, say, start_with, steps, until},
    provider::{Act, Provider},
};

/// A tool as a tenant makes it.
pub(crate) fn tool(name: &str) -> Value {
    json!({
        "name": name,
        "tool": {
            "title": "Fetch", "description": "Fetches an item", "effect": "read",
            "parameters": { "type": "object", "properties": { "id": { "type": "string" } }, "required": ["id"] },
            "call": { "kind": "http", "method": "GET", "url": "https://api.example.com/items/{id}", "allowed_hosts": ["api.example.com"] },
        },
        "headers": { "authorization": "Bearer s3cret" },
    })
}

fn without_name(mut tool: Value) -> Value {
    tool.as_object_mut().unwrap().remove("name");
    tool
}

#[tokio::test]
async fn a_tool_is_made_shown_without_its_secrets_changed_and_deleted() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let admin = &app.acme.admin;
    let made = admin
        .post("/api/tools", tool("fetch"))
        .await
        .assert_status(201);
    assert!(!made.text().contains("s3cret"));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/tools/{id}");
    let shown = app.acme.viewer.get(&path).await.assert_status(200);
    assert_eq!(shown.json()["header_names"], json!(["authorization"]));
    assert!(!shown.text().contains("s3cret"));
    let mut changed = without_name(tool("fetch"));
    changed["tool"]["title"] = json!("Get");
    changed.as_object_mut().unwrap().remove("headers");
    admin
        .put(&path, &changed)
        .header("if-match", "\"2\"")
        .await
        .assert_problem(412, "precondition_failed");
    let put = admin.put(&path, &changed).await.assert_status(200).json();
    assert_eq!(
        (&put["title"], &put["version"], &put["header_names"]),
        (&json!("Get"), &json!(2), &json!(["authorization"]))
    );
    admin.delete(&path).await.assert_status(204);
    admin.get(&path).await.assert_problem(404, "not_found");
    admin
        .put(&path, &changed)
        .await
        .assert_problem(404, "not_found");
    admin.delete(&path).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn tools_are_made_once_by_administrators_for_their_own_tenant() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let send = || {
        app.acme
            .owner
            .post("/api/tools", tool("fetch"))
            .header("idempotency-key", "k")
    };
    let first = send().await.assert_status(201).json();
    assert_eq!(send().await.assert_status(201).json()["id"], first["id"]);
    app.acme
        .owner
        .post("/api/tools", tool("fetch"))
        .await
        .assert_problem(409, "name_taken");
    app.acme
        .member
        .post("/api/tools", tool("other"))
        .await
        .assert_problem(403, "forbidden");
    let path = format!("/api/tools/{}", first["id"].as_str().unwrap());
    app.globex
        .owner
        .get(&path)
        .await
        .assert_problem(404, "not_found");
    app.globex
        .owner
        .get("/api/tools/fetch")
        .await
        .assert_problem(404, "not_found");
    app.globex
        .owner
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    app.globex
        .owner
        .post(&format!("{path}/test"), json!({ "arguments": {} }))
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn the_list_has_the_built_in_tools_and_then_the_tenants_own_page_by_page() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let owner = &app.acme.owner;
    for name in ["zebra", "apple"] {
        owner
            .post("/api/tools", tool(name))
            .await
            .assert_status(201);
    }
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner
            .get(&format!("/api/tools?limit=10{cursor}"))
            .await
            .assert_status(200)
            .json();
        let items = page["items"].as_array().unwrap();
        names.extend(
            items
                .iter()
                .map(|tool| tool["name"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let unique: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    assert_eq!(names[names.len() - 2..], ["apple", "zebra"]);
    assert!(names.contains(&"crm.leads.list".to_owned()));
    let built_in = owner.delete("/api/tools/crm.leads.list").await;
    built_in.assert_problem(409, "tool_is_built_in");
}

#[tokio::test]
async fn what_a_call_would_send_is_shown_without_sending_it() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let viewer = &app.acme.viewer;
    let tried = |tool: &str, arguments: Value| {
        viewer.post(
            &format!("/api/tools/{tool}/test"),
            json!({ "arguments": arguments }),
        )
    };
    let fine = tried("crm.todos.create", json!({ "title": "x" }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        fine["would_send"],
        json!({ "to": "crm", "method": "POST", "address": "/api/todos", "body": { "title": "x" } })
    );
    assert_eq!(
        (&fine["needs_approval"], &fine["permitted"]),
        (&json!(false), &json!(false))
    );
    let wrong = tried("crm.todos.create", json!({ "title": 7 }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&wrong["valid"], &wrong["errors"][0]["pointer"]),
        (&json!(false), &json!("/title"))
    );
    let deletes = tried(
        "crm.leads.delete",
        json!({ "id": "0199e3a4-0000-7000-8000-000000000000" }),
    )
    .await;
    assert_eq!(deletes.assert_status(200).json()["needs_approval"], true);
    tried("nothing", json!({}))
        .await
        .assert_problem(404, "not_found");
    tried("crm.todos.create", json!([]))
        .await
        .assert_problem(422, "validation_failed");
    app.acme
        .owner
        .post("/api/tools", tool("fetch"))
        .await
        .assert_status(201);
    let own = tried("fetch", json!({ "id": "a/b?c" }))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        own["would_send"]["address"],
        "https://api.example.com/items/a%2Fb%3Fc"
    );
}

#[tokio::test]
async fn addresses_inside_and_servers_that_are_not_configured_are_refused() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let with = |call: Value| {
        let mut tool = tool("fetch");
        tool["tool"]["call"] = call;
        tool
    };
    let http = |url: &str, host: &str| {
        with(json!({ "kind": "http", "method": "GET", "url": url, "allowed_hosts": [host] }))
    };
    for (body, pointer) in [
        (
            http("http://api.example.com/", "api.example.com"),
            "/tool/call/url",
        ),
        (
            http("https://169.254.169.254/latest", "169.254.169.254"),
            "/tool/call/url",
        ),
        (http("https://localhost/", "localhost"), "/tool/call/url"),
        (
            http("https://other.example.com/", "api.example.com"),
            "/tool/call/url",
        ),
        (http("https://{host}/", "api.example.com"), "/tool/call/url"),
        (
            with(json!({ "kind": "n8n", "path": "/webhook/x" })),
            "/tool/call/kind",
        ),
        (with(json!({ "kind": "crewai" })), "/tool/call/kind"),
    ] {
        let answer = app.acme.owner.post("/api/tools", &body).await;
        let problem = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
}

/// A server outside that remembers nothing and answers the same.
async fn outside(answer: Value) -> Provider {
    Provider::scripted(move |_| Act::json(200, &answer)).await
}

async fn agent_with(world: &World, tool: Value) {
    let owner = &world.app.acme.owner;
    let name = tool["name"].clone();
    owner.post("/api/tools", tool).await.assert_status(201);
    let agent = json!({ "name": "user", "title": "U", "role": "r", "goal": "g", "tools": [name] });
    owner.post("/api/agents", agent).await.assert_status(201);
}

#[tokio::test]
async fn a_run_calls_a_tenants_tool_with_its_headers_and_an_idempotency_key() {
    let server = outside(json!({ "item": "tea" })).await;
    let provider = model(vec![call("fetch", json!({ "id": "7" })), say("tea")]).await;
    let crm = Ledger::start().await;
    let mut app = crm
        .of(provider.app())
        .env("EGRESS_ALLOW", "127.0.0.1")
        .start()
        .await;
    app.start_jobs();
    let world = World { app, crm };
    let mut tool = tool("fetch");
    tool["tool"]["call"]["url"] = json!(format!("http://{}/items/{{id}}", server.address()));
    tool["tool"]["call"]["allowed_hosts"] = json!(["127.0.0.1"]);
    agent_with(&world, tool).await;
    let owner = &world.app.acme.owner;
    let id = start_with(owner, json!({ "agent": "user" })).await;
    until(owner, &id, "succeeded").await;
    let seen = server.last();
    assert_eq!(seen.path, "/items/7");
    assert!(seen.head.contains("authorization: bearer s3cret"));
    assert!(seen.head.contains("idempotency-key: run-"));
    assert!(provider.last().body["messages"].to_string().contains("tea"));
}

#[tokio::test]
async fn a_webhook_of_n8n_and_a_crew_of_a_crewai_server_are_called_as_they_want_it() {
    let server = Provider::scripted(|seen| match seen.path.as_str() {
        "/kickoff" => Act::json(200, &json!({ "kickoff_id": "k-1" })),
        "/status/k-1" => Act::json(200, &json!({ "state": "SUCCESS", "result": "from afar" })),
        _ => Act::json(200, &json!({ "ok": true })),
    })
    .await;
    let provider = model(vec![
        call("hook", json!({ "id": "1" })),
        call("afar", json!({ "id": "2" })),
        say("done"),
    ])
    .await;
    let url = format!("http://{}", server.address());
    let mut app = provider
        .app()
        .env("N8N_URL", &url)
        .env("CREWAI_URL", &url)
        .start()
        .await;
    app.start_jobs();
    let owner = &app.acme.owner;
    for (name, call) in [
        ("hook", json!({ "kind": "n8n", "path": "/webhook/x" })),
        ("afar", json!({ "kind": "crewai" })),
    ] {
        let mut tool = tool(name);
        tool["tool"]["call"] = call;
        owner.post("/api/tools", tool).await.assert_status(201);
    }
    let agent = json!({ "name": "user", "title": "U", "role": "r", "goal": "g", "tools": ["hook", "afar"] });
    owner.post("/api/agents", agent).await.assert_status(201);
    let id = start_with(owner, json!({ "agent": "user" })).await;
    until(owner, &id, "succeeded").await;
    assert!(
        provider.last().body["messages"]
            .to_string()
            .contains("from afar")
    );
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_is_asked_for_and_never_just_sent_again() {
    // Takes the request and hangs up without a word.
    let server = Provider::scripted(|_| Act::Send(Vec::new())).await;
    let provider = model(vec![call("fetch", json!({ "id": "7" })), say("done")]).await;
    let crm = Ledger::start().await;
    let mut app = crm
        .of(provider.app())
        .env("EGRESS_ALLOW", "127.0.0.1")
        .start()
        .await;
    app.start_jobs();
    let world = World { app, crm };
    let mut tool = tool("fetch");
    tool["tool"]["effect"] = json!("write");
    tool["tool"]["call"] = json!({
        "kind": "http", "method": "POST", "url": format!("http://{}/pay", server.address()), "allowed_hosts": ["127.0.0.1"],
    });
    agent_with(&world, tool).await;
    let owner = &world.app.acme.owner;
    let id = start_with(owner, json!({ "agent": "user" })).await;
    until(owner, &id, "waiting_approval").await;
    assert_eq!(steps(owner, &id).await[1], "task.call0.0 uncertain");
    assert_eq!(asked(owner, &id).await["reason"], "uncertain");
    assert_eq!(server.count(), 1);
    decide(
        owner,
        &id,
        json!({ "decision": "reject", "comment": "it was paid" }),
    )
    .await;
    until(owner, &id, "succeeded").await;
    assert_eq!(steps(owner, &id).await[1], "task.call0.0 rejected");
    assert_eq!(server.count(), 1);
}
