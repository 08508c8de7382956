//! What a model says is told while it says it: `llm.delta` among the stored events of a run.

use std::{collections::HashMap, time::Duration};

use axum::body::BodyDataStream;
use bz_testkit::Client;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::{
    play::{World, call, events, model, say, start, start_with, text_of, turn_of, until},
    provider::{Act, Provider},
};

/// An event as a client reads it.
#[derive(Debug, Clone)]
struct Told {
    kind: String,
    id: Option<i64>,
    data: Value,
}

/// A stream of a run's events.
struct Watched {
    body: BodyDataStream,
    text: String,
}

impl Watched {
    async fn of(client: &Client, run: &str, last: Option<i64>) -> Self {
        let mut request = client.get(&format!("/api/runs/{run}/events"));
        if let Some(last) = last {
            request = request.header("last-event-id", &last.to_string());
        }
        Self {
            body: request.stream().await.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next event; none at the end of the stream.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                let told = line("event: ").map(|kind| Told {
                    kind: kind.to_owned(),
                    id: line("id: ").map(|id| id.parse().unwrap()),
                    data: serde_json::from_str(line("data: ").unwrap()).unwrap(),
                });
                self.text = rest.to_owned();
                match told {
                    Some(told) => return Some(told),
                    // A sign of life.
                    None => continue,
                }
            }
            let piece = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    async fn until(&mut self, kind: &str) -> Vec<Told> {
        let mut all = Vec::new();
        while let Some(told) = self.next().await {
            let found = told.kind == kind;
            all.push(told);
            if found {
                return all;
            }
        }
        panic!("no {kind} in {all:#?}");
    }

    async fn rest(mut self) -> Vec<Told> {
        let mut all = Vec::new();
        while let Some(told) = self.next().await {
            all.push(told);
        }
        all
    }
}

/// An answer that comes word by word.
fn words(pause: u64, words: &[&str]) -> Act {
    let event = |value: Value| format!("data: {value}\n\n").into_bytes();
    let head = "HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let mut pieces = vec![head.as_bytes().to_vec()];
    for word in words {
        let delta = json!({ "index": 0, "delta": { "content": word }, "finish_reason": null });
        pieces.push(event(json!({ "model": "m", "choices": [delta] })));
    }
    let last = json!({ "index": 0, "delta": {}, "finish_reason": "stop" });
    let mut end = event(json!({ "choices": [last] }));
    let usage = json!({ "prompt_tokens": 20, "completion_tokens": 10 });
    end.extend(event(json!({ "choices": [], "usage": usage })));
    end.extend(b"data: [DONE]\n\n");
    pieces.push(end);
    Act::Slowly(Duration::from_millis(pause), pieces)
}

/// The texts of the deltas by their questions. Each is told after its question and before its end, without an id and without a
/// gap; the ids of all others grow by one.
fn checked(told: &[Told], mut id: i64) -> HashMap<String, String> {
    let mut open = HashMap::new();
    let mut texts = HashMap::<String, String>::new();
    for event in told {
        let path = event.data["path"].as_str().unwrap_or_default().to_owned();
        if event.kind == "llm.delta" {
            assert_eq!(event.id, None);
            assert!(event.data["run_id"].is_string() && event.data["time"].is_string());
            assert!(open.contains_key(&path), "{event:?} in {told:#?}");
            let text = texts.entry(path).or_default();
            assert_eq!(event.data["offset"], text.chars().count());
            text.push_str(event.data["text"].as_str().unwrap());
            continue;
        }
        id += 1;
        assert_eq!(event.id, Some(id), "{told:#?}");
        match event.kind.as_str() {
            "llm.started" => drop(open.insert(path, ())),
            "llm.completed" => drop(open.remove(&path)),
            _ => {}
        }
    }
    texts
}

#[tokio::test]
async fn what_a_model_says_is_told_as_it_says_it_between_the_question_and_its_end() {
    let provider = Provider::start(|seen| match turn_of(seen) {
        0 => call("crm.todos.list", json!({})).act(0),
        _ => words(60, &["Grüße", ", Ada", " und ", "Bob 👋", "!"]),
    })
    .await;
    let mut world = World::still(&provider).await;
    let owner = world.app.acme.owner.clone();
    let id = start(&owner).await;
    let watched = Watched::of(&owner, &id, None).await;
    world.app.start_jobs();
    let told = watched.rest().await;
    let texts = checked(&told, 0);
    assert_eq!(texts.len(), 1, "a call of a tool is no text");
    assert_eq!(texts["task.llm1"], "Grüße, Ada und Bob 👋!");
    let pieces = told.iter().filter(|event| event.kind == "llm.delta");
    assert!(pieces.count() > 1, "{told:#?}");
    let over = until(&owner, &id, "succeeded").await;
    assert_eq!(over["output"]["text"], "Grüße, Ada und Bob 👋!");
    assert_eq!(over["usage"]["prompt_tokens"], 40);
    let asked = provider.last().body;
    let usage_wanted = json!({ "include_usage": true });
    assert_eq!(
        (&asked["stream"], &asked["stream_options"]),
        (&json!(true), &usage_wanted)
    );
    // It is not stored: whoever comes later gets what is.
    assert!(!events(&owner, &id).await.contains(&"llm.delta".to_owned()));
}

#[tokio::test]
async fn who_reads_on_gets_the_text_so_far_and_then_the_rest() {
    let provider = Provider::that(words(700, &["one ", "two ", "three"])).await;
    let mut world = World::still(&provider).await;
    let owner = world.app.acme.owner.clone();
    let id = start(&owner).await;
    let mut first = Watched::of(&owner, &id, None).await;
    world.app.start_jobs();
    let told = first.until("llm.delta").await;
    assert_eq!(checked(&told, 0)["task.llm0"], "one ");
    let seen = told.iter().rev().find_map(|event| event.id).unwrap();
    drop(first);
    let mut second = Watched::of(&owner, &id, Some(seen)).await;
    let next = second.next().await.unwrap();
    assert_eq!((next.kind.as_str(), next.id), ("llm.delta", None));
    assert_eq!(next.data["offset"], 0);
    assert!(next.data["text"].as_str().unwrap().starts_with("one "));
    let mut told = vec![told[told.len() - 2].clone(), next];
    assert_eq!(told[0].kind, "llm.started");
    told.extend(second.rest().await);
    assert_eq!(checked(&told, seen - 1)["task.llm0"], "one two three");
    assert_eq!(told.last().unwrap().kind, "run.completed");
}

#[tokio::test]
async fn tasks_at_the_same_time_are_told_each_within_its_own_question() {
    let provider = Provider::start(|seen| {
        let text = text_of(seen);
        let name = ["red", "green", "blue"]
            .into_iter()
            .find(|name| text.contains(name));
        words(20, &[name.unwrap(), " ", "is", " ", "done"])
    })
    .await;
    let mut world = World::still(&provider).await;
    let owner = world.app.acme.owner.clone();
    let task = |name: &str| json!({ "name": name, "description": name, "agent": "social-writer" });
    let crew = json!({
        "name": "wide", "title": "Wide", "process": "parallel",
        "tasks": [task("red"), task("green"), task("blue")],
    });
    owner.post("/api/crews", crew).await.assert_status(201);
    let id = start_with(&owner, json!({ "crew": "wide" })).await;
    let watched = Watched::of(&owner, &id, None).await;
    world.app.start_jobs();
    let texts = checked(&watched.rest().await, 0);
    for name in ["red", "green", "blue"] {
        let said = texts.iter().find(|(path, _)| path.contains(name));
        assert_eq!(said.unwrap().1, &format!("{name} is done"));
    }
}

#[tokio::test]
async fn nobody_watches_and_nothing_is_streamed_and_a_server_that_cannot_stream_is_understood() {
    let provider = model(vec![say("done at once")]).await;
    let mut world = World::still(&provider).await;
    world.app.start_jobs();
    let owner = world.app.acme.owner.clone();
    until(&owner, &start(&owner).await, "succeeded").await;
    assert_eq!(provider.last().body.get("stream"), None);

    let mut world = World::still(&provider).await;
    let owner = world.app.acme.owner.clone();
    let id = start(&owner).await;
    let watched = Watched::of(&owner, &id, None).await;
    world.app.start_jobs();
    let told = watched.rest().await;
    assert_eq!(provider.last().body["stream"], true);
    assert_eq!(checked(&told, 0)["task.llm0"], "done at once");
    let over = until(&owner, &id, "succeeded").await;
    assert_eq!(over["output"]["text"], "done at once");
}
