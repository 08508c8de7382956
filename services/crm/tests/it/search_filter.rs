//! A search in the records that pass a filter.

use bz_testkit::{Client, TestApp};
use crm::Crm;
use serde_json::{Value, json};
use sqlx::{Executor, query_scalar};

use crate::{
    search::{found, make},
    support::{arrange, custom_field},
};

/// The titles that a search with this body finds.
async fn titles(client: &Client, body: Value) -> Vec<String> {
    let answer = client
        .post("/api/search", body)
        .await
        .assert_status(200)
        .json();
    let items = answer["items"].as_array().unwrap().iter();
    let mut titles: Vec<String> = items
        .map(|hit| hit["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort_unstable();
    titles
}

fn ada(last_name: &str, more: &Value) -> Value {
    let mut lead = json!({ "first_name": "Ada", "last_name": last_name });
    for (name, value) in more.as_object().unwrap() {
        lead[name] = value.clone();
    }
    lead
}

fn encoded(filter: &Value) -> String {
    filter
        .to_string()
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect()
}

#[tokio::test]
async fn only_what_passes_the_filter_of_its_type_is_found() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    custom_field(&app, "plan", "Plan", "text", false).await;
    let me = json!(member_id());
    make(
        member,
        "/api/leads",
        ada(
            "One",
            &json!({ "status": "working", "tags": ["warm"], "owner_id": me }),
        ),
    )
    .await;
    make(
        member,
        "/api/leads",
        ada("Two", &json!({ "custom": { "plan": "Pro" } })),
    )
    .await;
    make(
        member,
        "/api/leads",
        ada("Three", &json!({ "city": "Lyon" })),
    )
    .await;
    make(
        member,
        "/api/contacts",
        json!({ "first_name": "Ada", "last_name": "Contact" }),
    )
    .await;
    make(member, "/api/companies", json!({ "name": "Ada Works" })).await;
    for (filter, expected) in [
        (
            json!({ "field": "status", "value": "working" }),
            vec!["Ada One"],
        ),
        (
            json!({ "field": "owner_id", "value": "me" }),
            vec!["Ada One"],
        ),
        (
            json!({ "field": "tags", "op": "any", "value": ["warm"] }),
            vec!["Ada One"],
        ),
        (
            json!({ "field": "custom.plan", "value": "pro" }),
            vec!["Ada Two"],
        ),
        (
            json!({ "any": [{ "field": "city", "value": "Lyon" }, { "field": "custom.plan", "value": "pro" }] }),
            vec!["Ada Three", "Ada Two"],
        ),
        (json!({ "field": "status", "value": "qualified" }), vec![]),
    ] {
        let filter = json!({ "lead": filter });
        let body = json!({ "q": "ada", "filter": filter });
        assert_eq!(titles(member, body).await, expected, "{filter}");
        let mut found = found(member, &format!("q=ada&filter={}", encoded(&filter))).await;
        found.sort_unstable();
        assert_eq!(found, expected, "{filter}");
    }
    // Each type by its own filter, and a type that is named without one whole.
    let working = json!({ "field": "status", "value": "working" });
    let both = json!({ "lead": working, "contact": { "all": [] } });
    assert_eq!(
        titles(member, json!({ "q": "ada", "filter": both })).await,
        ["Ada Contact", "Ada One"]
    );
    let body = json!({ "q": "ada", "types": ["company", "lead"], "filter": { "lead": working } });
    assert_eq!(titles(member, body).await, ["Ada One", "Ada Works"]);
    let grouped = json!({ "q": "ada", "filter": { "lead": working }, "group": true });
    let grouped = member
        .post("/api/search", grouped)
        .await
        .assert_status(200)
        .json();
    assert_eq!(grouped["groups"].as_array().unwrap().len(), 1);
}

fn member_id() -> uuid::Uuid {
    bz_testkit::Tenant::Acme
        .user(bz_testkit::Role::Member)
        .as_uuid()
}

#[tokio::test]
async fn a_filter_that_many_pass_is_held_against_what_is_found() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    // More than are looked at one by one; they wait for their documents, as after an import.
    let many = "INSERT INTO crm.leads (tenant_id, id, first_name, source, created_by, created_at, updated_at) \
        SELECT '{tenant}', gen_random_uuid(), 'Many', 'fair', gen_random_uuid(), now(), now() FROM generate_series(1, 10100) AS n";
    arrange(&app, many).await;
    make(
        member,
        "/api/leads",
        ada("Fair", &json!({ "source": "fair" })),
    )
    .await;
    make(
        member,
        "/api/leads",
        ada("Web", &json!({ "source": "web" })),
    )
    .await;
    make(member, "/api/leads", ada("None", &json!({}))).await;
    for (source, expected) in [("fair", "Ada Fair"), ("web", "Ada Web")] {
        let filter = json!({ "lead": { "field": "source", "value": source } });
        let body = json!({ "q": "ada", "filter": filter });
        assert_eq!(titles(member, body).await, [expected]);
    }
    let not_web = json!({ "lead": { "not": { "field": "source", "value": "web" } } });
    let body = json!({ "q": "ada", "filter": not_web });
    assert_eq!(titles(member, body).await, ["Ada Fair", "Ada None"]);
}

#[tokio::test]
async fn a_filter_shows_nobody_what_they_do_not_see() {
    let app = TestApp::<Crm>::start().await;
    make(
        &app.acme.owner,
        "/api/leads",
        ada("Owners", &json!({ "status": "working" })),
    )
    .await;
    make(
        &app.acme.member,
        "/api/leads",
        ada("Members", &json!({ "status": "working" })),
    )
    .await;
    make(
        &app.globex.member,
        "/api/leads",
        ada("Globex", &json!({ "status": "working" })),
    )
    .await;
    let narrow = "INSERT INTO crm.record_access (tenant_id, role, record_type, reads, writes, updated_at) \
        VALUES ('{tenant}', 'member', 'lead', 'own', 'own', now())";
    arrange(&app, narrow).await;
    let fresh = TestApp::<Crm>::builder().beside(&app).start().await;
    let body =
        json!({ "q": "ada", "filter": { "lead": { "field": "status", "value": "working" } } });
    for (client, expected) in [
        (&fresh.acme.owner, vec!["Ada Members", "Ada Owners"]),
        (&fresh.acme.member, vec!["Ada Members"]),
        (&fresh.globex.member, vec!["Ada Globex"]),
    ] {
        assert_eq!(titles(client, body.clone()).await, expected);
    }
    fresh
        .anonymous
        .post("/api/search", body)
        .await
        .assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_filter_is_checked_like_that_of_a_list_and_its_faults_have_their_place() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let lead = |filter: Value| json!({ "lead": filter });
    for (filter, pointer, code) in [
        (
            lead(json!({ "field": "colour", "value": 1 })),
            "/filter/lead/value",
            "unknown_field",
        ),
        (
            lead(json!({ "all": [{ "field": "status", "value": "asleep" }] })),
            "/filter/lead/all/0/value",
            "invalid_value",
        ),
        (
            lead(json!({ "field": "utm", "value": "x" })),
            "/filter/lead/value",
            "not_filterable",
        ),
        (
            lead(json!({ "field": "custom.plan", "value": "x" })),
            "/filter/lead/value",
            "unknown_field",
        ),
        (
            json!({ "dragon": { "all": [] } }),
            "/filter",
            "unknown_type",
        ),
    ] {
        let body = json!({ "q": "ada", "filter": filter });
        let refused = member.post("/api/search", body).await;
        let refused = refused.assert_problem(422, "validation_failed").json();
        let fault = &refused["errors"][0];
        assert_eq!(
            (&fault["pointer"], &fault["code"]),
            (&json!(pointer), &json!(code))
        );
        let sent = format!("/api/search?q=ada&filter={}", encoded(&filter));
        let refused = member
            .get(&sent)
            .await
            .assert_problem(422, "validation_failed")
            .json();
        let fault = &refused["errors"][0];
        assert_eq!(
            (&fault["parameter"], &fault["code"]),
            (&json!("filter"), &json!(code))
        );
    }
    let other = json!({ "q": "ada", "types": ["company"], "filter": { "lead": { "all": [] } } });
    let refused = member
        .post("/api/search", other)
        .await
        .assert_problem(422, "validation_failed");
    assert_eq!(
        refused.json()["errors"][0]["pointer"],
        json!("/filter/lead")
    );
    for wrong in ["nonsense", "%5B%5D", "%7B%22lead%22%3A%7B%22x%22%3A1%7D%7D"] {
        let sent = format!("/api/search?q=ada&filter={wrong}");
        member
            .get(&sent)
            .await
            .assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn the_pages_of_a_search_with_a_filter_are_its_own() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    for n in 0..4 {
        let status = if n == 3 { "qualified" } else { "working" };
        make(
            member,
            "/api/leads",
            ada(&format!("N{n}"), &json!({ "status": status })),
        )
        .await;
    }
    let page = async |status: &str, cursor: Value| {
        let filter = json!({ "lead": { "field": "status", "value": status } });
        let body =
            json!({ "q": "ada", "mode": "text", "limit": 2, "filter": filter, "cursor": cursor });
        member.post("/api/search", body).await
    };
    let first = page("working", Value::Null).await.assert_status(200).json();
    let second = page("working", first["next_cursor"].clone()).await;
    let second = second.assert_status(200).json();
    assert_eq!(
        (
            first["items"].as_array().unwrap().len(),
            second["items"].as_array().unwrap().len()
        ),
        (2, 1)
    );
    assert_eq!(second["next_cursor"], Value::Null);
    let other = page("qualified", first["next_cursor"].clone()).await;
    other.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn a_search_among_a_few_of_many_looks_at_these_only() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let fill = "SET crm.search_at_once = 1000000; \
        INSERT INTO crm.leads (tenant_id, id, first_name, source, created_by, created_at, updated_at) \
        SELECT '{tenant}', gen_random_uuid(), 'Common', CASE WHEN n <= 3 THEN 'rare' ELSE 'fair' END, gen_random_uuid(), now(), now() \
        FROM generate_series(1, 3000) AS n";
    arrange(&app, fill).await;
    // All three, though thousands of others have the word too.
    let rare = json!({ "lead": { "field": "source", "value": "rare" } });
    let body = json!({ "q": "common", "filter": rare });
    assert_eq!(titles(member, body).await.len(), 3);
    let mut admin = app.database.admin().await;
    admin.execute("ANALYZE crm.search_documents").await.unwrap();
    let ids: Vec<String> = query_scalar("SELECT id::text FROM crm.leads WHERE source = 'rare'")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    // As the owner of the functions, whose policy has no condition.
    admin.execute("SET ROLE crm_relay").await.unwrap();
    let sql = format!(
        "EXPLAIN SELECT * FROM crm.search_documents WHERE tenant_id = '{}' AND words @@ '''common'''::tsquery \
         AND ('{{{1}}}'::uuid[] IS NULL OR record_id = ANY ('{{{1}}}'::uuid[])) LIMIT 500",
        app.acme.id(),
        ids.join(",")
    );
    let plan: Vec<String> = query_scalar(&sql).fetch_all(&mut admin).await.unwrap();
    let plan = plan.join("\n");
    assert!(
        plan.contains("Index Cond")
            && plan.contains("record_id = ANY")
            && !plan.contains("Scan on"),
        "{plan}"
    );
}
