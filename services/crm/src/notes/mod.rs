//! Notes: activities of the type `note`, with a text in Markdown.

mod create;
mod delete;
mod get;
mod list;
mod patch;

use bz_auth::Caller;
use bz_http::{Errors, Problem, Routes, Validate, Versioned, routes};
use bz_kernel::{ActivityId, TeamId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    activities::{Activity, ActivityType, CreateActivity},
    app::AppState,
    links::Link,
    records::handlers,
};

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    Routes::new()
        .routes(routes!(create::create_note, list::list_notes))
        .routes(routes!(
            get::get_note,
            patch::patch_note,
            delete::delete_note
        ))
}

/// What a client writes of a note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "body": "Wants **forty** engines." }))]
pub(crate) struct CreateNote {
    /// The text, in Markdown, 1 to 100,000 characters.
    #[schema(min_length = 1, max_length = 100_000)]
    body: String,
    /// A title, at most 500 characters.
    #[schema(max_length = 500)]
    subject: Option<String>,
    /// When it was taken; now when not given.
    occurred_at: Option<DateTime<Utc>>,
    /// What it is about, at most 50 records. Their `last_activity_at` goes forward to it.
    #[serde(default)]
    #[schema(max_items = 50)]
    links: Vec<Link>,
    /// Whose it is: a user of the tenant.
    owner_id: Option<UserId>,
    /// The team it belongs to.
    team_id: Option<TeamId>,
    /// Its tags, at most 50 of at most 60 characters.
    #[serde(default)]
    #[schema(max_items = 50)]
    tags: Vec<String>,
    /// The values of the tenant's own fields of activities, by key.
    #[serde(default)]
    #[schema(value_type = Object)]
    custom: Map<String, Value>,
    /// Its id in another system, at most 200 characters, unique among the tenant's activities.
    #[schema(max_length = 200)]
    external_id: Option<String>,
}

impl Validate for CreateNote {
    fn validate(&self, errors: &mut Errors) {
        CreateActivity::from(self.clone()).validate(errors);
    }
}

impl From<CreateNote> for CreateActivity {
    fn from(note: CreateNote) -> Self {
        Self {
            r#type: ActivityType::Note,
            subject: note.subject,
            body: Some(note.body),
            occurred_at: note.occurred_at,
            duration_s: None,
            direction: None,
            outcome: None,
            participants: Vec::new(),
            links: note.links,
            owner_id: note.owner_id,
            team_id: note.team_id,
            tags: note.tags,
            custom: note.custom,
            external_id: note.external_id,
        }
    }
}

/// A note that the caller sees. An activity of another type is no note.
async fn note(
    app: &AppState,
    caller: &Caller,
    id: ActivityId,
) -> Result<Versioned<Activity>, Problem> {
    let note: Versioned<Activity> = handlers::get(app, caller, id.as_uuid()).await?;
    if note.1.r#type == ActivityType::Note {
        Ok(note)
    } else {
        Err(Problem::not_found())
    }
}
