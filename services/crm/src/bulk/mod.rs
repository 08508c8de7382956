//! One change of many records: up to two hundred at once, more as a job. Each record is changed as the API changes one,
//! with its event and its entry in the record of changes; one that cannot be changed does not keep the others.

mod action;
mod each;
mod job;
mod order;
mod scores;

use bz_http::{Errors, Validate};
use bz_kernel::{TeamId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{jobs::Job, records::filter::Filter, scoring::rescore};

pub(crate) use job::step;
pub(crate) use order::order;

/// The most ids of a request.
const MOST: usize = 10_000;
/// Up to so many are changed at once, by a request or by a step of a job.
const AT_ONCE: usize = 200;

/// What is done with each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BulkAction {
    /// Its fields are changed: `patch`.
    Update,
    /// It is put into the trash.
    Delete,
    /// It is taken out of the trash.
    Restore,
    /// It gets tags: `tags`.
    Tag,
    /// It loses tags: `tags`.
    Untag,
    /// It gets an owner, a team, or neither: `owner_id`, `team_id`.
    Assign,
    /// Its score is made anew; for leads. All leads when neither `ids` nor `filter` is given.
    Rescore,
}

impl BulkAction {
    /// How many records a step of a job takes.
    const fn at_a_time(self) -> usize {
        match self {
            Self::Rescore => rescore::BATCH as usize,
            _ => AT_ONCE,
        }
    }
}

/// One change of many records.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bulk {
    /// What is done with each.
    pub action: BulkAction,
    /// Which records, at most 10,000; or `filter`.
    #[schema(max_items = 10_000)]
    pub ids: Option<Vec<Uuid>>,
    /// Which records; or `ids`.
    pub filter: Option<Filter>,
    /// For `update`: a JSON merge patch of the records' fields.
    #[schema(value_type = Option<Object>)]
    pub patch: Option<Map<String, Value>>,
    /// For `tag` and `untag`: 1 to 50 tags.
    #[schema(max_items = 50)]
    pub tags: Option<Vec<String>>,
    /// For `assign`: whose they are from now on; nobody's when `null` or missing.
    pub owner_id: Option<UserId>,
    /// For `assign`: which team's they are from now on.
    pub team_id: Option<TeamId>,
    /// How many records are meant; with another number nothing is done.
    #[schema(minimum = 0)]
    pub expected_count: Option<i64>,
    /// Only say how many records are meant.
    #[serde(default)]
    pub dry_run: bool,
}

impl Validate for Bulk {
    fn validate(&self, errors: &mut Errors) {
        match (&self.ids, &self.filter) {
            (None, None) if self.action == BulkAction::Rescore => {}
            (Some(_), Some(_)) | (None, None) => {
                errors.add("/ids", "required", "give either ids or filter");
            }
            (Some(ids), None) if !(1..=MOST).contains(&ids.len()) => {
                errors.add(
                    "/ids",
                    "invalid_count",
                    "must be 1 to 10,000 ids; use filter for more",
                );
            }
            _ => {}
        }
        if (self.action == BulkAction::Update) != self.patch.is_some() {
            errors.add(
                "/patch",
                "required",
                "belongs to the action update, and to no other",
            );
        }
        let tagging = matches!(self.action, BulkAction::Tag | BulkAction::Untag);
        let tags = self.tags.as_ref().map(Vec::len);
        if tagging != tags.is_some() || tags.is_some_and(|count| !(1..=50).contains(&count)) {
            errors.add(
                "/tags",
                "required",
                "1 to 50 tags belong to the actions tag and untag, and to no other",
            );
        }
        let assigned = self.owner_id.is_some() || self.team_id.is_some();
        if assigned && self.action != BulkAction::Assign {
            errors.add(
                "/owner_id",
                "unexpected",
                "owner_id and team_id belong to the action assign",
            );
        }
        if self.expected_count.is_some_and(|count| count < 0) {
            errors.add("/expected_count", "too_small", "must be 0 or more");
        }
    }
}

/// What came of a change of many records, or will.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct BulkAnswer {
    /// How many records are meant.
    pub count: i64,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// What became of each record, when it was done at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<BulkResult>>,
    /// The job that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<Job>,
}

/// What became of a record.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct BulkResult {
    /// The record.
    pub id: Uuid,
    /// The HTTP status that a request for this record alone would have had.
    pub status: u16,
    /// Its version from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Why it was not done, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why it was not done, and what can be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
