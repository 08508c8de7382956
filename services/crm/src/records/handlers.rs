//! What the endpoints of every type do; [`endpoints`](super::endpoints) gives them their paths and documents.

use bz_auth::Caller;
use bz_http::{IfMatch, Problem, Versioned};
use bz_tenant::TenantTx;
use uuid::Uuid;

use super::{Record, Work, access, patch::Change, store};
use crate::app::AppState;

/// One record.
pub(crate) async fn get<R: Record>(
    app: &AppState,
    caller: &Caller,
    id: Uuid,
) -> Result<Versioned<R>, Problem> {
    let mut tx = app.core.db.read(&caller.scope).await?;
    get_in(app, &mut tx, caller, id).await
}

/// The same in a transaction that is open.
pub(crate) async fn get_in<R: Record>(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    id: Uuid,
) -> Result<Versioned<R>, Problem> {
    let sight = access::reads(app, tx, caller, R::TYPE).await?;
    let record: Option<R> = store::find(tx, sight, id).await?;
    let record = present(record)?;
    Ok(Versioned(record.head().version, record))
}

/// A record that is there: not in the trash, not merged into another.
fn present<R: Record>(record: Option<R>) -> Result<R, Problem> {
    let record = record.ok_or_else(Problem::not_found)?;
    match record.head() {
        head if head.deleted_at.is_none() => Ok(record),
        head => Err(head
            .merged_into
            .map_or_else(Problem::not_found, crate::problems::merged)),
    }
}

/// A record that the caller may change, locked.
///
/// # Errors
/// 404 for one that the caller does not see, 403 for one that the caller sees but may not change, 410 for one that was
/// merged into another, 412 for another version.
pub(crate) async fn locked<R: Record>(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    id: Uuid,
    if_match: &IfMatch,
) -> Result<R, Problem> {
    let record: R = locked_any(app, tx, caller, id).await?;
    if_match.check(record.head().version)?;
    Ok(record)
}

/// The same, whatever its version.
///
/// # Errors
/// As [`locked`].
pub(crate) async fn locked_any<R: Record>(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    id: Uuid,
) -> Result<R, Problem> {
    present(locked_or_deleted(app, tx, caller, id).await?)
}

async fn locked_or_deleted<R: Record>(
    app: &AppState,
    tx: &mut TenantTx,
    caller: &Caller,
    id: Uuid,
) -> Result<Option<R>, Problem> {
    let writes = access::writes(app, tx, caller, R::TYPE).await?;
    let record: Option<R> = store::find_for_update(tx, writes, id).await?;
    if record.is_none() && writes != access::Sight::All {
        let reads = access::reads(app, tx, caller, R::TYPE).await?;
        if store::find::<R>(tx, reads, id).await?.is_some() {
            return Err(Problem::forbidden()
                .detail("Your role lets you see this record, but not change it."));
        }
    }
    Ok(record)
}

/// Changes some fields of a record.
pub(crate) async fn patch<R: Record>(
    app: &AppState,
    caller: &Caller,
    id: Uuid,
    if_match: &IfMatch,
    change: Change<R::Fields>,
) -> Result<Versioned<R>, Problem> {
    write(app, caller, id, if_match, |record: &R| change.onto(record)).await
}

/// Replaces all fields of a record.
pub(crate) async fn put<R: Record>(
    app: &AppState,
    caller: &Caller,
    id: Uuid,
    if_match: &IfMatch,
    wanted: R::Fields,
) -> Result<Versioned<R>, Problem> {
    write(app, caller, id, if_match, |_: &R| Ok(wanted)).await
}

/// Makes of a record what `wanted` says.
pub(crate) async fn write<R: Record>(
    app: &AppState,
    caller: &Caller,
    id: Uuid,
    if_match: &IfMatch,
    wanted: impl FnOnce(&R) -> Result<R::Fields, Problem>,
) -> Result<Versioned<R>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let record: R = locked(app, &mut tx, caller, id, if_match).await?;
    let wanted = wanted(&record)?;
    let mut work = Work {
        app,
        tx: &mut tx,
        actor: caller.user,
    };
    let record = work.update(record, wanted).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(record.head().version, record))
}

/// Puts a record into the trash.
pub(crate) async fn delete<R: Record>(
    app: &AppState,
    caller: &Caller,
    id: Uuid,
    if_match: &IfMatch,
) -> Result<(), Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let record: R = locked(app, &mut tx, caller, id, if_match).await?;
    let mut work = Work {
        app,
        tx: &mut tx,
        actor: caller.user,
    };
    work.delete(&record).await?;
    tx.commit().await?;
    app.wake();
    Ok(())
}

/// Takes a record out of the trash; one that is not in it is answered as it is.
pub(crate) async fn restore<R: Record>(
    app: &AppState,
    caller: &Caller,
    id: Uuid,
) -> Result<Versioned<R>, Problem> {
    let mut tx = app.core.db.tenant(&caller.scope).await?;
    let record: Option<R> = locked_or_deleted(app, &mut tx, caller, id).await?;
    let record = record.ok_or_else(Problem::not_found)?;
    let head = record.head();
    if head.deleted_at.is_none() {
        return Ok(Versioned(head.version, record));
    }
    if let Some(into) = head.merged_into {
        return Err(crate::problems::merged(into));
    }
    let mut work = Work {
        app,
        tx: &mut tx,
        actor: caller.user,
    };
    let record = work.restore(&record).await?;
    tx.commit().await?;
    app.wake();
    Ok(Versioned(record.head().version, record))
}
