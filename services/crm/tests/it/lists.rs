//! Lists: filters, orders, parts, counts, the trash and the query with a tree.

use bz_testkit::TestApp;
use crm::Crm;
use serde_json::{Value, json};

use crate::kit::{all_pages, column, faults, made, text};

async fn leads(app: &TestApp<Crm>, all: &[Value]) -> Vec<Value> {
    let mut leads = Vec::new();
    for lead in all {
        leads.push(made(app, &app.acme.member, "/api/leads", lead.clone()).await);
    }
    leads
}

fn three() -> [Value; 3] {
    [
        json!({ "first_name": "Ada", "email": "Ada@Engines.example", "employees": 80, "status": "working",
            "tags": ["vip", "eu"] }),
        json!({ "first_name": "Bob", "city": "Oslo", "employees": 5, "tags": ["eu"],
            "annual_revenue": { "amount": "12.50", "currency": "EUR" } }),
        json!({ "first_name": "Eve", "city": "Bergen", "country": "Norway" }),
    ]
}

#[tokio::test]
async fn every_operator_of_a_query_string_finds_what_it_says() {
    let app = TestApp::<Crm>::start().await;
    leads(&app, &three()).await;
    let me = bz_testkit::Tenant::Acme.user(bz_testkit::Role::Member);
    for (query, names) in [
        ("status=working", vec!["Ada"]),
        ("status[ne]=working", vec!["Eve", "Bob"]),
        ("status[in]=new,working", vec!["Eve", "Bob", "Ada"]),
        ("employees[gte]=5&employees[lt]=80", vec!["Bob"]),
        ("employees[is_null]=true", vec!["Eve"]),
        ("city[nin]=Oslo", vec!["Eve", "Ada"]),
        ("city[like]=ber", vec!["Eve"]),
        ("first_name[contains]=D", vec!["Ada"]),
        ("email=ada@engines.EXAMPLE", vec!["Ada"]),
        ("annual_revenue[gt]=12.49", vec!["Bob"]),
        ("tags=eu", vec!["Bob", "Ada"]),
        ("tags[all]=eu,vip", vec!["Ada"]),
        ("tags[any]=vip,none", vec!["Ada"]),
        ("tags[is_null]=true", vec!["Eve"]),
        ("created_by=me&city=Oslo", vec![]),
        (&format!("created_by={me}&city=Oslo"), vec!["Bob"]),
        (
            "created_at[gt]=2026-03-02&created_at[lt]=2026-03-03",
            vec!["Eve", "Bob", "Ada"],
        ),
    ] {
        let path = format!("/api/leads?{query}");
        let found = column(&app.acme.viewer, &path, "first_name").await;
        assert_eq!(found, names, "{query}");
    }
}

#[tokio::test]
async fn orders_hold_over_pages_and_what_is_empty_comes_last_both_ways() {
    let app = TestApp::<Crm>::start().await;
    let people = [
        ("Ada", Some(3)),
        ("Bob", None),
        ("Cid", Some(1)),
        ("Dan", Some(3)),
        ("Eve", None),
        ("Fay", Some(2)),
    ];
    for (name, employees) in people {
        let lead =
            json!({ "first_name": name, "employees": employees, "city": name.to_lowercase() });
        made(&app, &app.acme.member, "/api/leads", lead).await;
    }
    for (sort, names) in [
        ("employees", ["Cid", "Fay", "Ada", "Dan", "Bob", "Eve"]),
        ("-employees", ["Dan", "Ada", "Fay", "Cid", "Eve", "Bob"]),
        (
            "-employees,first_name",
            ["Ada", "Dan", "Fay", "Cid", "Bob", "Eve"],
        ),
        (
            "employees,-name",
            ["Cid", "Fay", "Dan", "Ada", "Eve", "Bob"],
        ),
        (
            "status,employees,-city",
            ["Cid", "Fay", "Dan", "Ada", "Eve", "Bob"],
        ),
        ("name", ["Ada", "Bob", "Cid", "Dan", "Eve", "Fay"]),
        ("-name", ["Fay", "Eve", "Dan", "Cid", "Bob", "Ada"]),
        ("created_at", ["Ada", "Bob", "Cid", "Dan", "Eve", "Fay"]),
        ("-updated_at", ["Fay", "Eve", "Dan", "Cid", "Bob", "Ada"]),
        ("-score", ["Fay", "Eve", "Dan", "Cid", "Bob", "Ada"]),
    ] {
        let path = format!("/api/leads?sort={sort}");
        let found = all_pages(&app.acme.viewer, &path, "first_name").await;
        assert_eq!(found, names, "{sort}");
    }
}

#[tokio::test]
async fn a_cursor_goes_with_its_filter_and_its_order() {
    let app = TestApp::<Crm>::start().await;
    leads(&app, &three()).await;
    let page = app
        .acme
        .viewer
        .get("/api/leads?sort=name&limit=1")
        .await
        .json();
    let cursor = text(&page, "next_cursor");
    for other in [
        "sort=-name",
        "sort=employees",
        "sort=name&status=new",
        "sort=name&deleted=only",
        "",
    ] {
        let path = format!("/api/leads?{other}&cursor={cursor}");
        let refused = app.acme.viewer.get(&path).await;
        let refused = refused.assert_problem(422, "validation_failed");
        assert_eq!(faults(&refused), ["cursor invalid_cursor"], "{other}");
    }
    let same = format!("/api/leads?sort=name&limit=1&cursor={cursor}");
    assert_eq!(column(&app.acme.viewer, &same, "first_name").await, ["Bob"]);
}

#[tokio::test]
async fn everything_wrong_with_a_query_string_is_said_by_parameter() {
    let app = TestApp::<Crm>::start().await;
    let bad = "/api/leads?colour=red&status=asleep&employees[gte]=many&city[near]=x&sort=shoe,name,city,title\
               &fields=shoe&include=owner&count=all&deleted=yes&view=x&limit=x";
    let answer = app.acme.viewer.get(bad).await;
    let answer = answer.assert_problem(422, "validation_failed");
    assert_eq!(
        faults(&answer),
        [
            "colour unknown_field",
            "status invalid_value",
            "employees[gte] invalid_value",
            "city[near] unknown_operator",
            "count invalid_value",
            "deleted invalid_value",
            "view invalid_value",
            "limit invalid_value",
        ]
    );
    assert!(
        answer
            .text()
            .contains("limit, cursor, sort, fields, include, count, deleted, view")
    );
    let answer = app
        .acme
        .viewer
        .get("/api/leads?sort=shoe,utm,name,city&fields=shoe&include=owner")
        .await;
    assert_eq!(
        faults(&answer.assert_problem(422, "validation_failed")),
        [
            "sort too_many",
            "sort unknown_field",
            "sort unknown_field",
            "fields unknown_field",
            "include unknown_field"
        ]
    );
    let twice = app.acme.viewer.get("/api/leads?city=a&city=b").await;
    assert_eq!(
        faults(&twice.assert_problem(422, "validation_failed")),
        ["city repeated"]
    );
}

#[tokio::test]
async fn a_list_answers_the_fields_that_are_asked_for_and_what_goes_with_them() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let company = made(&app, member, "/api/companies", json!({ "name": "Engines" })).await;
    let contact = json!({ "first_name": "Ada", "company_id": company["id"] });
    let contact = made(&app, member, "/api/contacts", contact).await;
    made(
        &app,
        member,
        "/api/contacts",
        json!({ "first_name": "Bob" }),
    )
    .await;
    let path = "/api/contacts?fields=first_name&include=company";
    let page = app.acme.viewer.get(path).await.assert_status(200).json();
    assert_eq!(
        page["items"][1],
        json!({ "id": contact["id"], "first_name": "Ada", "company": company })
    );
    assert_eq!(page["items"][0]["company"], Value::Null);
    // Somebody who may see contacts only.
    let claims = bz_testkit_claims(&app, &["contacts:read"]);
    claims.get("/api/contacts").await.assert_status(200);
    claims.get(path).await.assert_problem(403, "forbidden");
}

fn bz_testkit_claims(app: &TestApp<Crm>, entitlements: &[&str]) -> bz_testkit::Client {
    let user = bz_testkit::Tenant::Acme.user(bz_testkit::Role::Viewer);
    let mut claims = app
        .tokens
        .user_claims(bz_testkit::Tenant::Acme, user, &["staff"]);
    claims.entitlements = entitlements.iter().map(ToString::to_string).collect();
    app.acme.owner.with_token(app.tokens.sign(&claims))
}

#[tokio::test]
async fn a_count_is_given_when_it_is_asked_for_and_the_trash_is_a_list_of_its_own() {
    let app = TestApp::<Crm>::start().await;
    let all = leads(&app, &three()).await;
    let count = async |query: &str| {
        let page = app
            .acme
            .viewer
            .get(&format!("/api/leads?limit=1&{query}"))
            .await;
        page.assert_status(200).json()["count"].clone()
    };
    assert_eq!(count("").await, Value::Null);
    assert_eq!(count("count=none").await, Value::Null);
    assert_eq!(count("count=exact").await, 3);
    assert_eq!(count("count=estimate&tags=eu").await, 2);
    let path = format!("/api/leads/{}", text(&all[0], "id"));
    app.acme.member.delete(&path).await.assert_status(204);
    assert_eq!(count("count=exact").await, 2);
    assert_eq!(count("count=exact&deleted=only").await, 1);
    let trash = app.acme.viewer.get("/api/leads?deleted=only").await.json();
    assert_eq!(trash["items"][0]["first_name"], "Ada");
    assert!(trash["items"][0]["deleted_at"].is_string());
    assert!(
        column(&app.globex.owner, "/api/leads?deleted=only", "id")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_query_with_a_tree_finds_pages_and_says_what_is_wrong() {
    let app = TestApp::<Crm>::start().await;
    leads(&app, &three()).await;
    let tree = json!({ "any": [
        { "field": "city", "op": "in", "value": ["Oslo", "Bergen"] },
        { "all": [{ "field": "status", "value": "working" }, { "not": { "field": "employees", "op": "is_null", "value": true } }] }
    ] });
    let query = json!({ "filter": tree, "sort": ["name"], "limit": 2, "count": "exact", "fields": ["first_name"] });
    let viewer = &app.acme.viewer;
    let page = viewer
        .post("/api/leads/query", &query)
        .await
        .assert_status(200)
        .json();
    let names = |page: &Value| {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|lead| text(lead, "first_name"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&page), &page["count"]),
        (vec!["Ada".to_owned(), "Bob".to_owned()], &json!(3))
    );
    let mut next = query.clone();
    next["cursor"] = page["next_cursor"].clone();
    let rest = viewer
        .post("/api/leads/query", &next)
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (names(&rest), &rest["next_cursor"]),
        (vec!["Eve".to_owned()], &Value::Null)
    );
    next["filter"] = json!({ "all": [] });
    viewer
        .post("/api/leads/query", &next)
        .await
        .assert_problem(422, "validation_failed");
    for bad in [
        json!({ "filter": { "field": "shoe", "value": 1 } }),
        json!({ "filter": { "field": "status", "op": "gt", "value": "new" } }),
        json!({ "filter": { "some": [] } }),
        json!({ "shoe": 1 }),
        json!({ "limit": 101 }),
    ] {
        viewer
            .post("/api/leads/query", &bad)
            .await
            .assert_problem(422, "validation_failed");
    }
    let globex = app.globex.viewer.post("/api/leads/query", &query).await;
    assert_eq!(globex.assert_status(200).json()["count"], 0);
}

#[tokio::test]
async fn a_read_of_a_version_that_is_known_is_304_without_a_body() {
    let app = TestApp::<Crm>::start().await;
    let all = leads(&app, &three()[..1]).await;
    let path = format!("/api/leads/{}", text(&all[0], "id"));
    let read = async |tag: &str| {
        app.acme
            .viewer
            .get(&path)
            .header("if-none-match", tag)
            .await
    };
    let known = read("\"1\"").await.assert_status(304);
    assert_eq!((known.header("etag"), known.body.len()), (Some("\"1\""), 0));
    let change = app
        .acme
        .member
        .patch(&path, json!({ "city": "Oslo" }))
        .await;
    change.assert_status(200);
    assert_eq!(
        read("\"1\"").await.assert_status(200).json()["city"],
        "Oslo"
    );
}

#[tokio::test]
async fn what_the_database_refuses_is_the_clients_problem() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let lead = json!({ "first_name": "Ada", "external_id": "A-1" });
    made(&app, member, "/api/leads", lead.clone()).await;
    let again = member.post("/api/leads?on_duplicate=create", &lead).await;
    assert_eq!(
        faults(&again.assert_problem(409, "external_id_taken")),
        ["/external_id not_unique"]
    );
    let nobodys = json!({ "first_name": "Ada", "team_id": "0199fa3e-0000-7000-8000-000000000000" });
    let refused = member.post("/api/leads", &nobodys).await;
    assert_eq!(
        faults(&refused.assert_problem(422, "validation_failed")),
        ["/team_id not_found"]
    );
    let contact =
        json!({ "first_name": "Ada", "company_id": "0199fa3e-0000-7000-8000-000000000000" });
    let refused = member.post("/api/contacts", &contact).await;
    assert_eq!(
        faults(&refused.assert_problem(422, "validation_failed")),
        ["/company_id not_found"]
    );
}
