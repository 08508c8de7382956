//! The records of a request or of a step, one after the other.

use axum::http::StatusCode;
use bz_http::Problem;
use bz_tenant::DbError;
use sqlx::Executor as _;
use uuid::Uuid;

use super::{Bulk, BulkAction, BulkResult, action, scores};
use crate::{
    problems,
    records::{Record, Work, access::Sight, store},
};

/// Does it with these records, and answers what became of each.
///
/// # Errors
/// When the database cannot be asked.
pub(super) async fn all<R: Record>(
    work: &mut Work<'_>,
    sight: Sight,
    bulk: &Bulk,
    ids: &[Uuid],
) -> Result<Vec<BulkResult>, Problem> {
    if bulk.action == BulkAction::Rescore {
        return scores::make::<R>(work, sight, ids).await;
    }
    let mut results = Vec::with_capacity(ids.len());
    for id in ids {
        results.push(change::<R>(work, sight, bulk, *id).await?);
    }
    Ok(results)
}

/// Changes a record. What keeps it from being changed is its result, and leaves no trace in the transaction.
async fn change<R: Record>(
    work: &mut Work<'_>,
    sight: Sight,
    bulk: &Bulk,
    id: Uuid,
) -> Result<BulkResult, Problem> {
    savepoint(work, "SAVEPOINT record").await?;
    let problem = match attempt::<R>(work, sight, bulk, id).await {
        Ok(version) => {
            savepoint(work, "RELEASE SAVEPOINT record").await?;
            return Ok(done(id, version));
        }
        Err(problem) if problem.status() == StatusCode::SERVICE_UNAVAILABLE => return Err(problem),
        Err(problem) => problem,
    };
    savepoint(work, "ROLLBACK TO SAVEPOINT record").await?;
    Ok(refused(id, &problem))
}

async fn savepoint(work: &mut Work<'_>, statement: &'static str) -> Result<(), DbError> {
    work.tx.conn().execute(statement).await?;
    Ok(())
}

pub(super) const fn done(id: Uuid, version: i64) -> BulkResult {
    BulkResult {
        id,
        status: 200,
        version: Some(version),
        code: None,
        detail: None,
    }
}

pub(super) fn refused(id: Uuid, problem: &Problem) -> BulkResult {
    // A rule of the database that no other check has found, such as a value that must be unique.
    if problem.status().is_server_error() {
        tracing::warn!(problem = ?problem, "a record of many could not be changed");
        return BulkResult {
            id,
            status: StatusCode::CONFLICT.as_u16(),
            version: None,
            code: Some("conflict".to_owned()),
            detail: Some("It does not fit to what is there.".to_owned()),
        };
    }
    let document = problem.document();
    let faults = document.errors.iter().map(|error| {
        let pointer = error.pointer.as_deref().unwrap_or_default();
        format!("{} {}", pointer.trim_start_matches('/'), error.message)
    });
    let faults: Vec<String> = faults.collect();
    let detail = if faults.is_empty() {
        document.detail.unwrap_or(document.title)
    } else {
        faults.join("; ")
    };
    BulkResult {
        id,
        status: document.status,
        version: None,
        code: Some(document.code),
        detail: Some(detail),
    }
}

/// The version of the record from now on.
async fn attempt<R: Record>(
    work: &mut Work<'_>,
    sight: Sight,
    bulk: &Bulk,
    id: Uuid,
) -> Result<i64, Problem> {
    let found: Option<R> = store::find_for_update(work.tx, sight, id).await?;
    let record = found.ok_or_else(Problem::not_found)?;
    let head = record.head();
    if let Some(into) = head.merged_into {
        return Err(problems::merged(into));
    }
    match (bulk.action, head.deleted_at) {
        (BulkAction::Restore, None) => Ok(head.version),
        (BulkAction::Restore, Some(_)) => Ok(work.restore(&record).await?.head().version),
        (_, Some(_)) => Err(Problem::not_found()),
        (BulkAction::Delete, None) => {
            work.delete(&record).await?;
            Ok(head.version + 1)
        }
        (_, None) => match action::fields(bulk, &record)? {
            Some(fields) => Ok(work.update(record, fields).await?.head().version),
            None => Ok(head.version),
        },
    }
}
