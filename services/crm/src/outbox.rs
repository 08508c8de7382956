//! What the CRM tells the other services, written in the transaction of the change. Events carry ids and states, no
//! names and no addresses.

use bz_auth::Caller;
use bz_events::NewEvent;
use bz_service::Core;
use bz_tenant::{DbError, TenantTx};
use serde::Serialize;
use uuid::Uuid;

use crate::todos::Todo;

/// What happened to a record.
#[derive(Serialize)]
struct Change<'a> {
    id: Uuid,
    status: &'a str,
    version: i64,
}

/// Tells that something happened to a to-do.
pub(crate) async fn todo(
    tx: &mut TenantTx,
    core: &Core,
    caller: &Caller,
    kind: &'static str,
    todo: &Todo,
) -> Result<(), DbError> {
    let data = Change {
        id: todo.id.as_uuid(),
        status: todo.status.as_str(),
        version: todo.version,
    };
    append(tx, core, caller, kind, data).await
}

async fn append(
    tx: &mut TenantTx,
    core: &Core,
    caller: &Caller,
    kind: &'static str,
    data: Change<'_>,
) -> Result<(), DbError> {
    bz_events::append(
        tx,
        &core.sources,
        NewEvent {
            kind,
            actor: Some(caller.user),
            data,
        },
    )
    .await?;
    Ok(())
}
