//! Activities: what happened with somebody: calls, mails, meetings, notes.

mod batch;
mod endpoints;
mod list;
mod transfer;

use bz_http::{Errors, Problem, Routes, Validate, routes};
use bz_kernel::ActivityId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    links::{self, Link},
    records::{
        Facts, Fields, Rules, Work,
        column::{choice_columns, json_columns},
        record, validate_common,
    },
    rules,
};

bz_auth::permissions! {
    /// See activities and notes.
    ActivitiesRead = "activities:read",
    /// Create, change and delete activities and notes.
    ActivitiesWrite = "activities:write",
}

/// The most participants of an activity.
const MOST_PARTICIPANTS: usize = 100;

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    endpoints::routes()
        .merge(list::routes())
        .merge(transfer::routes())
        .routes(routes!(batch::create_activities))
}

/// What sort of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivityType {
    /// A phone call.
    Call,
    /// An e-mail.
    Email,
    /// A meeting.
    Meeting,
    /// A note.
    Note,
    /// A visit of a web site or a place.
    Visit,
    /// A form that somebody filled in.
    Form,
    /// Something else; the subject says what.
    Custom,
}

rules::text_enum!(ActivityType {
    Call => "call",
    Email => "email",
    Meeting => "meeting",
    Note => "note",
    Visit => "visit",
    Form => "form",
    Custom => "custom",
});

/// Who began it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActivityDirection {
    /// The customer.
    Inbound,
    /// We.
    Outbound,
}

rules::text_enum!(ActivityDirection { Inbound => "inbound", Outbound => "outbound" });
choice_columns!(ActivityType, ActivityDirection);

/// Somebody who took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// Name, at most 200 characters.
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// E-mail address, at most 254 characters.
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// Phone number, at most 50 characters.
    #[schema(max_length = 50)]
    pub phone: Option<String>,
    /// What part: `organizer`, `cc`. At most 50 characters.
    #[schema(max_length = 50)]
    pub role: Option<String>,
}

json_columns!(Vec<Participant>);

record! {
    /// Something that happened with somebody.
    pub struct Activity(ActivityId) = ACTIVITY: "activity", "activities";

    /// What a client writes of an activity. A subject or a body is needed.
    #[schema(example = json!({ "type": "call", "subject": "Asked for an offer", "direction": "inbound", "duration_s": 300 }))]
    writes CreateActivity {
        /// What sort of thing happened.
        r#type: ActivityType,
        /// What it was about, at most 500 characters.
        #[schema(max_length = 500)]
        subject: Option<String>,
        /// What was said or written, at most 100,000 characters.
        #[schema(max_length = 100_000)]
        body: Option<String>,
        /// When it happened, or will; now when not given.
        #[serde(default)]
        #[schema(value_type = DateTime<Utc>)]
        occurred_at: Option<DateTime<Utc>>,
        /// How long it took, in seconds.
        #[schema(minimum = 0)]
        duration_s: Option<i32>,
        /// Who began it.
        direction: Option<ActivityDirection>,
        /// What came of it, at most 200 characters: `reached`, `no answer`.
        #[schema(max_length = 200)]
        outcome: Option<String>,
        /// Who took part, at most 100.
        #[serde(default)]
        #[schema(max_items = 100)]
        participants: Vec<Participant>,
        /// Whom and what it was with, at most 50 records. Their `last_activity_at` goes forward to it.
        #[serde(default)]
        #[schema(max_items = 50)]
        links: Vec<Link>,
    }

    reads {}
}

impl Validate for CreateActivity {
    fn validate(&self, errors: &mut Errors) {
        rules::optional_text(errors, "/subject", self.subject.as_deref(), 500);
        rules::optional_text(errors, "/body", self.body.as_deref(), 100_000);
        rules::optional_text(errors, "/outcome", self.outcome.as_deref(), 200);
        rules::optional_count(errors, "/duration_s", self.duration_s);
        if self.subject.is_none() && self.body.is_none() {
            errors.add("", "text_required", "give at least one of subject and body");
        }
        if self.participants.len() > MOST_PARTICIPANTS {
            let message = format!("must have at most {MOST_PARTICIPANTS} participants");
            errors.add("/participants", "too_many", message);
        }
        for (n, participant) in self.participants.iter().enumerate() {
            participant.validate(errors, n);
        }
        links::validate(errors, &self.links);
        validate_common(errors, self.common());
    }
}

impl Participant {
    fn validate(&self, errors: &mut Errors, n: usize) {
        let at = |field: &str| format!("/participants/{n}/{field}");
        rules::optional_text(errors, at("name"), self.name.as_deref(), 200);
        rules::optional_email(errors, at("email"), self.email.as_deref());
        rules::optional_text(errors, at("phone"), self.phone.as_deref(), 50);
        rules::optional_text(errors, at("role"), self.role.as_deref(), 50);
        if self.name.is_none() && self.email.is_none() && self.phone.is_none() {
            let message = "give at least one of name, email and phone";
            errors.add(format!("/participants/{n}"), "name_required", message);
        }
    }
}

impl Rules for Activity {
    type Wanted = CreateActivity;

    fn facts(&self) -> Facts<'_> {
        Facts::default()
    }

    async fn prepare(
        work: &mut Work<'_>,
        wanted: &mut CreateActivity,
        before: Option<&Self>,
    ) -> Result<(), Problem> {
        if wanted.occurred_at.is_none() {
            let known = before.and_then(|activity| activity.occurred_at);
            wanted.occurred_at = Some(known.unwrap_or_else(|| work.now()));
        }
        let linked = before.map_or(&[][..], |activity| &activity.links);
        links::check(work, &wanted.links, linked).await
    }

    async fn written(&self, work: &mut Work<'_>, before: Option<&Self>) -> Result<(), Problem> {
        let linked = before.map_or(&[][..], |activity| &activity.links);
        links::write(work, (ACTIVITY, self.id.as_uuid()), &self.links, linked).await?;
        // What is planned has not happened yet.
        if let Some(at) = self.occurred_at.filter(|at| *at <= work.now()) {
            links::touch(work, &self.links, at).await?;
        }
        Ok(())
    }
}
