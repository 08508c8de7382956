//! Deletes sessions, refresh tokens and authorization codes some time after they ended.

use bz_service::{Job, retention};
use bz_tenant::DbError;
use chrono::TimeDelta;

use crate::{app::AppState, oauth, revocations, sessions};

/// How long ended sessions are kept, to be looked into.
const KEPT_FOR: TimeDelta = TimeDelta::days(7);
/// How long revocations are kept: longer than any access token lives.
const REVOCATIONS_KEPT_FOR: TimeDelta = TimeDelta::hours(2);

pub(super) fn job(app: &AppState) -> Job {
    let app = app.clone();
    retention::job("retention-sessions", move || purge(app.clone()))
}

async fn purge(app: AppState) -> Result<i64, DbError> {
    let before = app.core.sources.now() - KEPT_FOR;
    let mut tx = app.core.db.system().await?;
    let deleted = sessions::store::purge_ended(&mut tx, before, retention::BATCH).await?;
    let codes = oauth::store::purge_codes(&mut tx, before, retention::BATCH).await?;
    let assertions = oauth::assertion::purge(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted.max(codes).max(assertions))
}

pub(super) fn revocations_job(app: &AppState) -> Job {
    let app = app.clone();
    retention::job("retention-revocations", move || {
        purge_revocations(app.clone())
    })
}

async fn purge_revocations(app: AppState) -> Result<i64, DbError> {
    let before = app.core.sources.now() - REVOCATIONS_KEPT_FOR;
    let mut tx = app.core.db.system().await?;
    let deleted = revocations::store::purge(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted)
}
