//! Documents: adding, reading, replacing, deleting, and what becomes of what was made of them.

use std::time::Duration;

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{Client, TestApp, wait_until};
use chrono::TimeDelta;
use http::Method;
use serde_json::{Value, json};

pub(crate) const DOCUMENTS: &str = "/api/knowledge/documents";
/// Longer than anything takes here, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The handbook of a company.
pub(crate) fn handbook() -> Value {
    json!({
        "title": "Handbook", "media_type": "text/markdown", "source_url": "https://intranet.example.com/handbook",
        "collection": "hr", "labels": ["policy", "2026"],
        "text": "# Handbook\n\n## Leave\n\nEverybody has 30 days of holiday a year. Ask your lead two weeks before.\n\n\
                 ## Expenses\n\nTrains are paid in second class. Send the receipts to accounting.\n",
    })
}

/// Adds a document; answers its id.
pub(crate) async fn add(client: &Client, document: &Value) -> String {
    let made = client.post(DOCUMENTS, document).await.assert_status(201);
    made.json()["id"].as_str().unwrap().to_owned()
}

/// The document, once it is found.
pub(crate) async fn indexed(client: &Client, id: &str) -> Value {
    let path = format!("{DOCUMENTS}/{id}");
    let mut last = json!(null);
    let done = async || {
        last = client.get(&path).await.assert_status(200).json();
        last["indexing"]["status"] == "indexed"
    };
    wait_until(done, PATIENCE).await;
    last
}

/// What a statement counts, seen by the superuser.
pub(crate) async fn number(app: &TestApp<AiOrchestrator>, sql: &str) -> i64 {
    let count = sqlx::query_scalar(sql);
    count
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_document_is_added_read_replaced_and_deleted_with_what_was_made_of_it() {
    let mut app = TestApp::<AiOrchestrator>::start().await;
    app.start_jobs();
    let member = &app.acme.member;
    let id = add(member, &handbook()).await;
    let path = format!("{DOCUMENTS}/{id}");
    let found = indexed(&app.acme.viewer, &id).await;
    assert_eq!(
        (
            &found["indexing"]["chunks"],
            &found["indexing"]["embedded"],
            &found["indexing"]["model"]
        ),
        (&json!(2), &json!(0), &json!(null))
    );
    assert_eq!(
        (&found["text"], &found["version"]),
        (&json!(null), &json!(1))
    );
    let whole = member
        .get(&format!("{path}?text=true"))
        .await
        .assert_status(200);
    assert!(
        whole.json()["text"]
            .as_str()
            .unwrap()
            .starts_with("# Handbook")
    );
    assert_eq!(whole.header("etag"), Some("\"1\""));

    let mut other = handbook();
    other["text"] = json!("Nobody has holidays any more.");
    let late = member.put(&path, &other).header("if-match", "\"7\"").await;
    late.assert_problem(412, "precondition_failed");
    let put = member.put(&path, &other).header("if-match", "\"1\"").await;
    let put = put.assert_status(200).json();
    assert_eq!(
        (&put["version"], &put["indexing"]["status"]),
        (&json!(2), &json!("queued"))
    );
    // What was cut from the old text is gone at once.
    let old = "SELECT count(*) FROM ai.knowledge_chunks WHERE text LIKE '%30 days%'";
    assert_eq!(number(&app, old).await, 0);
    assert_eq!(indexed(member, &id).await["indexing"]["chunks"], 1);

    member.delete(&path).await.assert_status(204);
    assert_eq!(
        number(&app, "SELECT count(*) FROM ai.knowledge_chunks").await,
        0
    );
    for gone in [
        member.get(&path).await,
        member.delete(&path).await,
        member.put(&path, &other).await,
    ] {
        gone.assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_document_is_added_once_by_who_may_and_for_their_own_tenant() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let send = || {
        app.acme
            .member
            .post(DOCUMENTS, handbook())
            .header("idempotency-key", "k")
    };
    let first = send().await.assert_status(201).json();
    assert_eq!(send().await.assert_status(201).json()["id"], first["id"]);
    assert_eq!(
        number(&app, "SELECT count(*) FROM ai.knowledge_documents").await,
        1
    );
    let mut other = handbook();
    other["title"] = json!("Another");
    let reused = app
        .acme
        .member
        .post(DOCUMENTS, other)
        .header("idempotency-key", "k")
        .await;
    reused.assert_problem(422, "idempotency_key_reused");

    let path = format!("{DOCUMENTS}/{}", first["id"].as_str().unwrap());
    let stranger = &app.globex.owner;
    stranger.get(&path).await.assert_problem(404, "not_found");
    stranger
        .put(&path, handbook())
        .await
        .assert_problem(404, "not_found");
    stranger
        .delete(&path)
        .await
        .assert_problem(404, "not_found");
    assert_eq!(stranger.get(DOCUMENTS).await.json()["items"], json!([]));
    let viewer = &app.acme.viewer;
    viewer
        .post(DOCUMENTS, handbook())
        .await
        .assert_problem(403, "forbidden");
    viewer
        .put(&path, handbook())
        .await
        .assert_problem(403, "forbidden");
    viewer.delete(&path).await.assert_problem(403, "forbidden");
}

#[tokio::test]
async fn what_is_wrong_with_a_document_is_said_with_its_place() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let with = |name: &str, value: Value| {
        let mut document = handbook();
        document[name] = value;
        document
    };
    for (body, pointer) in [
        (with("title", json!(" ")), "/title"),
        (with("text", json!("")), "/text"),
        (with("media_type", json!("application/pdf")), "/media_type"),
        (
            with("source_url", json!("javascript:alert(1)")),
            "/source_url",
        ),
        (with("collection", json!("")), "/collection"),
        (with("labels", json!(vec!["x"; 21])), "/labels"),
        (with("labels", json!([""])), "/labels/0"),
        (with("colour", json!("red")), "/colour"),
    ] {
        let answer = app.acme.member.post(DOCUMENTS, &body).await;
        let problem = answer.assert_problem(422, "validation_failed").json();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    let empty = app
        .acme
        .member
        .post(DOCUMENTS, with("text", json!("\u{7}\n")));
    empty.await.assert_problem(422, "document_unreadable");
    let half = app.acme.member.request(Method::POST, DOCUMENTS);
    half.body("application/json", "{")
        .await
        .assert_problem(400, "malformed_json");
}

#[tokio::test]
async fn documents_are_listed_page_by_page_and_by_collection_and_labels() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let member = &app.acme.member;
    for (title, collection, labels) in [
        ("a", "hr", json!(["x"])),
        ("b", "sales", json!(["x", "y"])),
        ("c", "hr", json!(["x", "y"])),
    ] {
        let document =
            json!({ "title": title, "text": "t", "collection": collection, "labels": labels });
        add(member, &document).await;
        app.clock.advance(TimeDelta::milliseconds(1));
    }
    let titles = async |query: &str| {
        let page = member
            .get(&format!("{DOCUMENTS}?{query}"))
            .await
            .assert_status(200)
            .json();
        let items = page["items"].as_array().unwrap().iter();
        let titles: Vec<String> = items
            .map(|d| d["title"].as_str().unwrap().to_owned())
            .collect();
        (
            titles.concat(),
            page["next_cursor"].as_str().map(str::to_owned),
        )
    };
    assert_eq!(titles("collection=hr").await.0, "ca");
    assert_eq!(titles("labels=x,y").await.0, "cb");
    let (first, next) = titles("limit=2").await;
    let (second, end) = titles(&format!("limit=2&cursor={}", next.unwrap())).await;
    assert_eq!((first.as_str(), second.as_str(), end), ("cb", "a", None));
    member
        .get(&format!("{DOCUMENTS}?limit=0"))
        .await
        .assert_problem(422, "validation_failed");
}
