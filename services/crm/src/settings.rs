//! Changes of a tenant's settings (fields, tags, views, teams, access), written down beside the changes of records.

use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::TenantTx;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    app::AppState,
    records::changes::{self, Changes, Note},
};

/// What was done to a setting.
pub(crate) struct Done<'a, T> {
    /// What kind of setting: `team`.
    pub kind: &'static str,
    /// Which one.
    pub id: Uuid,
    /// `created`, `updated`, `deleted`.
    pub action: &'static str,
    /// What it was and what it is.
    pub before: Option<&'a T>,
    pub after: Option<&'a T>,
}

/// Writes it down.
pub(crate) async fn note<T: Serialize>(
    app: &AppState,
    tx: &mut TenantTx,
    actor: UserId,
    done: Done<'_, T>,
) -> Result<(), Problem> {
    let note = Note {
        id: app.core.sources.id(),
        record_type: done.kind,
        record: done.id,
        action: done.action,
        actor: Some(actor),
        at: app.core.sources.now(),
        changes: between(done.before, done.after)?,
        reason: None,
    };
    changes::insert(tx, note).await?;
    Ok(())
}

/// Field by field what differs; of a new one and of one that goes, everything.
fn between<T: Serialize>(before: Option<&T>, after: Option<&T>) -> Result<Changes, Problem> {
    let object = |value: Option<&T>| match value.map(serde_json::to_value).transpose() {
        Ok(Some(Value::Object(object))) => Ok(object),
        Ok(_) => Ok(Map::new()),
        Err(error) => Err(Problem::internal(error)),
    };
    let (before, after) = (object(before)?, object(after)?);
    let names = after
        .keys()
        .chain(before.keys().filter(|name| !after.contains_key(*name)));
    let mut changes = Changes::new();
    for name in names {
        let (was, is) = (before.get(name), after.get(name));
        let kept = matches!(
            name.as_str(),
            "id" | "version" | "created_at" | "updated_at"
        );
        if was != is && !kept {
            changes.insert(name.clone(), json!([was, is]));
        }
    }
    Ok(changes)
}
