//! The server of the Model Context Protocol: greeting, versions, who is let in, and which tools are offered.

use std::sync::{Arc, Mutex};

use ai_orchestrator::AiOrchestrator;
use bz_auth::api_key::KeyGrant;
use bz_kernel::platform;
use bz_testkit::{ISSUER, Role, Tenant, TestApp};
use http::Method;
use serde_json::{Value, json};

use crate::{
    ledger::Ledger,
    mcp::{Office, ask, call, names, request, text, tools},
    provider::{Act, Provider},
    tools::tool,
};

const NEWEST: &str = "2026-07-28";

#[tokio::test]
async fn a_client_shakes_hands_and_is_answered_in_a_version_that_it_knows() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let viewer = &app.acme.viewer;
    for (asked, answered) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
        (NEWEST, "2025-11-25"),
    ] {
        let params = json!({ "protocolVersion": asked, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        let result = ask(viewer, "initialize", params).await["result"].clone();
        assert_eq!(result["protocolVersion"], answered);
        // Tools alone: no logging, nothing that is pushed.
        assert_eq!(result["capabilities"], json!({ "tools": {} }));
        assert_eq!(result["serverInfo"]["name"], "bizosaas");
    }
    let nothing = ask(viewer, "initialize", json!({})).await;
    assert_eq!(nothing["error"]["code"], -32602);
    assert_eq!(ask(viewer, "ping", json!({})).await["result"], json!({}));
    let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let told = viewer.post("/mcp", told).await.assert_status(202);
    assert!(told.body.is_empty());
    let unknown = ask(viewer, "resources/list", json!({})).await;
    assert_eq!(unknown["error"]["code"], -32601);
}

/// What a client without handshake sends.
fn alone(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": NEWEST,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    request(method, &params)
}

#[tokio::test]
async fn a_client_without_handshake_says_with_each_request_what_it_is() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let send = |method: &'static str, body: Value| {
        let request = app.acme.viewer.post("/mcp", body);
        request
            .header("mcp-protocol-version", NEWEST)
            .header("mcp-method", method)
    };
    let found = send("server/discover", alone("server/discover", json!({}))).await;
    let found = found.assert_status(200).json()["result"].clone();
    assert_eq!(found["resultType"], "complete");
    assert!(
        found["supportedVersions"]
            .as_array()
            .unwrap()
            .contains(&json!(NEWEST))
    );
    let listed = send("tools/list", alone("tools/list", json!({}))).await;
    let listed = listed.assert_status(200).json()["result"].clone();
    assert_eq!(
        (&listed["resultType"], &listed["cacheScope"]),
        (&json!("complete"), &json!("private"))
    );
    // Nothing is pushed, so that nobody can listen, and a list is to be read anew each time.
    assert_eq!(found["capabilities"], json!({ "tools": {} }));
    assert_eq!(listed["ttlMs"], 0);
    for method in ["resources/list", "subscriptions/listen"] {
        let unknown = send(method, alone(method, json!({}))).await;
        assert_eq!(unknown.assert_status(404).json()["error"]["code"], -32601);
    }
    // Another method in the header than in the message.
    let other = send("ping", alone("tools/list", json!({}))).await;
    assert_eq!(other.assert_status(400).json()["error"]["code"], -32020);
    let bare = send("tools/list", request("tools/list", &json!({}))).await;
    assert_eq!(bare.assert_status(400).json()["error"]["code"], -32602);
    let old = app.acme.viewer.post("/mcp", request("ping", &json!({})));
    let old = old.header("mcp-protocol-version", "1999-01-01").await;
    let old = old.assert_status(400).json()["error"].clone();
    assert_eq!(
        (&old["code"], &old["data"]["requested"]),
        (&json!(-32022), &json!("1999-01-01"))
    );
}

#[tokio::test]
async fn what_is_no_message_is_refused_with_a_problem() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let viewer = &app.acme.viewer;
    for body in [
        json!([request("ping", &json!({}))]),
        json!({ "jsonrpc": "1.0", "id": 1, "method": "ping" }),
        json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }),
        json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
    ] {
        let answer = viewer.post("/mcp", &body).await;
        answer.assert_problem(422, "validation_failed");
    }
    let half = viewer.request(Method::POST, "/mcp");
    let half = half.body("application/json", "{").await;
    half.assert_problem(400, "malformed_json");
    // There are neither streams nor sessions.
    for method in [Method::GET, Method::DELETE] {
        let answer = viewer.request(method, "/mcp").await;
        answer.assert_problem(405, "method_not_allowed");
    }
    for params in [json!({ "cursor": "nonsense" }), json!({ "cursor": 7 })] {
        let listed = ask(viewer, "tools/list", params).await;
        assert_eq!(listed["error"]["code"], -32602);
    }
}

#[tokio::test]
async fn who_has_no_token_is_told_where_to_get_one() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let ping = || request("ping", &json!({}));
    let refused = app
        .anonymous
        .post("/mcp", ping())
        .header("host", "ai.example.com")
        .await;
    let refused = refused.assert_problem(401, "unauthenticated");
    let metadata = "https://ai.example.com/.well-known/oauth-protected-resource/mcp";
    assert_eq!(
        refused.header("www-authenticate").unwrap(),
        format!(r#"Bearer resource_metadata="{metadata}""#)
    );
    let expired = app
        .anonymous
        .with_token(app.tokens.expired())
        .post("/mcp", ping())
        .await;
    let expired = expired.assert_problem(401, "unauthenticated");
    let challenge = expired.header("www-authenticate").unwrap();
    assert!(challenge.starts_with(r#"Bearer error="invalid_token", resource_metadata="https://"#));
    for path in ["", "/mcp"] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let shown = app
            .anonymous
            .get(&path)
            .header("host", "ai.example.com")
            .await;
        assert_eq!(
            shown.assert_status(200).json(),
            json!({
                "resource": "https://ai.example.com/mcp", "resource_name": "BizOSaaS",
                "authorization_servers": [ISSUER], "bearer_methods_supported": ["header"],
            })
        );
    }
    // A host that would break out of the header's quotes is none.
    let odd = app
        .anonymous
        .post("/mcp", ping())
        .header("host", "a\",b=\"c")
        .await;
    let odd = odd.assert_problem(401, "unauthenticated");
    assert!(odd.header("www-authenticate").unwrap().contains(ISSUER));
}

#[tokio::test]
async fn web_pages_of_other_origins_may_not_call() {
    let app = TestApp::<AiOrchestrator>::builder()
        .env("MCP_ALLOWED_ORIGINS", "https://inspector.example.com")
        .start()
        .await;
    let from = |origin: &str| {
        let request = app.acme.viewer.post("/mcp", request("ping", &json!({})));
        request.header("origin", origin)
    };
    for origin in ["https://inspector.example.com", ISSUER] {
        from(origin).await.assert_status(200);
    }
    for origin in [
        "https://evil.example.com",
        "null",
        "https://inspector.example.com.evil.com",
    ] {
        from(origin).await.assert_problem(403, "origin_not_allowed");
    }
}

#[tokio::test]
async fn each_caller_is_offered_what_their_permissions_allow() {
    let app = TestApp::<AiOrchestrator>::start().await;
    for (client, name) in [(&app.acme.owner, "ours"), (&app.globex.owner, "theirs")] {
        let made = client.post("/api/tools", tool(name)).await;
        made.assert_status(201);
    }
    let owner = names(&app.acme.owner).await;
    let member = names(&app.acme.member).await;
    let viewer = names(&app.acme.viewer).await;
    assert_eq!(owner, member);
    assert!(owner.contains(&"ours".to_owned()) && !owner.contains(&"theirs".to_owned()));
    assert!(
        names(&app.globex.member)
            .await
            .contains(&"theirs".to_owned())
    );
    // Own tools use secrets of the tenant: as for runs, reading is not enough.
    assert!(!viewer.contains(&"ours".to_owned()));
    for (tool, seen) in [
        ("crm_leads_list", true),
        ("analytics_metrics_query", true),
        ("identity_me", true),
        ("crm_leads_create", false),
        ("crm_leads_delete", false),
    ] {
        assert_eq!(viewer.contains(&tool.to_owned()), seen, "{tool}");
        assert!(member.contains(&tool.to_owned()), "{tool}");
    }
    let nobody = app
        .anonymous
        .with_token(app.tokens.without_role(Tenant::Acme));
    let refused = nobody.post("/mcp", request("tools/list", &json!({}))).await;
    let refused = refused.assert_problem(403, "forbidden");
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.contains(r#"scope="tools:read", resource_metadata="#));
}

#[tokio::test]
async fn tools_say_what_they_do_and_what_they_want() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let all = tools(&app.acme.owner).await;
    let hints = |name: &str| {
        let found = all.iter().find(|tool| tool["name"] == name);
        let hints = &found.unwrap()["annotations"];
        [
            "readOnlyHint",
            "destructiveHint",
            "idempotentHint",
            "openWorldHint",
        ]
        .map(|hint| hints[hint].as_bool().unwrap())
    };
    assert_eq!(hints("crm_leads_list"), [true, false, true, false]);
    assert_eq!(hints("crm_todos_create"), [false, false, false, false]);
    assert_eq!(hints("crm_todos_update"), [false, false, true, false]);
    assert_eq!(hints("crm_todos_delete"), [false, true, true, false]);
    for tool in &all {
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        let name = tool["name"].as_str().unwrap();
        assert!(
            name.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        );
        let confirm = tool["inputSchema"]["properties"]["confirm"].is_object();
        assert_eq!(
            confirm,
            tool["annotations"]["destructiveHint"] == true,
            "{name}"
        );
        assert!(tool["title"].is_string() && tool["description"].is_string());
    }
}

#[tokio::test]
async fn a_long_list_comes_page_by_page_and_no_page_is_another_tenants() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let owner = &app.acme.owner;
    let before = names(owner).await.len();
    for n in 0..20 {
        let made = owner.post("/api/tools", tool(&format!("own-{n:02}"))).await;
        made.assert_status(201);
    }
    let first = ask(owner, "tools/list", json!({})).await["result"].clone();
    assert_eq!(first["tools"].as_array().unwrap().len(), 50);
    let all = names(owner).await;
    let unique: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!((all.len(), unique.len()), (before + 20, before + 20));
    assert_eq!(all.last().unwrap(), "own-19");
    let params = json!({ "cursor": first["nextCursor"] });
    let foreign = ask(&app.globex.owner, "tools/list", params).await;
    assert_eq!(foreign["error"]["code"], -32602);
}

#[tokio::test]
async fn an_api_key_is_good_for_the_tools_of_its_scopes_and_goes_on_to_the_crm() {
    let grant = Arc::new(Mutex::new(json!(null)));
    let desk = Arc::clone(&grant);
    let identity = Provider::scripted(move |seen| match seen.body["key"].as_str() {
        Some("ak_good") => Act::json(200, &desk.lock().unwrap()),
        _ => Act::json(404, &json!({})),
    })
    .await;
    let crm = Ledger::start().await;
    let url = format!("http://{}", identity.address()).parse().unwrap();
    let app = crm
        .of(TestApp::builder())
        .sibling(&platform::IDENTITY, &url);
    let app = app.start().await;
    let mut claims = app
        .tokens
        .user_claims(Tenant::Acme, Tenant::Acme.user(Role::Member), &[]);
    claims.entitlements = ["tools:read", "todos:read", "todos:write"]
        .map(str::to_owned)
        .into();
    let whole = KeyGrant {
        claims,
        ip_allow: Vec::new(),
    };
    *grant.lock().unwrap() = serde_json::to_value(whole).unwrap();
    let key = app.anonymous.with_token("ak_good".to_owned());
    let offered = names(&key).await;
    assert!(
        offered
            .iter()
            .all(|name| name.starts_with("crm_todos_") || name == "identity_me")
    );
    let made = call(&key, "crm_todos_create", json!({ "title": "by key" })).await;
    assert_eq!(
        made["structuredContent"]["title"],
        "by key",
        "{}",
        text(&made)
    );
    assert_eq!(crm.of_user(&key), ["by key"]);
    let bad = app.anonymous.with_token("ak_bad".to_owned());
    let bad = bad.post("/mcp", request("ping", &json!({}))).await;
    bad.assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn two_tenants_with_tools_and_records_of_the_same_names_see_their_own_only() {
    let office = Office::open().await;
    let (acme, globex) = (&office.app.acme.owner, &office.app.globex.owner);
    for client in [acme, globex] {
        client
            .post("/api/tools", tool("fetch"))
            .await
            .assert_status(201);
    }
    call(acme, "crm_todos_create", json!({ "title": "same" })).await;
    call(globex, "crm_todos_create", json!({ "title": "same" })).await;
    for client in [acme, globex] {
        let listed = call(client, "crm_todos_list", json!({})).await;
        let items = listed["structuredContent"]["items"].as_array().unwrap();
        assert_eq!(items.len(), 1);
        assert_eq!(
            names(client)
                .await
                .iter()
                .filter(|name| *name == "fetch")
                .count(),
            1
        );
    }
}
