//! The record that a lead becomes: one that the client names, one that is surely the same, or a new one.

use bz_auth::Caller;
use bz_http::{Patch, Problem, extract::parse, validated};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    duplicates::{candidates, keys_of, lock},
    problems::within,
    records::{Record, Work, handlers},
};

/// What a lead becomes.
pub(super) struct Target<R> {
    pub record: R,
    pub created: bool,
}

/// The target, `None` when none is wanted. `start` is what the lead says; `same` from which score on another record is it.
pub(super) async fn target<R: Record>(
    work: &mut Work<'_>,
    caller: &Caller,
    name: &'static str,
    start: Option<Map<String, Value>>,
    given: Patch<Map<String, Value>>,
    same: f64,
    may: &(dyn Fn() -> Result<(), Problem> + Sync),
) -> Result<Option<Target<R>>, Problem> {
    let fields = match (given, start) {
        (Patch::Null, _) | (Patch::Absent, None) => return Ok(None),
        (Patch::Absent, Some(start)) => start,
        (Patch::Value(given), start) => {
            if let Some(id) = given.get("id") {
                may()?;
                return named(work, caller, name, id).await.map(Some);
            }
            let mut fields = start.unwrap_or_default();
            fields.extend(given);
            fields
        }
    };
    may()?;
    let bytes = serde_json::to_vec(&fields).map_err(Problem::internal)?;
    let wanted: R::Fields = parse(&bytes)
        .and_then(validated)
        .map_err(|problem| within(&format!("/{name}"), problem))?;
    let keys = keys_of::<R>(&wanted);
    lock::<R>(work.tx, &keys).await?;
    let there = candidates::<R>(work.tx, &keys, None).await?;
    if let Some(first) = there.into_iter().next().filter(|first| first.score >= same) {
        let record = first.record;
        return Ok(Some(Target {
            record,
            created: false,
        }));
    }
    let record = work
        .create::<R>(wanted)
        .await
        .map_err(|problem| within(&format!("/{name}"), problem))?;
    Ok(Some(Target {
        record,
        created: true,
    }))
}

/// The record that the client names.
async fn named<R: Record>(
    work: &mut Work<'_>,
    caller: &Caller,
    name: &'static str,
    id: &Value,
) -> Result<Target<R>, Problem> {
    let missing = || {
        Problem::invalid(
            format!("/{name}/id"),
            "not_found",
            format!("must be the id of a {name}"),
        )
    };
    let id: Uuid = id
        .as_str()
        .and_then(|id| id.parse().ok())
        .ok_or_else(missing)?;
    match handlers::locked_any::<R>(work.app, work.tx, caller, id).await {
        Ok(record) => Ok(Target {
            record,
            created: false,
        }),
        Err(problem) if problem.status().as_u16() == 404 => Err(missing()),
        Err(problem) => Err(problem),
    }
}
