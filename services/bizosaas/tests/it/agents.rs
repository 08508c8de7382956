//! Runs of agents through the real services. The model is a server that plays a script; all else is the platform.

use std::time::Duration;

use bz_kernel::platform::AI_ORCHESTRATOR;
use bz_testkit::{Act, Provider, redis_url, wait_until};
use serde_json::{Value, json};

use crate::support::{Installation, User};

/// Longer than a run takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A model that has a to-do made of its task, and then says so.
async fn model() -> Provider {
    Provider::start(|asked| {
        let messages = asked.body["messages"].as_array().unwrap();
        let answered = messages.iter().any(|one| one["role"] == "assistant");
        let message = if answered {
            json!({ "role": "assistant", "content": "It is on your list." })
        } else {
            let all = asked.body["messages"].to_string();
            let task = all.split("Task: ").nth(1).unwrap();
            let title = task.split("\\n").next().unwrap();
            let arguments = json!({ "title": title }).to_string();
            let function = json!({ "name": "crm_todos_create", "arguments": arguments });
            let call = json!({ "id": "c1", "type": "function", "function": function });
            json!({ "role": "assistant", "content": null, "tool_calls": [call] })
        };
        let reason = if answered { "stop" } else { "tool_calls" };
        let answer = json!({
            "model": "scripted",
            "choices": [{ "index": 0, "message": message, "finish_reason": reason }],
            "usage": { "prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30 },
        });
        Act::json(200, &answer)
    })
    .await
}

/// The user's runs, once all of them are over.
async fn runs_when_over(user: &User) -> Vec<Value> {
    let runs = async || {
        let list = user.api.get(&AI_ORCHESTRATOR, "/api/runs").await;
        list.with_status(200)["items"].as_array().unwrap().clone()
    };
    let over = async || {
        let runs = runs().await;
        !runs.is_empty() && runs.iter().all(|run| run["finished_at"].is_string())
    };
    wait_until(over, PATIENCE).await;
    runs().await
}

fn titles(todos: &[Value]) -> Vec<&str> {
    let titles = todos.iter().map(|todo| todo["title"].as_str().unwrap());
    titles.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_does_for_somebody_is_in_their_crm_and_in_nobody_elses() {
    let mut installation = Installation::migrated().await;
    installation.set("REDIS_URL", &redis_url());
    let model = model().await;
    let address = format!("http://{}", model.address());
    installation.set("LLM_BASE_URL", &address);
    installation.set("LLM_MODEL", "scripted");
    let _platform = installation.up().await;
    let anonymous = installation.anonymous();
    let (ada, bob) = (
        User::register(&anonymous, "Ada").await,
        User::register(&anonymous, "Bob").await,
    );

    let order = json!({ "agent": "personal-assistant", "task": "Write the offer" });
    let run = ada.api.post(&AI_ORCHESTRATOR, "/api/runs", order).await;
    let run = run.with_status(202)["id"].as_str().unwrap().to_owned();
    let over = runs_when_over(&ada).await;
    assert_eq!(
        (&over[0]["status"], &over[0]["output"]["text"]),
        (&json!("succeeded"), &json!("It is on your list.")),
        "{over:?}"
    );
    assert_eq!(titles(&ada.todos().await), ["Write the offer"]);

    // The same by chat, for somebody else, after a yes.
    let asked = bob
        .say(
            &Value::Null,
            "ask the personal assistant to water the plants",
        )
        .await;
    assert_eq!(asked["would"], "confirm", "{asked}");
    let yes = bob.say(&asked["conversation_id"], "yes").await;
    assert_eq!(yes["actions"][0]["action"], "agent.run", "{yes}");
    let over = runs_when_over(&bob).await;
    assert_eq!((over.len(), &over[0]["status"]), (1, &json!("succeeded")));
    assert_eq!(titles(&bob.todos().await), ["water the plants"]);

    assert_eq!(titles(&ada.todos().await), ["Write the offer"]);
    let path = format!("/api/runs/{run}");
    let foreign = bob.api.get(&AI_ORCHESTRATOR, &path).await;
    foreign.with_status(404);
}
