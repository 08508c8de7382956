//! Making a merge.

use bz_auth::Caller;
use bz_http::{IfMatch, Json, Problem};
use bz_tenant::{DbError, TenantTx};
use serde_json::{Map, Value};
use sqlx::{query, query_as, types};
use uuid::Uuid;

use super::{Merge, Mergeable, Merged, fields, moves::Moves};
use crate::{
    app::AppState,
    records::{Work, changes, handlers, sql::Sql},
};

/// Merges records; a dry run does the same and keeps nothing of it.
pub(crate) async fn merge<R: Mergeable>(
    app: &AppState,
    caller: &Caller,
    if_match: &IfMatch,
    wanted: Merge,
) -> Result<Json<Merged<R>>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    lock::<R>(&mut tx, &wanted).await?;
    if let Some(known) = made_before::<R>(app, caller, &mut tx, &wanted).await? {
        return Ok(Json(known));
    }
    let primary: R = handlers::locked(app, &mut tx, caller, wanted.primary_id, if_match).await?;
    let mut others: Vec<R> = Vec::with_capacity(wanted.other_ids.len());
    for id in &wanted.other_ids {
        others.push(handlers::locked_any(app, &mut tx, caller, *id).await?);
    }
    let mut work = Work {
        app,
        tx: &mut tx,
        actor: caller.user,
    };
    let mut merged = perform(&mut work, primary, &others, &wanted).await?;
    if wanted.dry_run {
        merged.merge_id = None;
        return Ok(Json(merged));
    }
    tx.commit().await?;
    app.wake();
    Ok(Json(merged))
}

/// Locks all of them in one order, so that two merges never wait for each other.
async fn lock<R: Mergeable>(tx: &mut TenantTx, wanted: &Merge) -> Result<(), DbError> {
    let mut ids = wanted.other_ids.clone();
    ids.push(wanted.primary_id);
    let table = R::TYPE.table;
    let mut sql = Sql::new(format!(
        "-- {table}.lock\nSELECT id FROM {table} WHERE id = ANY("
    ));
    sql.bind(ids).push(") ORDER BY id FOR UPDATE");
    sql.execute(tx).await?;
    Ok(())
}

/// The same merge, when it was made before and stands.
async fn made_before<R: Mergeable>(
    app: &AppState,
    caller: &Caller,
    tx: &mut TenantTx,
    wanted: &Merge,
) -> Result<Option<Merged<R>>, Problem> {
    let found: Option<(Uuid, types::Json<Value>)> = query_as(
        "-- crm.merges.find_same\n\
         SELECT id, changes FROM crm.merges \
         WHERE primary_id = $1 AND other_ids = $2 AND record_type = $3 AND undone_at IS NULL",
    )
    .bind(wanted.primary_id)
    .bind(sorted(&wanted.other_ids))
    .bind(R::TYPE.name)
    .fetch_optional(tx.conn())
    .await
    .map_err(DbError::from)?;
    let Some((id, changes)) = found else {
        return Ok(None);
    };
    let record: R = handlers::locked_any(app, tx, caller, wanted.primary_id).await?;
    let mut moves = Moves {
        tx,
        merge: id,
        now: app.core.sources.now(),
        record: R::TYPE.name,
        places: R::PLACES,
    };
    Ok(Some(Merged {
        merge_id: Some(id),
        merged_ids: wanted.other_ids.clone(),
        changes: changes.0,
        moved: moves.count().await?,
        repeated: true,
        record,
    }))
}

fn sorted(ids: &[Uuid]) -> Vec<Uuid> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}

async fn perform<R: Mergeable>(
    work: &mut Work<'_>,
    primary: R,
    others: &[R],
    wanted: &Merge,
) -> Result<Merged<R>, Problem> {
    let fields = fields::merged(&primary, others, &wanted.fields)?;
    let changes = changes::between(&primary.fields(), &fields)?;
    let merge = work.id();
    insert::<R>(work, merge, wanted, &changes).await?;
    for other in others {
        // The others give up what only one record may have before the primary one takes it.
        retire(work, other, wanted.primary_id).await?;
    }
    let (now, places) = (work.now(), R::PLACES);
    let mut moves = Moves {
        tx: work.tx,
        merge,
        now,
        record: R::TYPE.name,
        places,
    };
    let moved = moves.forward(wanted.primary_id, &wanted.other_ids).await?;
    let record = work.update(primary, fields).await?;
    work.tell(&record, R::MERGED, &[]).await?;
    Ok(Merged {
        merge_id: Some(merge),
        merged_ids: wanted.other_ids.clone(),
        changes: Value::Object(changes),
        moved,
        repeated: false,
        record,
    })
}

async fn insert<R: Mergeable>(
    work: &mut Work<'_>,
    id: Uuid,
    wanted: &Merge,
    changes: &Map<String, Value>,
) -> Result<(), DbError> {
    let (now, actor) = (work.now(), work.actor.as_uuid());
    query(
        "-- crm.merges.insert\n\
         INSERT INTO crm.merges (id, record_type, primary_id, other_ids, changes, actor, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id)
    .bind(R::TYPE.name)
    .bind(wanted.primary_id)
    .bind(sorted(&wanted.other_ids))
    .bind(types::Json(changes))
    .bind(actor)
    .bind(now)
    .execute(work.tx.conn())
    .await?;
    Ok(())
}

/// Puts a record into the trash as a part of another one.
async fn retire<R: Mergeable>(work: &mut Work<'_>, other: &R, into: Uuid) -> Result<(), Problem> {
    let (table, now, id) = (R::TYPE.table, work.now(), other.head().id);
    let mut sql = Sql::new(format!(
        "-- {table}.retire\nUPDATE {table} SET version = version + 1, updated_at = "
    ));
    sql.bind(now).push(", deleted_at = ").bind(now);
    sql.push(", merged_into = ").bind(into);
    sql.push(" WHERE id = ").bind(id);
    sql.push(" RETURNING ").push(R::columns());
    let retired: R = sql.fetch_one(work.tx).await?;
    let mut changes = changes::Changes::new();
    changes.insert("merged_into".to_owned(), serde_json::json!([null, into]));
    work.note::<R>(id, "merged", changes, None).await?;
    work.tell(&retired, R::TYPE.events[2], &[]).await?;
    Ok(())
}
