//! The search: by words without a model, by words and meaning with one; exact within a tenant.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{Client, TestApp};
use serde_json::{Value, json};

use crate::{
    knowledge::{DOCUMENTS, add, handbook, indexed, number},
    models::{restarted, with_models},
};

const SEARCH: &str = "/api/knowledge/search";

/// What a search finds.
pub(crate) async fn search(client: &Client, body: Value) -> Value {
    client.post(SEARCH, body).await.assert_status(200).json()
}

fn headings(found: &Value) -> Vec<&str> {
    let items = found["items"].as_array().unwrap().iter();
    items
        .map(|item| item["chunk"]["heading"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn without_a_model_words_are_found_with_their_place_and_said_to_be() {
    let mut app = TestApp::<AiOrchestrator>::start().await;
    app.start_jobs();
    let viewer = &app.acme.viewer;
    let id = add(&app.acme.member, &handbook()).await;
    indexed(viewer, &id).await;
    // A question, of which no part has all words; without accents, in another form.
    let found = search(
        viewer,
        json!({ "query": "How many h\u{f3}lidays does one get?" }),
    )
    .await;
    assert_eq!(
        (&found["engine"], headings(&found)),
        (&json!("text"), vec!["Handbook \u{203a} Leave"])
    );
    let item = &found["items"][0];
    assert_eq!(
        item["document"],
        json!({ "id": id, "title": "Handbook", "source_url": "https://intranet.example.com/handbook" })
    );
    let whole = viewer
        .get(&format!("{DOCUMENTS}/{id}?text=true"))
        .await
        .json();
    let at = |name: &str| usize::try_from(item["chunk"][name].as_u64().unwrap()).unwrap();
    let span = whole["text"].as_str().unwrap().chars().skip(at("start"));
    let span: String = span.take(at("end") - at("start")).collect();
    assert_eq!(item["chunk"]["text"], span);
    assert_eq!(
        item["citation"],
        format!(
            "Handbook, Handbook \u{203a} Leave ({}-{})",
            at("start"),
            at("end")
        )
    );
    assert!(item["score"].as_f64().unwrap() > 0.0);
    for nothing in ["zebra", "the of and", "' \\ & | ! ( ) : *", "\u{1f600}"] {
        let found = search(viewer, json!({ "query": nothing })).await;
        assert_eq!(found["items"], json!([]), "{nothing}");
    }
}

#[tokio::test]
async fn a_search_is_narrowed_by_collection_and_labels_and_limited() {
    let mut app = TestApp::<AiOrchestrator>::start().await;
    app.start_jobs();
    let member = &app.acme.member;
    let mut other = handbook();
    (other["collection"], other["labels"]) = (json!("old"), json!(["policy"]));
    for document in [&handbook(), &other] {
        let id = add(member, document).await;
        indexed(member, &id).await;
    }
    let count = async |body: Value| {
        let found = search(member, body).await;
        found["items"].as_array().unwrap().len()
    };
    assert_eq!(count(json!({ "query": "holiday" })).await, 2);
    assert_eq!(count(json!({ "query": "holiday", "limit": 1 })).await, 1);
    assert_eq!(
        count(json!({ "query": "holiday", "collection": "old" })).await,
        1
    );
    assert_eq!(
        count(json!({ "query": "holiday", "labels": ["policy"] })).await,
        2
    );
    assert_eq!(
        count(json!({ "query": "holiday", "labels": ["2026", "policy"] })).await,
        1
    );
    assert_eq!(
        count(json!({ "query": "holiday", "collection": "none" })).await,
        0
    );
    for body in [
        json!({ "query": "" }),
        json!({ "query": "x", "limit": 0 }),
        json!({ "query": "x", "limit": 21 }),
        json!({ "query": "x".repeat(1001) }),
        json!({}),
    ] {
        member
            .post(SEARCH, &body)
            .await
            .assert_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn tenants_with_the_same_documents_find_their_own_alone() {
    let mut app = TestApp::<AiOrchestrator>::start().await;
    app.start_jobs();
    let (acme, globex) = (&app.acme.member, &app.globex.member);
    let (ours, theirs) = (add(acme, &handbook()).await, add(globex, &handbook()).await);
    indexed(acme, &ours).await;
    indexed(globex, &theirs).await;
    for (client, own) in [(acme, &ours), (globex, &theirs)] {
        let found = search(
            client,
            json!({ "query": "holiday receipts trains", "limit": 20 }),
        )
        .await;
        let items = found["items"].as_array().unwrap();
        assert_eq!(items.len(), 2);
        assert!(items.iter().all(|item| item["document"]["id"] == **own));
    }
}

#[tokio::test]
async fn with_a_model_meanings_are_found_and_vectors_stay_within_their_tenant_and_go_with_their_document()
 {
    let Some(mut app) = with_models().await else {
        return;
    };
    app.start_jobs();
    let (acme, globex) = (&app.acme.member, &app.globex.member);
    let (ours, theirs) = (add(acme, &handbook()).await, add(globex, &handbook()).await);
    let done = indexed(acme, &ours).await;
    indexed(globex, &theirs).await;
    assert_eq!(
        (&done["indexing"]["model"], &done["indexing"]["embedded"]),
        (&json!("all-MiniLM-L6-v2"), &json!(2))
    );
    // No word of it is there.
    let asked = json!({ "query": "vacation entitlement of staff" });
    for (client, own) in [(acme, &ours), (globex, &theirs)] {
        let found = search(client, asked.clone()).await;
        assert_eq!(found["engine"], "hybrid");
        assert_eq!(headings(&found)[0], "Handbook \u{203a} Leave");
        let items = found["items"].as_array().unwrap();
        assert!(
            items.iter().all(|item| item["document"]["id"] == **own),
            "0 foreign rows"
        );
    }
    let vectors = "SELECT count(*) FROM ai.knowledge_embeddings";
    assert_eq!(number(&app, vectors).await, 4);
    acme.delete(&format!("{DOCUMENTS}/{ours}"))
        .await
        .assert_status(204);
    assert_eq!(number(&app, vectors).await, 2);
    assert_eq!(search(acme, asked).await["items"], json!([]));
}

#[tokio::test]
async fn vectors_of_another_model_are_never_compared_and_are_made_anew() {
    let Some(mut app) = with_models().await else {
        return;
    };
    app.start_jobs();
    let member = &app.acme.member.clone();
    let id = add(member, &handbook()).await;
    indexed(member, &id).await;
    app.stop_jobs().await;
    // As a model before would have left it, with half of the work of the next one done.
    let old = "WITH e AS (UPDATE ai.knowledge_embeddings SET model = 'older', dimensions = 3, embedding = '[1,0,0]') \
        UPDATE ai.knowledge_documents SET model = 'older'";
    sqlx::query(old)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    let found = search(member, json!({ "query": "vacation entitlement of staff" })).await;
    assert_eq!(
        (&found["engine"], &found["items"]),
        (&json!("hybrid"), &json!([]))
    );
    let mut again = restarted(&app).await;
    again.start_jobs();
    let of_now = "SELECT count(*) FROM ai.knowledge_embeddings WHERE model = 'all-MiniLM-L6-v2' AND dimensions = 384";
    bz_testkit::wait_until(
        async || number(&app, of_now).await == 2,
        std::time::Duration::from_secs(60),
    )
    .await;
    assert_eq!(
        indexed(&again.acme.member, &id).await["indexing"]["model"],
        "all-MiniLM-L6-v2"
    );
}

#[tokio::test]
async fn a_document_whose_worker_died_is_taken_up_where_it_was() {
    let mut app = TestApp::<AiOrchestrator>::start().await;
    let member = &app.acme.member.clone();
    let id = add(member, &handbook()).await;
    // A worker took it and never came back; its lease is over.
    let taken = "UPDATE ai.knowledge_documents SET due_at = '2000-01-01', attempts = 1";
    sqlx::query(taken)
        .execute(&mut app.database.admin().await)
        .await
        .unwrap();
    app.start_jobs();
    indexed(member, &id).await;
    assert_eq!(
        number(&app, "SELECT count(*) FROM ai.knowledge_chunks").await,
        2
    );
}
