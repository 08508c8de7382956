//! Merges: several records become one, and can be taken apart again for 30 days.

mod fields;
mod merge;
mod moves;
mod undo;

use std::collections::BTreeMap;

use bz_auth::Caller;
use bz_http::{Errors, Problem, Routes, Validate, routes};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::AppState,
    companies::{CompaniesWrite, Company},
    contacts::{Contact, ContactsWrite},
    leads::{Lead, LeadsWrite},
    records::Record,
};

pub(crate) use merge::merge;

bz_auth::permissions! {
    /// Undo merges of the records that one may change.
    MergesWrite = "merges:write",
}

/// How long a merge can be undone.
const UNDONE_WITHIN: TimeDelta = TimeDelta::days(30);
/// The most records that are merged into one at once.
const MOST_OTHERS: usize = 10;

/// The routes of this resource; those of a type's own merges are in its folder.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new().routes(routes!(undo::undo_merge))
}

/// A place that names records of a type and follows a merge.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// A column with one id: table, column.
    One(&'static str, &'static str),
    /// A column with several ids, whose way back is a table of pairs: table, column, the table of pairs, its column of the
    /// type, its column of the table.
    Several(&'static str, &'static str, Pairs),
}

/// A table of pairs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pairs {
    /// The table.
    pub table: &'static str,
    /// Its column with ids of the type that is merged.
    pub merged: &'static str,
    /// Its column with ids of the rows that name it.
    pub row: &'static str,
}

/// A type whose records can be merged.
pub(crate) trait Mergeable: Record {
    /// The kind of the event.
    const MERGED: &'static str;
    /// Where else its records are named; what is linked to them is known to all types.
    const PLACES: &'static [Place];

    /// Goes on if the caller may change records of the type.
    ///
    /// # Errors
    /// 403.
    fn may_write(caller: &Caller) -> Result<(), Problem>;
}

macro_rules! mergeable {
    ($($record:ty, $write:ty, $event:literal, $places:expr;)+) => {
        $(impl Mergeable for $record {
            const MERGED: &'static str = $event;
            const PLACES: &'static [Place] = $places;
            fn may_write(caller: &Caller) -> Result<(), Problem> {
                caller.require::<$write>()
            }
        })+
    };
}

mergeable! {
    Lead, LeadsWrite, "lead.merged", &[Place::One("crm.deals", "lead_id")];
    Contact, ContactsWrite, "contact.merged", &[
        Place::One("crm.leads", "contact_id"),
        Place::Several("crm.deals", "contact_ids", Pairs {
            table: "crm.deal_contacts", merged: "contact_id", row: "deal_id",
        }),
    ];
    Company, CompaniesWrite, "company.merged", &[
        Place::One("crm.contacts", "company_id"),
        Place::One("crm.companies", "parent_id"),
        Place::One("crm.deals", "company_id"),
        Place::One("crm.leads", "company_id"),
    ];
}

/// What to merge.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Merge {
    /// The record that stays.
    primary_id: Uuid,
    /// Those that become part of it, 1 to 10.
    #[schema(min_items = 1, max_items = 10)]
    other_ids: Vec<Uuid>,
    /// By field, the record whose value is taken: `{"email": "<id>", "custom.plan": "<id>"}`. Of fields that are not named
    /// the primary record's value stays, and the first of the others fills an empty one.
    #[serde(default)]
    fields: BTreeMap<String, Uuid>,
    /// Only answer what would come of it.
    #[serde(default)]
    dry_run: bool,
}

impl Validate for Merge {
    fn validate(&self, errors: &mut Errors) {
        if self.other_ids.is_empty() || self.other_ids.len() > MOST_OTHERS {
            errors.add("/other_ids", "out_of_range", "must name 1 to 10 records");
        }
        for (n, id) in self.other_ids.iter().enumerate() {
            if *id == self.primary_id || self.other_ids[..n].contains(id) {
                errors.add(
                    format!("/other_ids/{n}"),
                    "repeated",
                    "must be another record than the primary one and the others",
                );
            }
        }
        for (field, id) in &self.fields {
            if *id != self.primary_id && !self.other_ids.contains(id) {
                let field = field.replace('~', "~0").replace('/', "~1");
                errors.add(
                    format!("/fields/{field}"),
                    "not_merged",
                    "must be the id of the primary record or of one of the others",
                );
            }
        }
    }
}

/// A merge that was made, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Merged<R> {
    /// The merge, to undo it; none for a dry run.
    merge_id: Option<Uuid>,
    /// The records that became part of the primary one.
    merged_ids: Vec<Uuid>,
    /// By field, what the merge made of the primary record: `[before, after]`.
    #[schema(value_type = Object)]
    changes: Value,
    /// By place, how many other rows name the primary record now.
    moved: BTreeMap<String, i64>,
    /// Whether the same merge was made before.
    repeated: bool,
    /// The primary record.
    record: R,
}
