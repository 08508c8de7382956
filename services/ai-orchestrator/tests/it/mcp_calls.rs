//! Calls of tools by way of the Model Context Protocol.

use bz_testkit::TestApp;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    ledger::Ledger,
    mcp::{Office, ask, call, request, text},
    provider::{Act, Provider},
    tools::tool,
};

#[tokio::test]
async fn a_call_works_with_the_callers_token_and_under_both_names() {
    let office = Office::open().await;
    let member = &office.app.acme.member;
    let made = call(member, "crm_todos_create", json!({ "title": "call Ada" })).await;
    assert_eq!(made["isError"], false);
    assert_eq!(made["structuredContent"]["title"], "call Ada");
    let same: Value = serde_json::from_str(text(&made)).unwrap();
    assert_eq!(same, made["structuredContent"]);
    assert_eq!(office.crm.of_user(member), ["call Ada"]);
    let listed = call(member, "crm.todos.list", json!({})).await;
    assert_eq!(listed["structuredContent"]["items"][0]["title"], "call Ada");
    // Older versions know no kinds of results.
    assert_eq!(made["resultType"], Value::Null);
}

#[tokio::test]
async fn a_call_with_a_key_of_the_clients_is_done_once_and_others_as_often_as_they_come() {
    let office = Office::open().await;
    let member = &office.app.acme.member;
    let create = async |client, key: Value| {
        let mut params = json!({ "name": "crm_todos_create", "arguments": { "title": "x" } });
        if !key.is_null() {
            params["_meta"] = json!({ "bizosaas/idempotency-key": key });
        }
        ask(client, "tools/call", params).await
    };
    create(member, json!("k")).await;
    create(member, json!("k")).await;
    assert_eq!(office.crm.all().len(), 1);
    // The same key of somebody else is another one.
    create(&office.app.acme.owner, json!("k")).await;
    assert_eq!(office.crm.all().len(), 2);
    create(member, json!(null)).await;
    create(member, json!(null)).await;
    assert_eq!(office.crm.all().len(), 4);
    for bad in [json!(7), json!(""), json!("x".repeat(256))] {
        assert_eq!(create(member, bad).await["error"]["code"], -32602);
    }
    assert_eq!(office.crm.all().len(), 4);
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_a_result_that_says_what_to_change() {
    let office = Office::open().await;
    let member = &office.app.acme.member;
    for (arguments, place) in [
        (json!({ "title": "x", "priority": "soon" }), "/priority"),
        (json!({}), "title"),
        (json!({ "title": "x", "colour": "red" }), "colour"),
    ] {
        let result = call(member, "crm_todos_create", arguments).await;
        assert_eq!(result["isError"], true);
        assert!(text(&result).contains(place), "{result}");
    }
    assert!(office.crm.all().is_empty());
    let params = json!({ "name": "crm_todos_create", "arguments": [] });
    assert_eq!(
        ask(member, "tools/call", params).await["error"]["code"],
        -32602
    );
    let refused = call(
        member,
        "crm_todos_get",
        json!({ "id": "0199e3a4-0000-7000-8000-000000000099" }),
    )
    .await;
    assert_eq!(refused["isError"], true);
    assert!(text(&refused).contains("not_found"), "{refused}");
}

#[tokio::test]
async fn tools_that_are_not_offered_cannot_be_called() {
    let office = Office::open().await;
    let app = &office.app;
    let made = app.acme.owner.post("/api/tools", tool("ours")).await;
    made.assert_status(201);
    for (client, name) in [
        (&app.acme.owner, "nothing"),
        (&app.acme.viewer, "crm_todos_create"),
        (&app.acme.viewer, "ours"),
        (&app.globex.owner, "ours"),
    ] {
        let params = json!({ "name": name, "arguments": { "title": "x", "id": "7" } });
        let error = ask(client, "tools/call", params).await["error"].clone();
        assert_eq!(error["code"], -32602);
        assert_eq!(error["message"], format!("Unknown tool: {name}"));
    }
    assert!(office.crm.all().is_empty());
}

/// The token in a question.
fn token(question: &Value) -> String {
    assert_eq!(question["isError"], true);
    let after = text(question).split("\"confirm\": \"").nth(1).unwrap();
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_takes_something_away_is_done_at_the_second_call_only() {
    let office = Office::open().await;
    let (app, crm) = (&office.app, &office.crm);
    let member = &app.acme.member;
    let (one, two) = (crm.add("one"), crm.add("two"));
    let delete = async |client, id: &str, token: Option<&str>| {
        let mut arguments = json!({ "id": id });
        if let Some(token) = token {
            arguments["confirm"] = json!(token);
        }
        call(client, "crm_todos_delete", arguments).await
    };
    let question = delete(member, &one, None).await;
    assert!(text(&question).contains(&one) && text(&question).contains("Nothing was done"));
    let good = token(&question);
    // For nothing and nobody else: another record, another user, another tenant, another tool, a token of one's own.
    for (client, id, token) in [
        (member, two.as_str(), good.as_str()),
        (&app.acme.owner, &one, &good),
        (&app.globex.owner, &one, &good),
        (member, &one, "00112233445566778899aabbccddeeff"),
    ] {
        assert_eq!(delete(client, id, Some(token)).await["isError"], true);
    }
    let other = call(
        member,
        "crm_leads_delete",
        json!({ "id": one, "confirm": good }),
    )
    .await;
    assert_eq!(other["isError"], true);
    assert_eq!(crm.all(), ["one", "two"]);
    let done = delete(member, &one, Some(&good)).await;
    assert_eq!(done["structuredContent"]["deleted"], true);
    assert_eq!(crm.all(), ["two"]);
    // Once.
    assert_eq!(delete(member, &one, Some(&good)).await["isError"], true);
    // And for ten minutes.
    let late = token(&delete(member, &two, None).await);
    app.clock.advance(TimeDelta::minutes(10));
    assert_eq!(delete(member, &two, Some(&late)).await["isError"], true);
    assert_eq!(crm.all(), ["two"]);
}

#[tokio::test]
async fn a_tool_of_the_tenants_own_is_called_with_its_headers() {
    let server = Provider::scripted(|_| Act::json(200, &json!({ "item": "tea" }))).await;
    let app = TestApp::<ai_orchestrator::AiOrchestrator>::builder()
        .env("EGRESS_ALLOW", "127.0.0.1")
        .start()
        .await;
    let mut own = tool("fetch");
    own["tool"]["call"]["url"] = json!(format!("http://{}/items/{{id}}", server.address()));
    own["tool"]["call"]["allowed_hosts"] = json!(["127.0.0.1"]);
    app.acme
        .owner
        .post("/api/tools", &own)
        .await
        .assert_status(201);
    let got = call(&app.acme.member, "fetch", json!({ "id": "7" })).await;
    assert_eq!(got["structuredContent"], json!({ "item": "tea" }));
    let seen = server.last();
    assert!(seen.head.contains("authorization: bearer s3cret"));
    assert!(seen.head.contains("idempotency-key: mcp-"));
    // The caller's own token stays within the platform.
    let token = bz_kernel::ExposeSecret::expose_secret(app.acme.member.token().unwrap());
    assert!(!seen.head.contains(&token.to_lowercase()));
}

#[tokio::test]
async fn a_crm_that_is_away_is_told_as_what_it_is_and_never_as_done() {
    let gone = Ledger::start().await;
    let app = gone.of(TestApp::builder());
    drop(gone);
    let app = app.start().await;
    let member = &app.acme.member;
    let made = call(member, "crm_todos_create", json!({ "title": "x" })).await;
    assert_eq!(made["isError"], true);
    assert!(text(&made).contains("Nothing was done"), "{made}");
    let read = call(member, "crm_todos_list", json!({})).await;
    assert!(text(&read).contains("Try again later"), "{read}");
}

#[tokio::test]
async fn a_token_that_the_crm_takes_no_more_is_answered_as_any_bad_token() {
    let office = Office::open().await;
    office.crm.refuse(true);
    let params = json!({ "name": "crm_todos_list" });
    let answer = office
        .app
        .acme
        .member
        .post("/mcp", request("tools/call", &params));
    let answer = answer.await.assert_problem(401, "unauthenticated");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.contains("resource_metadata"));
}
