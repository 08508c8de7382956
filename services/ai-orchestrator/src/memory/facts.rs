//! What an agent does with its memory of the user for whom it works.

use bz_auth::Caller;
use bz_http::{IdempotencyKey, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::store::{self, Whose};
use crate::{
    app::AppState,
    knowledge::{fused, vector, vectors},
    models::EMBEDDINGS,
};

/// The most facts of an agent about a user.
const MOST: i64 = 200;
/// The facts that are embedded at once when the model is another one.
const BATCH: i64 = 32;
/// How many facts are recalled when it is not said.
const LIMIT: usize = 5;

/// A fact to remember.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Remember {
    key: String,
    text: String,
}

/// What to recall.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Recall {
    query: Option<String>,
    limit: Option<usize>,
}

/// What to forget.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Forget {
    key: String,
}

/// Remembers a fact, once by the key of the call.
pub(crate) async fn remember(
    app: &AppState,
    caller: &Caller,
    (agent, key): (&str, &IdempotencyKey),
    fact: &Remember,
) -> Result<Value, Problem> {
    let vector = vector(app, &format!("{}\n{}", fact.key, fact.text)).await;
    let (core, sources) = (&app.core, &app.core.sources);
    let done = bz_http::idempotent(
        (&core.db, &sources.clock),
        &caller.scope,
        key,
        "memory.remember",
        &(agent, fact),
        async |tx| {
            let whose = Whose {
                user: caller.user,
                agent,
            };
            if store::count_others(tx, whose, &fact.key).await? >= MOST {
                let detail = "An agent remembers 200 facts of a user. Forget one first.";
                return Err(Problem::conflict("memory_full", detail));
            }
            let vector = vector.as_deref().map(|vector| (EMBEDDINGS, vector));
            let new = (sources.id(), whose, sources.now());
            store::put(tx, new, (&fact.key, &fact.text), vector).await?;
            // Without the fact: what is kept to answer a repeat outlives what is forgotten.
            Ok(json!({ "remembered": true }))
        },
    )
    .await?;
    Ok(done.value)
}

/// Facts that a question is about, by words and by meaning; the newest without a question.
pub(crate) async fn recall(
    app: &AppState,
    caller: &Caller,
    agent: &str,
    wanted: &Recall,
) -> Result<Value, Problem> {
    let whose = Whose {
        user: caller.user,
        agent,
    };
    let limit = wanted.limit.unwrap_or(LIMIT);
    let db = &app.core.db;
    let Some(question) = &wanted.query else {
        let mut tx = db.read(&caller.scope).await?;
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let facts = store::list(&mut tx, (caller.user, Some(agent)), None, most).await?;
        return Ok(told(&facts, "text"));
    };
    let vector = vector(app, question).await;
    if vector.is_some() {
        catch_up(app, caller, whose).await?;
    }
    let mut tx = db.read(&caller.scope).await?;
    let mut lists = vec![store::by_words(&mut tx, whose, question).await?];
    if let Some(vector) = &vector {
        lists.push(store::by_meaning(&mut tx, whose, (EMBEDDINGS, vector)).await?);
    }
    let best = fused(&lists).into_iter().take(limit);
    let best: Vec<Uuid> = best.map(|(id, _)| id).collect();
    let facts = store::named(&mut tx, &best).await?;
    Ok(told(
        &facts,
        if vector.is_some() { "hybrid" } else { "text" },
    ))
}

fn told(facts: &[super::Memory], engine: &str) -> Value {
    let items = facts
        .iter()
        .map(|fact| json!({ "key": fact.key, "text": fact.text, "updated_at": fact.updated_at }));
    json!({ "items": items.collect::<Vec<_>>(), "engine": engine })
}

/// Embeds facts of the time before the model was there, or of another one, while no transaction is open.
async fn catch_up(app: &AppState, caller: &Caller, whose: Whose<'_>) -> Result<(), Problem> {
    let db = &app.core.db;
    let mut tx = db.read(&caller.scope).await?;
    let facts = store::without_vector(&mut tx, whose, EMBEDDINGS, BATCH).await?;
    drop(tx);
    if facts.is_empty() {
        return Ok(());
    }
    let texts = facts.iter().map(|(_, text)| text.clone()).collect();
    let Some(made) = vectors(app, texts).await else {
        return Ok(());
    };
    let mut tx = db.tenant(&caller.scope).await?;
    for ((id, text), vector) in facts.iter().zip(&made) {
        store::put_vector(&mut tx, (*id, text), (EMBEDDINGS, vector)).await?;
    }
    Ok(tx.commit().await?)
}

/// Forgets what is known under a key, once by the key of the call.
pub(crate) async fn forget(
    app: &AppState,
    caller: &Caller,
    (agent, key): (&str, &IdempotencyKey),
    wanted: &Forget,
) -> Result<Value, Problem> {
    let (core, clock) = (&app.core, &app.core.sources.clock);
    let done = bz_http::idempotent(
        (&core.db, clock),
        &caller.scope,
        key,
        "memory.forget",
        &(agent, wanted),
        async |tx| {
            let whose = Whose {
                user: caller.user,
                agent,
            };
            let was_there = store::forget(tx, whose, &wanted.key).await?;
            Ok(json!({ "forgotten": was_there }))
        },
    )
    .await?;
    Ok(done.value)
}
