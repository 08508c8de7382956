//! Deletes, for good, accounts whose grace period is over and registrations that nobody verified; and old tokens.

use bz_kernel::{TenantId, UserId};
use bz_service::{Core, Job, retention};
use bz_tenant::{DbError, TenantScope, TenantTx};
use chrono::TimeDelta;
use serde_json::json;

use super::store;
use crate::{
    app::AppState,
    audit::Actor,
    changes::{self, Change},
    one_time,
    origin::Origin,
    tenants::delete::close,
    users::admin,
};

/// Accounts that one run looks at before it pauses.
const BATCH: i32 = 100;
/// How long a registration waits for the address to be verified.
const UNVERIFIED_KEPT_FOR: TimeDelta = TimeDelta::days(7);
/// How long expired tokens are kept, to be looked into.
const TOKENS_KEPT_FOR: TimeDelta = TimeDelta::days(1);

/// The jobs.
pub(crate) fn jobs(app: &AppState) -> [Job; 3] {
    let (accounts, registrations, tokens) = (app.clone(), app.clone(), app.clone());
    [
        retention::job("deleted-accounts", move || {
            let core = accounts.core.clone();
            async move { erase_deleted_accounts(&core).await }
        }),
        retention::job("unverified-registrations", move || {
            purge_unverified(registrations.clone())
        }),
        retention::job("retention-one-time-tokens", move || {
            purge_tokens(tokens.clone())
        }),
    ]
}

/// Deletes some accounts whose grace period is over, for good; answers a full batch when there may be more.
///
/// # Errors
/// Any [`DbError`].
pub async fn erase_deleted_accounts(core: &Core) -> Result<i64, DbError> {
    let due = {
        let mut tx = core.db.system().await?;
        store::to_delete(&mut tx, core.sources.now(), BATCH).await?
    };
    let is_full = i32::try_from(due.len()) == Ok(BATCH);
    let mut erased = 0;
    for (tenant, user) in due {
        erased += i64::from(erase_one(core, tenant, user).await?);
    }
    if erased > 0 {
        bz_events::wake(&core.redis, core.info.schema);
    }
    Ok(if is_full {
        i64::from(retention::BATCH)
    } else {
        erased
    })
}

/// Deletes one account, with everything that hangs on it here and where the person is a guest. What the audit log says of it
/// stays. A tenant whose last member it was is deleted too, and can be restored as one that an owner deleted.
async fn erase_one(core: &Core, tenant: TenantId, user: UserId) -> Result<bool, DbError> {
    let scope = TenantScope::new(tenant, None);
    let work = async |tx: &mut TenantTx| {
        let (now, nobody) = (core.sources.now(), Origin::default());
        // Whoever joins at the same moment waits for the outcome, or is seen.
        store::lock_tenant(tx).await?;
        if !store::lock_due(tx, user, now).await? {
            return Ok(false);
        }
        admin::store::delete(tx, user, now).await?;
        let change = Change {
            actor: Actor::System,
            kind: "user.deleted",
            target: ("user", user.as_uuid()),
            data: json!({ "user_id": user }),
            changes: json!({}),
            origin: &nobody,
        };
        changes::record(tx, &core.sources, change).await?;
        if !store::has_members(tx).await? {
            close(tx, &core.sources, Actor::System, &nobody).await?;
        }
        Ok(true)
    };
    core.db.run("identity.account.erase", &scope, work).await
}

async fn purge_unverified(app: AppState) -> Result<i64, DbError> {
    let before = app.core.sources.now() - UNVERIFIED_KEPT_FOR;
    let mut tx = app.core.db.system().await?;
    let deleted = store::purge_unverified(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted)
}

async fn purge_tokens(app: AppState) -> Result<i64, DbError> {
    let before = app.core.sources.now() - TOKENS_KEPT_FOR;
    let mut tx = app.core.db.system().await?;
    let deleted = one_time::store::purge(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted)
}
