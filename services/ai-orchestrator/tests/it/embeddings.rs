//! Texts as vectors: by the built-in hashing, and by a provider's model.

use ai_orchestrator::AiOrchestrator;
use bz_testkit::TestApp;
use serde_json::{Value, json};

use crate::provider::{Act, Provider};

fn length(vector: &Value) -> f64 {
    let numbers = vector.as_array().unwrap().iter();
    numbers
        .map(|x| x.as_f64().unwrap().powi(2))
        .sum::<f64>()
        .sqrt()
}

#[tokio::test]
async fn texts_become_unit_vectors_without_any_model_and_a_viewer_may_ask() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let body = json!({ "input": ["call Ada", "call Ada", "Größe: 10 кг"] });
    let made = app
        .acme
        .viewer
        .post("/api/embeddings", body)
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&made["model"], &made["dimensions"]),
        (&json!("hashing-384"), &json!(384))
    );
    let vectors = made["embeddings"].as_array().unwrap();
    assert_eq!(vectors.len(), 3);
    assert_eq!(vectors[0], vectors[1]);
    for vector in vectors {
        assert_eq!(vector.as_array().unwrap().len(), 384);
        assert!((length(vector) - 1.0).abs() < 1e-5);
    }
}

#[tokio::test]
async fn the_openai_form_takes_one_text_or_several() {
    let app = TestApp::<AiOrchestrator>::start().await;
    for (input, count) in [(json!("call Ada"), 1), (json!(["call", "Ada"]), 2)] {
        let body = json!({ "input": input, "model": "hashing-384", "encoding_format": "float" });
        let list = app
            .acme
            .viewer
            .post("/v1/embeddings", body)
            .await
            .assert_status(200)
            .json();
        let data = list["data"].as_array().unwrap();
        assert_eq!((data.len(), &list["object"]), (count, &json!("list")));
        assert_eq!(data[count - 1]["index"], count - 1);
        assert!((length(&data[0]["embedding"]) - 1.0).abs() < 1e-5);
    }
}

#[tokio::test]
async fn too_many_too_few_and_too_long_texts_are_refused_each_with_its_place() {
    let app = TestApp::<AiOrchestrator>::start().await;
    for (input, pointer) in [
        (json!([]), "/input"),
        (json!(vec!["x"; 257]), "/input"),
        (json!(["fine", "x".repeat(20_001)]), "/input/1"),
    ] {
        for path in ["/api/embeddings", "/v1/embeddings"] {
            let answer = app
                .acme
                .viewer
                .post(path, json!({ "input": input }))
                .await
                .assert_problem(422, "validation_failed");
            assert_eq!(answer.json()["errors"][0]["pointer"], pointer);
        }
    }
    let most = json!({ "input": vec!["я".repeat(100); 256] });
    app.acme
        .viewer
        .post("/api/embeddings", most)
        .await
        .assert_status(200);
}

#[tokio::test]
async fn another_model_needs_a_provider() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let body = json!({ "input": ["x"], "model": "nomic-embed-text" });
    for path in ["/api/embeddings", "/v1/embeddings"] {
        app.acme
            .viewer
            .post(path, &body)
            .await
            .assert_problem(503, "no_provider_available");
    }
}

#[tokio::test]
async fn a_providers_vectors_come_in_the_order_of_the_texts() {
    let provider = Provider::start(|_| {
        Act::json(
            200,
            &json!({ "data": [{ "index": 1, "embedding": [2.0] }, { "index": 0, "embedding": [1.0] }] }),
        )
    })
    .await;
    let app = provider.app().start().await;
    let ask = |input: Value| {
        app.acme.viewer.post(
            "/api/embeddings",
            json!({ "input": input, "model": "nomic-embed-text" }),
        )
    };
    let made = ask(json!(["a", "b"])).await.assert_status(200).json();
    assert_eq!(
        made,
        json!({ "model": "nomic-embed-text", "dimensions": 1, "embeddings": [[1.0], [2.0]] })
    );
    ask(json!(["a", "b", "c"]))
        .await
        .assert_problem(502, "provider_error");
}
