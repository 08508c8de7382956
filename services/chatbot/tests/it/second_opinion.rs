//! A model behind a real AI orchestrator. The provider is a server with one fixed answer: what it says is what matters.

use bz_testkit::{Act, Provider};
use serde_json::{Value, json};

use crate::support::World;

/// A provider that answers every request with the same completion.
async fn provider(content: &str) -> Provider {
    Provider::that(Act::json(
        200,
        &json!({
            "id": "1", "object": "chat.completion", "created": 0, "model": "fixed",
            "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": content } }],
        }),
    ))
    .await
}

async fn world(provider: &Provider) -> World {
    World::with_model(provider, &[("CHAT_LLM", "auto")]).await
}

#[tokio::test]
async fn a_models_proposal_waits_for_a_yes() {
    let proposal = r#"{"intent":"todo.create","title":"pick up the kids","target":null,"new_title":null,"due":"tomorrow at 3pm","filter":null}"#;
    let provider = provider(proposal).await;
    let world = world(&provider).await;
    let mut talk = world.talk();
    let asked = talk.ask("the kids won't pick themselves up").await;
    assert_eq!(asked["understood"]["engine"], "llm");
    assert_eq!(asked["confirmation"]["action"], "todo.create");
    assert_eq!(
        asked["confirmation"]["summary"],
        "Add the to-do \"pick up the kids\", due tomorrow, Tue 3 Mar 2026, 15:00"
    );
    assert_eq!(world.titles().await.len(), 0);
    let done = talk.ask("yes").await;
    assert_eq!(done["understood"]["engine"], "rules");
    assert_eq!(world.titles().await.len(), 1);
}

#[tokio::test]
async fn a_model_that_talks_instead_changes_nothing() {
    let provider = provider("Sure, I deleted everything!").await;
    let world = world(&provider).await;
    let answer = world.talk().ask("the kids won't pick themselves up").await;
    assert_eq!(answer["understood"]["intent"], "none");
    assert_eq!(answer["confirmation"], Value::Null);
}

#[tokio::test]
async fn what_the_rules_understand_is_never_shown_to_a_model() {
    let proposal = r#"{"intent":"delete_todo","title":null,"target":"x","new_title":null,"due":null,"filter":null}"#;
    let provider = provider(proposal).await;
    let world = world(&provider).await;
    let answer = world.talk().ask("add a todo: call Ada").await;
    assert_eq!(answer["understood"]["engine"], "rules");
    assert_eq!(answer["reply"], "Added \"call Ada\".");
}
