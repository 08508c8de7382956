//! Schemas that tenants write: none keeps a worker busy for longer than its run may take.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::play::{World, model, run, say};

/// Each part is either of two, which are the same next part: to find that nothing fits, both ways are gone at every fork.
fn forking() -> Value {
    let part = |n: usize| json!({ "$ref": format!("#/$defs/p{n}") });
    let mut parts: Map<String, Value> = (0..60)
        .map(|n| {
            (
                format!("p{n}"),
                json!({ "anyOf": [part(n + 1), part(n + 1)] }),
            )
        })
        .collect();
    parts.insert("p60".to_owned(), json!({ "type": "string" }));
    json!({ "type": "object", "$defs": parts, "properties": { "x": part(0) } })
}

/// The same, as deep as the answer is.
fn forking_by_itself() -> Value {
    let again = json!({ "$ref": "#" });
    json!({ "properties": { "x": { "anyOf": [again, again] } }, "type": "object", "required": ["y"] })
}

fn deep(depth: usize) -> Value {
    (0..depth).fold(json!({}), |inner, _| json!({ "x": inner }))
}

#[tokio::test]
async fn a_schema_that_would_take_for_ever_is_refused_or_ends() {
    let answer = deep(60).to_string();
    let provider = model(vec![say(&answer)]).await;
    let world = World::with(&provider).await;
    let owner = &world.app.acme.owner;
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } }, "$ref": "#/$defs/a" }),
        json!({ "patternProperties": { "^(x+x+)+y$": false } }),
        forking(),
        forking_by_itself(),
    ] {
        let begun = Instant::now();
        let body = json!({ "agent": "social-writer", "output_schema": schema, "limits": { "deadline_seconds": 10 } });
        let made = owner.post("/api/runs", body).await;
        if made.status == 422 {
            continue;
        }
        let id = made.assert_status(202).json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        loop {
            let now = run(owner, &id).await;
            if now["finished_at"].is_string() {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{schema}: {now}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
