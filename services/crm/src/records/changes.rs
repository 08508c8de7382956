//! Who changed what, field by field.

use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::sql::{Columns, Sql};

/// By field: what it was and what it is, `[before, after]`. A field of the tenant's own is `custom.<key>`.
pub(crate) type Changes = Map<String, Value>;

/// What differs.
pub(crate) fn between<F: Serialize>(before: &F, after: &F) -> Result<Changes, Problem> {
    let object = |fields: &F| match serde_json::to_value(fields) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Ok(Map::new()),
        Err(error) => Err(Problem::internal(error)),
    };
    let (before, after) = (object(before)?, object(after)?);
    let mut changes = Changes::new();
    for (name, now) in &after {
        let was = before.get(name).unwrap_or(&Value::Null);
        match (was, now) {
            (Value::Object(was), Value::Object(now)) if name == "custom" => {
                custom(was, now, &mut changes);
            }
            _ if was == now => {}
            _ => {
                changes.insert(name.clone(), json!([was, now]));
            }
        }
    }
    Ok(changes)
}

fn custom(was: &Map<String, Value>, now: &Map<String, Value>, changes: &mut Changes) {
    let null = Value::Null;
    let keys = now
        .keys()
        .chain(was.keys().filter(|key| !now.contains_key(*key)));
    for key in keys {
        let (was, now) = (was.get(key).unwrap_or(&null), now.get(key).unwrap_or(&null));
        if was != now {
            changes.insert(format!("custom.{key}"), json!([was, now]));
        }
    }
}

/// One entry of the record of changes.
#[derive(Serialize)]
pub(crate) struct Note<'a> {
    pub id: Uuid,
    pub record_type: &'static str,
    #[serde(rename = "record_id")]
    pub record: Uuid,
    pub action: &'static str,
    pub actor: Option<UserId>,
    pub at: DateTime<Utc>,
    pub changes: Changes,
    pub reason: Option<&'a str>,
}

/// Writes an entry.
pub(crate) async fn insert(tx: &mut TenantTx, note: Note<'_>) -> Result<(), DbError> {
    let mut columns = Columns::default();
    columns
        .set("id", note.id)
        .set("record_type", note.record_type)
        .set("record_id", note.record)
        .set("action", note.action)
        .set("actor", note.actor.map(UserId::as_uuid))
        .set("at", note.at)
        .set("changes", sqlx::types::Json(note.changes))
        .set("reason", note.reason.map(ToOwned::to_owned));
    let mut sql = Sql::new("-- crm.record_changes.insert\nINSERT INTO crm.record_changes");
    sql.values(columns);
    sql.execute(tx).await?;
    Ok(())
}

/// Writes entries of many records in one statement.
pub(crate) async fn insert_all(tx: &mut TenantTx, notes: Vec<Note<'_>>) -> Result<(), DbError> {
    let names = "id, record_type, record_id, action, actor, at, changes, reason";
    let mut sql = Sql::new(format!(
        "-- crm.record_changes.insert_all\nINSERT INTO crm.record_changes ({names}) \
         SELECT {names} FROM json_populate_recordset(NULL::crm.record_changes, "
    ));
    sql.bind(sqlx::types::Json(notes)).push("::json)");
    sql.execute(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_a_change_and_custom_fields_stand_alone() {
        let before =
            json!({ "name": "Ada", "title": null, "custom": { "plan": "pro", "seats": 3 } });
        let after = json!({ "name": "Ada", "title": "CEO", "custom": { "plan": "basic" } });
        assert_eq!(
            Value::Object(between(&before, &after).unwrap()),
            json!({ "title": [null, "CEO"], "custom.plan": ["pro", "basic"], "custom.seats": [3, null] })
        );
        assert!(between(&before, &before).unwrap().is_empty());
    }
}
