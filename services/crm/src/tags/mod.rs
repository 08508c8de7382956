//! Tags: words that records are marked with. A record that names a new one makes it.

mod create;
mod delete;
mod get;
mod list;
mod merge;
mod patch;
mod store;

use bz_http::{Errors, Patch, Problem, Routes, Validate, routes};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    app::AppState,
    records::{
        ALL, Work,
        mass::{Rewrite, rewrite},
    },
};

bz_auth::permissions! {
    /// See the tags.
    TagsRead = "tags:read",
    /// Add tags.
    TagsWrite = "tags:write",
    /// Rename, merge and delete tags, in all records.
    TagsManage = "tags:manage",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_tag, list::list_tags))
        .routes(routes!(get::get_tag, patch::patch_tag, delete::delete_tag))
        .routes(routes!(merge::merge_tag))
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, FromRow, ToSchema)]
pub(crate) struct Tag {
    /// Its id.
    pub id: Uuid,
    /// Its name, as records have it.
    pub name: String,
    /// Its colour: `#1f6feb`.
    pub color: Option<String>,
    /// How many records have it, those in the trash among them.
    #[sqlx(default)]
    pub records: i64,
    /// When it was first used.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows by one with every change; also the `ETag`.
    pub version: i64,
}

/// A tag to add.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateTag {
    /// Its name, 1 to 60 characters, without blanks at its ends.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// Its colour: `#` and six hexadecimal digits.
    #[schema(pattern = "^#[0-9a-fA-F]{6}$")]
    pub color: Option<String>,
}

/// A change of a tag: what is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatchTag {
    /// Its new name, in all records.
    #[schema(min_length = 1, max_length = 60)]
    pub name: Option<String>,
    /// Its colour; `null` takes it away.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^#[0-9a-fA-F]{6}$")]
    pub color: Patch<String>,
}

/// Which tag takes its place.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeTag {
    /// The tag that stays.
    pub into: Uuid,
}

fn check_name(errors: &mut Errors, name: &str) {
    if name.trim().is_empty() || name.trim() != name || name.chars().count() > 60 {
        let message = "must be 1 to 60 characters, without blanks at its ends";
        errors.add("/name", "invalid_tag", message);
    }
}

fn check_color(errors: &mut Errors, color: &str) {
    let digits = color.strip_prefix('#').unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        errors.add(
            "/color",
            "invalid_color",
            "must be a colour such as #1f6feb",
        );
    }
}

impl Validate for CreateTag {
    fn validate(&self, errors: &mut Errors) {
        check_name(errors, &self.name);
        if let Some(color) = &self.color {
            check_color(errors, color);
        }
    }
}

impl Validate for PatchTag {
    fn validate(&self, errors: &mut Errors) {
        if let Some(name) = &self.name {
            check_name(errors, name);
        }
        if let Patch::Value(color) = &self.color {
            check_color(errors, color);
        }
    }
}

impl Validate for MergeTag {
    fn validate(&self, _: &mut Errors) {}
}

/// Puts another tag, or none, in the place of a tag in all records.
async fn replace(work: &mut Work<'_>, from: &str, to: Option<&str>) -> Result<(), Problem> {
    for record in ALL {
        rewrite(work, record, Rewrite::Tag { from, to }).await?;
    }
    Ok(())
}
