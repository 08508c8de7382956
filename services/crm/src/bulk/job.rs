//! A step of a change of many records.

use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Bulk, BulkResult, each,
    order::{self, Params},
};
use crate::{
    app::AppState,
    jobs::kinds::{Next, Step, of_type},
    records::{Record, Work, access::Sight, sql::Sql},
};

/// How many of the records that were not changed are listed.
const LISTED: usize = 1_000;

/// How far it is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    after: Option<Uuid>,
    succeeded: i64,
    failed: i64,
    failures: Vec<BulkResult>,
}

/// Changes some of the records.
pub(crate) async fn step(step: Step<'_>) -> Result<Next, Problem> {
    let name = step.job.record_type.clone();
    of_type!(name.as_deref(), R => change::<R>(step).await)
}

async fn change<R: Record>(step: Step<'_>) -> Result<Next, Problem> {
    let Step { app, tx, job } = step;
    let Params { bulk, sight } =
        serde_json::from_value(job.params.clone()).map_err(Problem::internal)?;
    let mut state: State = serde_json::from_value(job.state.clone()).unwrap_or_default();
    let user = UserId::from_uuid(job.created_by);
    let sight = Sight::of(&sight, user);
    let ids = next::<R>(app, tx, (user, sight), &bulk, state.after).await?;
    let Some(last) = ids.last().copied() else {
        return Ok(Next::Done(json!({
            "succeeded": state.succeeded, "failed": state.failed, "failures": state.failures
        })));
    };
    let mut work = Work {
        app,
        tx,
        actor: user,
    };
    for result in each::all::<R>(&mut work, sight, &bulk, &ids).await? {
        if result.code.is_none() {
            state.succeeded += 1;
            continue;
        }
        state.failed += 1;
        if state.failures.len() < LISTED {
            state.failures.push(result);
        }
    }
    state.after = Some(last);
    job.done = state.succeeded + state.failed;
    // Records may have come since it was ordered.
    job.total = job.total.map(|total| total.max(job.done));
    job.state = serde_json::to_value(&state).map_err(Problem::internal)?;
    Ok(Next::More)
}

/// The next records, in the order of their ids, so that one that the change moves in or out of the filter is not met
/// twice.
async fn next<R: Record>(
    app: &AppState,
    tx: &mut TenantTx,
    who: (UserId, Sight),
    bulk: &Bulk,
    after: Option<Uuid>,
) -> Result<Vec<Uuid>, Problem> {
    if let Some(ids) = &bulk.ids {
        let left = ids
            .iter()
            .filter(|id| after.is_none_or(|after| **id > after));
        return Ok(left.take(bulk.action.at_a_time()).copied().collect());
    }
    let table = R::TYPE.table;
    let mut sql = Sql::new(format!(
        "-- {table}.next_of_bulk\nSELECT id FROM {table} WHERE "
    ));
    order::meant::<R>(app, tx, &mut sql, who, bulk).await?;
    if let Some(after) = after {
        sql.push(" AND id > ").bind(after);
    }
    sql.push(" ORDER BY id LIMIT ")
        .bind(bulk.action.at_a_time() as i64);
    let ids: Vec<(Uuid,)> = sql.fetch_all(tx).await?;
    Ok(ids.into_iter().map(|(id,)| id).collect())
}
