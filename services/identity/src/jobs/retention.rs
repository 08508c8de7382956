//! Deletes sessions, refresh tokens and authorization codes some time after they ended.

use bz_service::{Job, retention};
use bz_tenant::DbError;
use chrono::TimeDelta;

use crate::{app::AppState, oauth, sessions};

/// How long ended sessions are kept, to be looked into.
const KEPT_FOR: TimeDelta = TimeDelta::days(7);

pub(super) fn job(app: &AppState) -> Job {
    let app = app.clone();
    retention::job("retention-sessions", move || purge(app.clone()))
}

async fn purge(app: AppState) -> Result<i64, DbError> {
    let before = app.core.sources.now() - KEPT_FOR;
    let mut tx = app.core.db.system().await?;
    let deleted = sessions::store::purge_ended(&mut tx, before, retention::BATCH).await?;
    let codes = oauth::store::purge_codes(&mut tx, before, retention::BATCH).await?;
    tx.commit().await?;
    Ok(deleted.max(codes))
}
