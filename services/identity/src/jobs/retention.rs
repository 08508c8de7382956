//! Deletes what ended some time ago: sessions, refresh tokens and authorization codes; revocations; invitations; and what
//! logins that were given up left behind.

use bz_service::{Core, Job, retention};
use bz_tenant::DbError;
use chrono::TimeDelta;

use crate::{app::AppState, invitations, mfa, oauth, revocations, sessions};

/// How long ended sessions are kept, to be looked into.
const KEPT_FOR: TimeDelta = TimeDelta::days(7);
/// How long revocations are kept: longer than any access token lives.
const REVOCATIONS_KEPT_FOR: TimeDelta = TimeDelta::hours(2);
/// How long closed invitations are kept, to be looked into.
const INVITATIONS_KEPT_FOR: TimeDelta = TimeDelta::days(90);
/// How long logins that nobody went on with are kept: longer than wrong codes count.
const CEREMONIES_KEPT_FOR: TimeDelta = TimeDelta::days(1);

/// The jobs.
pub(super) fn jobs(app: &AppState) -> [Job; 4] {
    [
        job(app, "retention-sessions", purge_sessions),
        job(app, "retention-revocations", purge_revocations),
        job(app, "retention-invitations", purge_invitations),
        job(app, "retention-ceremonies", purge_ceremonies),
    ]
}

fn job<F>(app: &AppState, name: &'static str, purge: fn(Core) -> F) -> Job
where
    F: Future<Output = Result<i64, DbError>> + Send + 'static,
{
    let core = app.core.clone();
    retention::job(name, move || purge(core.clone()))
}

async fn purge_sessions(core: Core) -> Result<i64, DbError> {
    let before = core.sources.now() - KEPT_FOR;
    let mut tx = core.db.system().await?;
    let deleted = sessions::store::purge_ended(&mut tx, before, retention::BATCH).await?;
    let codes = oauth::store::purge_codes(&mut tx, before, retention::BATCH).await?;
    let assertions = oauth::assertion::purge(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted.max(codes).max(assertions))
}

async fn purge_revocations(core: Core) -> Result<i64, DbError> {
    let before = core.sources.now() - REVOCATIONS_KEPT_FOR;
    let mut tx = core.db.system().await?;
    let deleted = revocations::store::purge(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Deletes a batch of the invitations that were closed long enough ago; answers how many.
///
/// # Errors
/// Any [`DbError`].
pub async fn purge_invitations(core: Core) -> Result<i64, DbError> {
    let before = core.sources.now() - INVITATIONS_KEPT_FOR;
    let mut tx = core.db.system().await?;
    let deleted = invitations::store::purge(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Deletes a batch of what logins that were given up left behind; answers how many.
///
/// # Errors
/// Any [`DbError`].
pub async fn purge_ceremonies(core: Core) -> Result<i64, DbError> {
    let before = core.sources.now() - CEREMONIES_KEPT_FOR;
    let mut tx = core.db.system().await?;
    let deleted = mfa::store::purge_ceremonies(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted)
}
