use axum::extract::State;
use bz_auth::{Caller, Can};
use bz_http::{Json, Path, Problem};
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::{FromRow, query, query_as, types};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Mergeable, MergesWrite, UNDONE_WITHIN,
    moves::{Conflict, Moves},
};
use crate::{
    app::AppState,
    companies::Company,
    contacts::Contact,
    leads::Lead,
    problems,
    records::{Record, Work, access, changes, sql::Sql, store},
};

/// A merge that was undone.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Undone {
    /// The merge.
    merge_id: Uuid,
    /// When it was undone.
    undone_at: DateTime<Utc>,
    /// The record that had stayed.
    primary_id: Uuid,
    /// The records that are records of their own again.
    restored_ids: Vec<Uuid>,
    /// What was left as it is, because it was changed since, or is gone.
    conflicts: Vec<Conflict>,
}

/// A merge as it was kept.
#[derive(FromRow)]
struct Kept {
    record_type: String,
    primary_id: Uuid,
    other_ids: Vec<Uuid>,
    changes: types::Json<Map<String, Value>>,
    at: DateTime<Utc>,
    undone_at: Option<DateTime<Utc>>,
    conflicts: types::Json<Vec<Conflict>>,
}

/// Undo a merge.
///
/// For 30 days. The merged records come back as they were, the primary record and all rows that had moved get back what they
/// held. What somebody changed since is left alone and named in `conflicts`. The same request once more is answered in the
/// same way. Besides `merges:write` it needs to be allowed to change the records themselves.
#[utoipa::path(
    post, path = "/api/merges/{id}/undo", tag = "merges",
    security(("bearer" = ["merges:write"])),
    params(("id" = Uuid, Path, description = "The merge")),
    responses((status = 200, description = "It is undone", body = Undone), bz_http::openapi::ChangeProblems),
)]
pub(super) async fn undo_merge(
    State(app): State<AppState>,
    caller: Can<MergesWrite>,
    Path(id): Path<Uuid>,
) -> Result<Json<Undone>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let kept = find(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    let undone = match kept.record_type.as_str() {
        "lead" => undo::<Lead>(&app, &caller, &mut tx, id, kept).await?,
        "contact" => undo::<Contact>(&app, &caller, &mut tx, id, kept).await?,
        "company" => undo::<Company>(&app, &caller, &mut tx, id, kept).await?,
        other => {
            return Err(Problem::internal(format!(
                "merges of {other} are not known"
            )));
        }
    };
    tx.commit().await?;
    app.wake();
    Ok(Json(undone))
}

async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Kept>, DbError> {
    let kept = query_as(
        "-- crm.merges.find_for_update\n\
         SELECT record_type, primary_id, other_ids, changes, at, undone_at, conflicts \
         FROM crm.merges WHERE id = $1 FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(tx.conn())
    .await?;
    Ok(kept)
}

async fn undo<R: Mergeable>(
    app: &AppState,
    caller: &Caller,
    tx: &mut TenantTx,
    id: Uuid,
    kept: Kept,
) -> Result<Undone, Problem> {
    R::may_write(caller)?;
    let sight = access::writes(app, tx, caller, R::TYPE).await?;
    let primary: Option<R> = store::find_for_update(tx, sight, kept.primary_id).await?;
    let primary = primary.ok_or_else(Problem::not_found)?;
    let now = app.core.sources.now();
    if let Some(undone_at) = kept.undone_at {
        return Ok(answer(id, kept, undone_at, None));
    }
    if kept.at + UNDONE_WITHIN < now {
        return Err(problems::merge_too_old());
    }
    let actor = caller.user;
    let mut work = Work { app, tx, actor };
    let mut conflicts = give_back(&mut work, primary, &kept.changes.0).await?;
    conflicts.extend(revive::<R>(&mut work, &kept).await?);
    let mut moves = Moves {
        tx: work.tx,
        merge: id,
        now,
        record: R::TYPE.name,
        places: R::PLACES,
    };
    conflicts.extend(moves.back().await?);
    query(
        "-- crm.merges.undone\nUPDATE crm.merges SET undone_at = $2, conflicts = $3 WHERE id = $1",
    )
    .bind(id)
    .bind(now)
    .bind(types::Json(&conflicts))
    .execute(tx.conn())
    .await
    .map_err(DbError::from)?;
    Ok(answer(id, kept, now, Some(conflicts)))
}

fn answer(id: Uuid, kept: Kept, undone_at: DateTime<Utc>, now: Option<Vec<Conflict>>) -> Undone {
    let conflicts = now.unwrap_or(kept.conflicts.0);
    let gone = |other: &Uuid| {
        conflicts
            .iter()
            .any(|conflict| conflict.place == "merged_into" && conflict.id == *other)
    };
    Undone {
        merge_id: id,
        undone_at,
        primary_id: kept.primary_id,
        restored_ids: kept
            .other_ids
            .iter()
            .filter(|other| !gone(other))
            .copied()
            .collect(),
        conflicts,
    }
}

/// Gives the primary record the values from before the merge, where it still has those from after it.
async fn give_back<R: Record>(
    work: &mut Work<'_>,
    primary: R,
    made: &Map<String, Value>,
) -> Result<Vec<Conflict>, Problem> {
    let mut now = serde_json::to_value(primary.fields()).map_err(Problem::internal)?;
    let mut conflicts = Vec::new();
    for (name, pair) in made {
        let (before, after) = (&pair[0], &pair[1]);
        let slot = match name.strip_prefix("custom.") {
            Some(key) => now["custom"].as_object_mut().map(|object| (object, key)),
            None => now.as_object_mut().map(|object| (object, name.as_str())),
        };
        let Some((object, key)) = slot else { continue };
        if object.get(key).unwrap_or(&Value::Null) != after {
            conflicts.push(Conflict {
                place: name.clone(),
                id: primary.head().id,
                reason: "changed_since".to_owned(),
            });
        } else if name.starts_with("custom.") && before.is_null() {
            object.remove(key);
        } else {
            object.insert(key.to_owned(), before.clone());
        }
    }
    let fields: R::Fields = serde_json::from_value(now).map_err(Problem::internal)?;
    work.update(primary, fields).await?;
    Ok(conflicts)
}

/// Makes the others records of their own again.
async fn revive<R: Record>(work: &mut Work<'_>, kept: &Kept) -> Result<Vec<Conflict>, Problem> {
    let (table, now) = (R::TYPE.table, work.now());
    let mut conflicts = Vec::new();
    for id in &kept.other_ids {
        let mut sql = Sql::new(format!(
            "-- {table}.revive\nUPDATE {table} SET merged_into = NULL, deleted_at = NULL, version = version + 1, \
             updated_at = "
        ));
        sql.bind(now).push(" WHERE id = ").bind(*id);
        sql.push(" AND merged_into = ").bind(kept.primary_id);
        sql.push(" RETURNING ").push(R::columns());
        let revived: Option<R> = sql.fetch_optional(work.tx).await?;
        let Some(revived) = revived else {
            conflicts.push(Conflict {
                place: "merged_into".to_owned(),
                id: *id,
                reason: "gone".to_owned(),
            });
            continue;
        };
        let mut changes = changes::Changes::new();
        changes.insert(
            "merged_into".to_owned(),
            serde_json::json!([kept.primary_id, null]),
        );
        work.note::<R>(*id, "unmerged", changes, None).await?;
        work.tell(&revived, R::TYPE.events[3], &[]).await?;
    }
    Ok(conflicts)
}
