//! Questions that documents answer. The AI orchestrator is a server that finds the documents it was started with.

use bz_testkit::{Act, Provider};
use serde_json::{Value, json};

use crate::support::World;

/// What a search finds: these texts, each a document of its own.
pub(crate) fn found(documents: &[(&str, &str)]) -> Act {
    let items = documents.iter().enumerate().map(|(at, (title, text))| {
        json!({
            "document": { "id": format!("0195f3a0-0000-7000-8000-{at:012}"), "title": title,
                          "source_url": format!("https://docs.example/{at}") },
            "chunk": { "id": format!("0195f3a0-0000-7000-9000-{at:012}"), "ordinal": 0, "heading": "", "text": text,
                       "start": 0, "end": text.chars().count() },
            "score": 0.03, "citation": title,
        })
    });
    let items: Vec<Value> = items.collect();
    Act::json(200, &json!({ "items": items, "engine": "hybrid" }))
}

const REFUNDS: (&str, &str) = (
    "Returns",
    "Welcome to our shop. Refunds are paid within 14 days after we have the goods back.",
);

#[tokio::test]
async fn a_question_is_answered_by_quoting_a_document_with_its_citation() {
    let provider = Provider::that(found(&[REFUNDS])).await;
    let world = World::with_orchestrator(&provider).await;
    let answer = world.talk().ask("When are refunds paid?").await;
    let quoted = "Refunds are paid within 14 days after we have the goods back.";
    assert_eq!(answer["reply"], format!("From \"Returns\": \"{quoted}\""));
    assert_eq!(answer["would"], "answer");
    assert_eq!(answer["understood"]["intent"], "none");
    assert_eq!(
        answer["citations"],
        json!([{
            "source": "knowledge", "path": "/api/knowledge/documents/0195f3a0-0000-7000-8000-000000000000",
            "passage": { "title": "Returns", "heading": "", "source_url": "https://docs.example/0",
                         "chunk_id": "0195f3a0-0000-7000-9000-000000000000", "start": 21, "end": 82, "text": quoted },
        }])
    );
    let seen = provider.last();
    assert_eq!(seen.path, "/api/knowledge/search");
    assert_eq!(seen.body["query"], "When are refunds paid?");
    assert!(seen.head.contains("authorization: bearer "));
}

#[tokio::test]
async fn what_documents_do_not_answer_is_not_guessed_at() {
    let provider = Provider::that(found(&[REFUNDS])).await;
    let world = World::with_orchestrator(&provider).await;
    let mut talk = world.talk();
    for question in [
        "What is the capital of France?",
        "How high is the goods lift?",
    ] {
        let answer = talk.ask(question).await;
        assert!(
            answer["reply"]
                .as_str()
                .unwrap()
                .starts_with("I did not understand"),
            "{answer}"
        );
        assert_eq!(answer["citations"], json!([]));
    }
}

#[tokio::test]
async fn without_documents_or_the_right_to_read_them_it_says_what_it_always_says() {
    for act in [404, 403, 500].map(|status| Act::json(status, &json!({}))) {
        let provider = Provider::that(act).await;
        let world = World::with_orchestrator(&provider).await;
        let answer = world.talk().ask("When are refunds paid?").await;
        assert!(
            answer["reply"]
                .as_str()
                .unwrap()
                .starts_with("I did not understand"),
            "{answer}"
        );
        assert_eq!(answer["degraded"], json!([]));
        assert_eq!(answer["would"], "nothing");
    }
}

#[tokio::test]
async fn what_is_understood_is_never_looked_up_in_documents() {
    let provider = Provider::that(found(&[REFUNDS])).await;
    let world = World::with_orchestrator(&provider).await;
    world.todos(&["pay refunds"]).await;
    let mut talk = world.talk();
    for message in [
        "what's on my list?",
        "add a todo: ask when refunds are paid?",
        "help",
        "how many leads do I have?",
    ] {
        let answer = talk.ask(message).await;
        assert_ne!(answer["understood"]["intent"], "none", "{message}");
    }
    let asked = talk.ask("delete pay refunds").await;
    let again = talk.ask("When are refunds paid?").await;
    assert_eq!(again["confirmation"], asked["confirmation"]);
    assert!(provider.saw_nothing());
}
