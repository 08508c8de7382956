//! The fields of a record after the change.

use bz_http::{Problem, validated};
use serde_json::{Map, json};

use super::{Bulk, BulkAction};
use crate::records::{Fields as _, Record, patch::Change};

/// The fields after the change; nothing for what is no change of fields.
pub(super) fn fields<R: Record>(bulk: &Bulk, record: &R) -> Result<Option<R::Fields>, Problem> {
    let tags = bulk.tags.as_deref().unwrap_or_default();
    match bulk.action {
        BulkAction::Delete | BulkAction::Restore | BulkAction::Rescore => Ok(None),
        BulkAction::Update => {
            let patch = bulk.patch.clone().unwrap_or_default();
            Change::new(patch).onto(record).map(Some)
        }
        BulkAction::Assign => {
            let patch = Map::from_iter([
                ("owner_id".to_owned(), json!(bulk.owner_id)),
                ("team_id".to_owned(), json!(bulk.team_id)),
            ]);
            Change::new(patch).onto(record).map(Some)
        }
        BulkAction::Tag => {
            let mut fields = record.fields();
            let has = fields.common_mut().tags;
            for tag in tags {
                if !has.contains(tag) {
                    has.push(tag.clone());
                }
            }
            validated(fields).map(Some)
        }
        BulkAction::Untag => {
            let mut fields = record.fields();
            fields.common_mut().tags.retain(|tag| !tags.contains(tag));
            Ok(Some(fields))
        }
    }
}
