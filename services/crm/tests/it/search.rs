//! The search: what is found, in which order, by whom.

use bz_testkit::{Client, TestApp};
use crm::Crm;
use serde_json::{Value, json};

pub(crate) async fn make(client: &Client, path: &str, body: Value) -> String {
    let made = client.post(path, body).await.assert_status(201).json();
    made["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn found(client: &Client, query: &str) -> Vec<String> {
    let answer = client.get(&format!("/api/search?{query}")).await;
    let answer = answer.assert_status(200).json();
    let title = |hit: &Value| hit["title"].as_str().unwrap().to_owned();
    answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(title)
        .collect()
}

pub(crate) fn ada() -> Value {
    json!({
        "first_name": "Ada", "last_name": "Lovelace", "email": "Ada@Engines.example", "phone": "+49 (30) 1234-567",
        "company_name": "Analytical Engines", "city": "Zürich", "tags": ["warm"], "external_id": "EXT-7"
    })
}

#[tokio::test]
async fn a_record_is_found_by_words_parts_typing_errors_and_exact_keys_and_says_where() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let ada = make(member, "/api/leads", ada()).await;
    make(member, "/api/contacts", json!({ "first_name": "Grace", "last_name": "Hopper", "emails": [{ "value": "gh@navy.example" }] })).await;
    make(
        member,
        "/api/companies",
        json!({ "name": "Microsoft", "domain": "microsoft.example" }),
    )
    .await;
    for query in [
        "q=lovelace",
        "q=LOVE",
        "q=ada%20lov",
        "q=zurich",
        "q=Z%C3%BCrich",
        "q=nalytica",
        "q=Lovelase",
        "q=ada@engines.example",
        "q=engines.example",
        "q=030%201234567",
        "q=1234567",
        "q=%2B49301234567",
        "q=ext-7",
        "q=warm",
        "q=lovelace%20-grace",
        &format!("q={ada}"),
        "q=%22analytical%20engines%22",
    ] {
        assert_eq!(found(member, query).await, ["Ada Lovelace"], "{query}");
    }
    assert_eq!(found(member, "q=gh@navy.example").await, ["Grace Hopper"]);
    assert_eq!(found(member, "q=microsfot").await, ["Microsoft"]);
    for query in [
        "q=lovelace%20-ada",
        "q=babbage",
        "q=lovelace&types=company",
        "q=99999",
    ] {
        assert!(found(member, query).await.is_empty(), "{query}");
    }
    let answer = member
        .get("/api/search?q=zurich&mode=text")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (
            &answer["mode_used"],
            &answer["degraded"],
            &answer["next_cursor"]
        ),
        (&json!("text"), &json!(false), &Value::Null)
    );
    let mut hit = answer["items"][0].clone();
    assert!(hit["score"].as_f64().unwrap() > 0.0);
    hit["score"] = json!(1);
    assert_eq!(
        hit,
        json!({
            "type": "lead", "id": ada, "title": "Ada Lovelace",
            "subtitle": "Analytical Engines, Ada@Engines.example, +49 (30) 1234-567", "score": 1,
            "matched": [{ "field": "city", "fragment": "Zürich" }],
        })
    );
    let body = json!({ "q": "e", "types": ["company", "contact"], "mode": "text", "group": true });
    let grouped = member
        .post(
            "/api/search",
            json!({ "q": "microsoft hopper OR microsoft", "group": true, "mode": "text" }),
        )
        .await;
    assert_eq!(
        grouped.assert_status(200).json()["groups"][0]["type"],
        "company"
    );
    member.post("/api/search", body).await.assert_status(200);
}

#[tokio::test]
async fn an_exact_key_comes_first_and_pages_follow_each_other() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    make(
        member,
        "/api/companies",
        json!({ "name": "Acme", "domain": "acme.example" }),
    )
    .await;
    for n in 0..5 {
        make(member, "/api/leads", json!({ "first_name": format!("Acme{n}"), "last_name": "Acme", "company_name": "Acme Acme" })).await;
    }
    assert_eq!(found(member, "q=acme").await[0], "Acme");
    let first = member
        .get("/api/search?q=acme&limit=4&mode=text")
        .await
        .assert_status(200)
        .json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = member
        .get(&format!(
            "/api/search?q=acme&limit=4&mode=text&cursor={cursor}"
        ))
        .await;
    let rest = rest.assert_status(200).json();
    assert_eq!(
        (
            first["items"].as_array().unwrap().len(),
            rest["items"].as_array().unwrap().len()
        ),
        (4, 2)
    );
    assert_eq!(rest["next_cursor"], Value::Null);
    // A cursor is one of its own search.
    let other = member
        .get(&format!(
            "/api/search?q=other&limit=4&mode=text&cursor={cursor}"
        ))
        .await;
    other.assert_problem(422, "validation_failed");
}

#[tokio::test]
async fn the_documents_follow_every_change_in_its_transaction() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    let field = "INSERT INTO crm.custom_fields (tenant_id, id, record_type, key, label, type, searchable, created_at, updated_at) \
                 VALUES ($1, gen_random_uuid(), 'lead', 'plan', 'Plan', 'text', true, now(), now()), \
                        ($1, gen_random_uuid(), 'lead', 'hidden', 'Hidden', 'text', false, now(), now())";
    let mut admin = app.database.admin().await;
    sqlx::query(field)
        .bind(app.acme.id().as_uuid())
        .execute(&mut admin)
        .await
        .unwrap();
    let id = make(
        member,
        "/api/leads",
        json!({ "first_name": "Ada", "custom": { "plan": "Platinum", "hidden": "Uranium" } }),
    )
    .await;
    let path = format!("/api/leads/{id}");
    assert_eq!(found(member, "q=platinum").await, ["Ada"]);
    assert!(found(member, "q=uranium").await.is_empty());
    member
        .patch(&path, json!({ "first_name": "Augusta" }))
        .await
        .assert_status(200);
    assert_eq!(found(member, "q=augusta").await, ["Augusta"]);
    assert!(found(member, "q=ada&mode=text").await.is_empty());
    member.delete(&path).await.assert_status(204);
    assert!(found(member, "q=augusta").await.is_empty());
    let documents = "SELECT count(*) FROM crm.search_documents";
    let left: i64 = sqlx::query_scalar(documents)
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(left, 0);
    member
        .post(&format!("{path}/restore"), json!({}))
        .await
        .assert_status(200);
    assert_eq!(found(member, "q=augusta").await, ["Augusta"]);
    // Many rows in one statement, as an import writes them.
    let many = "INSERT INTO crm.leads (tenant_id, id, first_name, created_by, created_at, updated_at) \
                SELECT $1, gen_random_uuid(), 'Bulk' || n, gen_random_uuid(), now(), now() FROM generate_series(1, 300) AS n";
    sqlx::query(many)
        .bind(app.acme.id().as_uuid())
        .execute(&mut admin)
        .await
        .unwrap();
    assert_eq!(found(member, "q=bulk77").await, ["Bulk77"]);
}

#[tokio::test]
async fn suggestions_begin_as_it_was_typed_and_nonsense_is_refused() {
    let app = TestApp::<Crm>::start().await;
    let member = &app.acme.member;
    make(member, "/api/leads", ada()).await;
    make(
        member,
        "/api/companies",
        json!({ "name": "Lovely Adapters" }),
    )
    .await;
    for (typed, titles) in [
        ("ad", vec!["Ada Lovelace", "Lovely Adapters"]),
        ("love", vec!["Lovely Adapters", "Ada Lovelace"]),
        ("lovelace%20a", vec!["Ada Lovelace"]),
        ("adap", vec!["Lovely Adapters"]),
        ("x", vec![]),
    ] {
        let answer = member
            .get(&format!("/api/search/suggest?q={typed}"))
            .await
            .assert_status(200)
            .json();
        let found: Vec<&str> = answer["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["title"].as_str().unwrap())
            .collect();
        assert_eq!(found, titles, "{typed}");
    }
    for path in [
        "/api/search",
        "/api/search?q=",
        "/api/search?q=%21%21",
        "/api/search?q=a&types=dragon",
        "/api/search?q=a&mode=psychic",
        "/api/search?q=a&limit=101",
        "/api/search?q=a&unknown=1",
        "/api/search/suggest?q=",
        "/api/search/suggest?q=a&limit=0",
    ] {
        member
            .get(path)
            .await
            .assert_problem(422, "validation_failed");
    }
    member
        .post("/api/search", json!({ "q": "?" }))
        .await
        .assert_problem(422, "validation_failed");
    member
        .post("/api/search", json!({ "q": "a", "types": ["dragon"] }))
        .await
        .assert_problem(422, "validation_failed");
    // Operators and quotes of every kind are text.
    for odd in [
        "%22",
        "-",
        "a%22b",
        "%27",
        "a%20%7C%20%26b",
        "%28%29a",
        "a%3A%2A",
        "%5C%5Ca",
        "or",
        "a%20OR",
    ] {
        let status = member
            .get(&format!("/api/search?q={odd}"))
            .await
            .status
            .as_u16();
        assert!(status == 200 || status == 422, "{odd}: {status}");
    }
}
