//! The search by meaning, with the AI orchestrator and without.

use std::time::Duration;

use ai_orchestrator::AiOrchestrator;
use bz_kernel::platform;
use bz_testkit::{Client, TestApp, wait_until};
use crm::Crm;
use serde_json::{Value, json};
use sqlx::query_scalar;

const PATIENCE: Duration = Duration::from_secs(30);

async fn lead(client: &Client, name: &str, company: &str) -> String {
    let body = json!({ "first_name": name, "company_name": company });
    let made = client
        .post("/api/leads", body)
        .await
        .assert_status(201)
        .json();
    made["id"].as_str().unwrap().to_owned()
}

async fn vectors(app: &TestApp<Crm>) -> i64 {
    let count = query_scalar(
        "SELECT count(*) FROM crm.search_embeddings WHERE model = 'hashing-384' AND dimensions = 384",
    );
    count
        .fetch_one(&mut app.database.admin().await)
        .await
        .unwrap()
}

fn titles(answer: &Value) -> Vec<&str> {
    answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["title"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn vectors_follow_the_records_and_find_what_is_near_in_the_own_tenant_only() {
    let ai = TestApp::<AiOrchestrator>::start().await;
    let url = ai.listen().await;
    let mut app = TestApp::<Crm>::builder()
        .sibling(&platform::AI_ORCHESTRATOR, &url)
        .start()
        .await;
    let ada = lead(
        &app.acme.member,
        "Ada",
        "Steam engine repair and maintenance",
    )
    .await;
    lead(&app.acme.member, "Grace", "Naval logistics").await;
    lead(
        &app.globex.member,
        "Foreign",
        "Steam engine repair and maintenance",
    )
    .await;
    app.start_jobs();
    wait_until(async || vectors(&app).await == 3, PATIENCE).await;

    let search = async |mode: &str| {
        let path = format!("/api/search?q=repair%20of%20steam%20engines&mode={mode}");
        app.acme.member.get(&path).await.assert_status(200).json()
    };
    let answer = search("semantic").await;
    assert_eq!(
        (&answer["mode_used"], &answer["degraded"]),
        (&json!("semantic"), &json!(false))
    );
    assert_eq!(titles(&answer)[0], "Ada");
    assert!(!titles(&answer).contains(&"Foreign"));
    // The text finds nothing with these words, so the meaning is asked as well.
    let answer = search("auto").await;
    assert_eq!(
        (&answer["mode_used"], titles(&answer)[0]),
        (&json!("hybrid"), "Ada")
    );
    assert_eq!(search("text").await["mode_used"], "text");

    // A vector goes with its record, and a changed text gets a new one.
    app.acme
        .member
        .delete(&format!("/api/leads/{ada}"))
        .await
        .assert_status(204);
    assert_eq!(vectors(&app).await, 2);
    assert!(!titles(&search("semantic").await).contains(&"Ada"));
    app.stop_jobs().await;
}

#[tokio::test]
async fn without_the_orchestrator_the_text_is_searched_and_the_answer_says_so() {
    let app = TestApp::<Crm>::start().await;
    lead(&app.acme.member, "Ada", "Steam engines").await;
    for (mode, degraded) in [
        ("semantic", true),
        ("hybrid", true),
        ("text", false),
        ("auto", true),
    ] {
        let path = format!("/api/search?q=steam&mode={mode}");
        let answer = app.acme.member.get(&path).await.assert_status(200).json();
        assert_eq!(
            (&answer["mode_used"], &answer["degraded"]),
            (&json!("text"), &json!(degraded)),
            "{mode}"
        );
        assert_eq!(titles(&answer), ["Ada"]);
    }
}

/// With few vectors all are compared; with many the index is asked, and goes on until it has the tenant's own.
#[tokio::test]
async fn a_small_tenant_beside_a_large_one_gets_its_nearest_with_the_index_and_without() {
    let app = TestApp::<Crm>::start().await;
    let mut admin = app.database.admin().await;
    sqlx::query("SET session_replication_role = replica")
        .execute(&mut admin)
        .await
        .unwrap();
    sqlx::query("SELECT setseed(0.5)")
        .execute(&mut admin)
        .await
        .unwrap();
    let fill = "WITH d AS (INSERT INTO crm.search_documents (tenant_id, record_type, record_id, title, texts, title_norm, sort_norm, body, words, created_by) \
                  SELECT $1, 'lead', gen_random_uuid(), 'x', '{}', 'x', 'x', 'x', '', gen_random_uuid() FROM generate_series(1, $2) RETURNING tenant_id, record_id) \
                INSERT INTO crm.search_embeddings (tenant_id, record_type, record_id, model, dimensions, embedding, embedded_at) \
                SELECT tenant_id, 'lead', record_id, 'm', 384, ARRAY(SELECT random() FROM generate_series(1, 384) WHERE record_id IS NOT NULL)::real[]::public.vector, now() FROM d";
    for (tenant, count) in [(app.globex.id(), 1500), (app.acme.id(), 40)] {
        sqlx::query(fill)
            .bind(tenant.as_uuid())
            .bind(count)
            .execute(&mut admin)
            .await
            .unwrap();
    }
    sqlx::query("ANALYZE crm.search_embeddings")
        .execute(&mut admin)
        .await
        .unwrap();
    let asked: String = query_scalar(
        "SELECT array_agg(random())::real[]::public.vector::text FROM generate_series(1, 384)",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    let near = async |exact_below: i32| -> Vec<uuid::Uuid> {
        let mut tx = app.db().tenant(&app.acme.tenant.scope()).await.unwrap();
        query_scalar("SELECT record_id FROM crm.search_near($1, 'm', '{lead}', '{}', '{}', gen_random_uuid(), 10, $2)")
            .bind(&asked)
            .bind(exact_below)
            .fetch_all(tx.conn())
            .await
            .unwrap()
    };
    let (exact, indexed) = (near(20_000).await, near(0).await);
    let same = indexed.iter().filter(|id| exact.contains(id)).count();
    assert_eq!(exact.len(), 10);
    println!("recall with the index: {same} of {}", exact.len());
    assert!(same * 10 >= exact.len() * 9, "{same} of {}", exact.len());
}
