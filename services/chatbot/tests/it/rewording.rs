//! Answers in other words, by a provider behind a real AI orchestrator.

use std::time::Duration;

use bz_testkit::{Act, Provider, Seen};
use serde_json::{Value, json};

use crate::support::World;

/// What a provider sends for a text.
fn completion(content: &str) -> Act {
    Act::json(
        200,
        &json!({
            "id": "1", "object": "chat.completion", "created": 0, "model": "fixed",
            "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": content } }],
        }),
    )
}

/// The answer that a provider was shown.
fn shown(seen: &Seen) -> String {
    let messages = seen.body["messages"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let last = messages
        .last()
        .map_or(Value::Null, |last| last["content"].clone());
    last.as_str().unwrap_or_default().to_owned()
}

const ON: &[(&str, &str)] = &[("CHAT_REWORDING", "auto")];

#[tokio::test]
async fn an_answer_is_said_in_other_words_that_have_every_fact() {
    let provider = Provider::start(|seen| {
        let text = shown(seen).replace("Added", "Done! On your list is");
        completion(&text.replace("You have", "There are"))
    })
    .await;
    let world = World::with_model(&provider, ON).await;
    let mut talk = world.talk();
    let added = talk.ask("add a todo: call Ada tomorrow at 3pm").await;
    let due = "tomorrow, Tue 3 Mar 2026, 15:00";
    assert_eq!(
        added["reply"],
        format!("Done! On your list is \"call Ada\", due {due}.")
    );
    assert_eq!(
        added["actions"][0]["summary"],
        format!("Added \"call Ada\", due {due}.")
    );
    assert_eq!(added["degraded"], json!([]));
    let listed = talk.say("what's on my list?").await;
    assert_eq!(
        listed,
        format!("There are 1 open to-do:\n1. call Ada (due {due})")
    );
    let seen = provider.last();
    assert_eq!(
        shown(&seen),
        format!("You have 1 open to-do:\n1. call Ada (due {due})")
    );
}

#[tokio::test]
async fn other_words_that_lose_or_add_a_fact_are_not_used() {
    let wrong = [
        "I added something.",
        "I added \"call Bob\".",
        "I added \"call Ada\" for 15:00.",
        "I have not added \"call Ada\".",
        "I added \"call Ada\", see https://attacker.example/x",
    ];
    for said in wrong {
        let provider = Provider::that(completion(said)).await;
        let world = World::with_model(&provider, ON).await;
        let answer = world.talk().ask("add a todo: call Ada").await;
        assert_eq!(answer["reply"], "Added \"call Ada\".", "{said}");
        assert_eq!(world.titles().await, ["call Ada"]);
    }
}

#[tokio::test]
async fn questions_and_failures_are_never_said_in_other_words() {
    let provider = Provider::start(|seen| completion(&shown(seen).replace("Delete", "Keep"))).await;
    let world = World::with_model(&provider, ON).await;
    world.todos(&["call Ada"]).await;
    let mut talk = world.talk();
    let asked = talk.say("delete call Ada").await;
    assert_eq!(
        asked,
        "Delete the to-do \"call Ada\"? Say \"yes\" or \"no\"."
    );
    talk.say("complete the report that is not there").await;
    assert!(provider.saw_nothing());
}

#[tokio::test]
async fn a_model_that_is_late_or_down_leaves_the_answer_as_it_is() {
    let late = completion("Added \"call Ada\", friend.");
    let Act::Send(bytes) = late else {
        panic!("an answer is sent at once");
    };
    let late = Provider::that(Act::Later(Duration::from_secs(20), bytes)).await;
    let down = Provider::that(Act::json(500, &json!({}))).await;
    for provider in [late, down] {
        let world = World::with_model(&provider, ON).await;
        let began = std::time::Instant::now();
        let reply = world.talk().say("add a todo: call Ada").await;
        assert_eq!(reply, "Added \"call Ada\".");
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn no_model_is_asked_for_other_words_when_nobody_wants_them() {
    let provider = Provider::that(completion("Added \"call Ada\", friend.")).await;
    let world = World::with_model(&provider, &[]).await;
    assert_eq!(
        world.talk().say("add a todo: call Ada").await,
        "Added \"call Ada\"."
    );
    assert!(provider.saw_nothing());
}
