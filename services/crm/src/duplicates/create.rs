//! A new record, unless there is the same already.

use std::collections::BTreeSet;

use axum::{http::StatusCode, response::Response};
use bz_auth::Caller;
use bz_http::{IdempotencyKey, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Candidate, OnDuplicate, duplicate, keys_of, lock, twins};
use crate::{
    app::AppState,
    records::{Kind, Record, Work, access, handlers, patch::Change, store},
};

/// What came of a request to create.
#[derive(Serialize, Deserialize)]
struct Answer<R> {
    created: bool,
    record: R,
}

/// A new record, or the one that the same request made before, or the same that is there.
pub(crate) async fn create<R: Record>(
    app: &AppState,
    caller: &Caller,
    key: &IdempotencyKey,
    on: OnDuplicate,
    wanted: R::Fields,
) -> Result<Response, Problem> {
    let core = &app.core;
    let sent = (on, wanted.clone());
    let answer = bz_http::idempotent(
        (&core.db, &core.sources.clock),
        &caller.scope,
        key,
        R::TYPE.events[0],
        &sent,
        async |tx| {
            let actor = caller.user;
            answer::<R>(&mut Work { app, tx, actor }, caller, on, wanted).await
        },
    )
    .await?;
    app.wake();
    let (created, version) = (answer.value.created, answer.value.record.head().version);
    let mut response = answer
        .map(|answer| answer.record)
        .into_response_with(|_| version);
    if !created {
        *response.status_mut() = StatusCode::OK;
    }
    Ok(response)
}

async fn answer<R: Record>(
    work: &mut Work<'_>,
    caller: &Caller,
    on: OnDuplicate,
    wanted: R::Fields,
) -> Result<Answer<R>, Problem> {
    if access::writes(work.app, work.tx, caller, R::TYPE).await? == access::Sight::None {
        return Err(
            Problem::forbidden().detail("Your role does not let you write records of this type.")
        );
    }
    let mut found: Vec<Candidate<R>> = Vec::new();
    if on != OnDuplicate::Create {
        let keys = keys_of::<R>(&wanted);
        lock::<R>(work.tx, &keys).await?;
        found = twins(work.tx, &keys).await?;
    }
    let Some(first) = found.first() else {
        let record = work.create::<R>(wanted).await?;
        return Ok(Answer {
            created: true,
            record,
        });
    };
    let id = first.record.head().id;
    let visible = visible(work, caller, &found).await?;
    let record = match on {
        OnDuplicate::Update => {
            let before: R = handlers::locked_any(work.app, work.tx, caller, id).await?;
            let wanted = given::<R>(&before, &wanted)?.onto(&before)?;
            work.update(before, wanted).await?
        }
        OnDuplicate::Return if visible.contains(&id) => found.swap_remove(0).record,
        _ => return Err(duplicate(&found, &visible)),
    };
    Ok(Answer {
        created: false,
        record,
    })
}

/// Which of them the caller sees.
async fn visible<R: Record>(
    work: &mut Work<'_>,
    caller: &Caller,
    found: &[Candidate<R>],
) -> Result<BTreeSet<Uuid>, Problem> {
    let ids = found.iter().map(|candidate| candidate.record.head().id);
    let sight = access::reads(work.app, work.tx, caller, R::TYPE).await?;
    if sight == access::Sight::All {
        return Ok(ids.collect());
    }
    let mut visible = BTreeSet::new();
    for id in ids {
        if store::find::<R>(work.tx, sight, id).await?.is_some() {
            visible.insert(id);
        }
    }
    Ok(visible)
}

/// What a new record says, as a change of the one that is there: everything but what is empty or is so when nothing is said.
pub(crate) fn given<R: Record>(
    there: &R,
    wanted: &R::Fields,
) -> Result<Change<R::Fields>, Problem> {
    let Value::Object(mut members) = serde_json::to_value(wanted).map_err(Problem::internal)?
    else {
        return Ok(Change::new(Map::new()));
    };
    members.retain(|name, value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        // The first choice is what is taken when nothing is said.
        Value::String(text) => !R::TYPE.field(name).is_some_and(
            |field| matches!(field.kind, Kind::Choice(choices) if choices.first() == Some(&text.as_str())),
        ),
        _ => true,
    });
    if let Some(Value::Array(tags)) = members.get_mut("tags") {
        use crate::records::Fields;
        let fields = there.fields();
        let mut all: Vec<Value> = fields
            .common()
            .tags
            .iter()
            .map(|tag| tag.as_str().into())
            .collect();
        all.extend(tags.drain(..).filter(|tag| {
            !fields
                .common()
                .tags
                .iter()
                .any(|there| *tag == there.as_str())
        }));
        *tags = all;
    }
    Ok(Change::new(members))
}
