//! The request: what is meant, and whether it is done now or by a job.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bz_auth::Caller;
use bz_http::{IdempotencyKey, Json, Problem};
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AT_ONCE, Bulk, BulkAction, BulkAnswer, each};
use crate::{
    app::AppState,
    jobs::{self, Job, JobStatus, kinds::BULK},
    leads::LEAD,
    problems,
    records::{
        Record, Work,
        access::{self, Sight},
        custom,
        filter::{Context, Filter},
        sql::Sql,
    },
};

/// What a job is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Params {
    pub bulk: Bulk,
    /// Whose records the user may change.
    pub sight: String,
}

/// Changes records, or orders it.
pub(crate) async fn order<R: Record>(
    app: &AppState,
    caller: &Caller,
    key: &IdempotencyKey,
    wanted: Bulk,
) -> Result<Response, Problem> {
    if wanted.action == BulkAction::Rescore && R::TYPE.name != LEAD.name {
        let text = format!("{} have no score; leads do", R::TYPE.plural);
        return Err(Problem::invalid("/action", "unexpected", text));
    }
    let (core, sent) = (&app.core, wanted.clone());
    let done = bz_http::idempotent(
        (&core.db, &core.sources.clock),
        &caller.scope,
        key,
        "bulk.ordered",
        &(R::TYPE.name, &sent),
        async |tx| answer::<R>(app, tx, caller, wanted).await,
    )
    .await?;
    app.hurry();
    app.wake();
    Ok(respond(done.value))
}

fn respond(answer: BulkAnswer) -> Response {
    match &answer.job {
        Some(job) => {
            let location = format!("/api/jobs/{}", job.id);
            (
                StatusCode::ACCEPTED,
                [(header::LOCATION, location)],
                Json(answer),
            )
                .into_response()
        }
        None if answer.results.is_some() => {
            (StatusCode::MULTI_STATUS, Json(answer)).into_response()
        }
        None => Json(answer).into_response(),
    }
}

async fn answer<R: Record>(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    mut bulk: Bulk,
) -> Result<BulkAnswer, Problem> {
    if let Some(ids) = &mut bulk.ids {
        ids.sort_unstable();
        ids.dedup();
    }
    let sight = access::writes(app, tx, caller, R::TYPE).await?;
    let count = count::<R>(app, tx, caller.user, sight, &bulk).await?;
    if let Some(expected) = bulk.expected_count.filter(|expected| *expected != count) {
        return Err(problems::count_mismatch(count, expected));
    }
    let (mut results, mut job) = (None, None);
    let few = bulk.ids.clone().filter(|ids| ids.len() <= AT_ONCE);
    match few {
        _ if bulk.dry_run => {}
        Some(ids) => {
            let mut work = Work {
                app,
                tx,
                actor: caller.user,
            };
            results = Some(each::all::<R>(&mut work, sight, &bulk, &ids).await?);
        }
        None => {
            let total = bulk.ids.as_ref().map_or(count, |ids| ids.len() as i64);
            job = Some(begin::<R>(app, tx, caller, (&bulk, sight), total).await?);
        }
    }
    Ok(BulkAnswer {
        count,
        dry_run: bulk.dry_run,
        results,
        job,
    })
}

async fn begin<R: Record>(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    (bulk, sight): (&Bulk, Sight),
    total: i64,
) -> Result<Job, Problem> {
    let params = Params {
        bulk: bulk.clone(),
        sight: sight.name().to_owned(),
    };
    let order = jobs::Order {
        kind: BULK,
        record_type: R::TYPE.name,
        params: serde_json::to_value(params).map_err(Problem::internal)?,
        total: Some(total),
        status: JobStatus::Queued,
    };
    let row = jobs::order(app, tx, caller.user, order).await?;
    Ok(Job::from(&row))
}

/// How many records are meant: those that the user may change.
async fn count<R: Record>(
    app: &AppState,
    tx: &mut TenantTx,
    me: UserId,
    sight: Sight,
    bulk: &Bulk,
) -> Result<i64, Problem> {
    let table = R::TYPE.table;
    let mut sql = Sql::new(format!(
        "-- {table}.count_bulk\nSELECT count(*) FROM {table} WHERE "
    ));
    meant::<R>(app, tx, &mut sql, (me, sight), bulk).await?;
    let (count,): (i64,) = sql.fetch_one(tx).await?;
    Ok(count)
}

/// Adds the condition that a record is meant.
pub(super) async fn meant<R: Record>(
    app: &AppState,
    tx: &mut TenantTx,
    sql: &mut Sql,
    (me, sight): (UserId, Sight),
    bulk: &Bulk,
) -> Result<(), Problem> {
    sql.push(if bulk.action == BulkAction::Restore {
        "deleted_at IS NOT NULL AND merged_into IS NULL"
    } else {
        "deleted_at IS NULL"
    });
    sight.push(sql);
    if let Some(ids) = &bulk.ids {
        let ids: Vec<Uuid> = ids.clone();
        sql.push(" AND id = ANY(").bind(ids).push(")");
    }
    let everything = Filter::everything();
    let filter = bulk.filter.as_ref().unwrap_or(&everything);
    let custom = custom::definitions(app, tx).await?;
    filter.push(
        Context {
            record: R::TYPE,
            custom: &custom,
            me,
        },
        sql,
    )
}
