//! Calls to the CRM.

use bz_http::client::{Call, Sibling, SiblingError};
use bz_kernel::SecretString;
use bz_service::Core;
use chrono::{DateTime, NaiveDate, Utc};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::{CrmError, Todo};
use crate::actions::{Due, Target};

/// Pages read of one list, a hundred items each: nobody names one to-do among more.
const PAGES: usize = 5;
/// Pages read to count leads.
const LEAD_PAGES: usize = 20;

/// The CRM. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Crm(Sibling);

impl Crm {
    /// The CRM that is configured.
    pub(crate) fn new(core: &Core) -> anyhow::Result<Self> {
        Ok(Self(Sibling::new(
            "crm",
            &core.siblings.crm,
            &core.sources,
        )?))
    }

    /// Whether it answers at all.
    pub(crate) async fn is_alive(&self) -> bool {
        self.0.get("/health/live").send_empty().await.is_ok()
    }

    /// The CRM as one user may use it, for one message. `key` tells repeats of the message.
    pub(crate) fn session<'a>(&'a self, token: &'a SecretString, key: String) -> Session<'a> {
        Session {
            crm: &self.0,
            token,
            key,
        }
    }
}

/// The CRM as one user may use it.
pub(crate) struct Session<'a> {
    crm: &'a Sibling,
    token: &'a SecretString,
    key: String,
}

#[derive(Serialize)]
struct NewTodo<'a> {
    title: &'a str,
    #[serde(flatten)]
    due: DueFields,
}

#[derive(Serialize)]
struct DueFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<NaiveDate>,
}

impl From<Due> for DueFields {
    fn from(due: Due) -> Self {
        match due {
            Due::Date(date) => Self {
                due_at: None,
                due_date: Some(date),
            },
            Due::At(at) => Self {
                due_at: Some(at),
                due_date: None,
            },
        }
    }
}

#[derive(Serialize)]
struct NewTitle<'a> {
    title: &'a str,
}

#[derive(Serialize)]
struct Completed {
    completed: bool,
}

#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

impl Session<'_> {
    /// The user's to-dos that are done, or that are not, newest first.
    pub(crate) async fn todos(&self, completed: bool) -> Result<Vec<Todo>, CrmError> {
        self.pages(
            &format!("/api/todos?completed={completed}&limit=100"),
            PAGES,
        )
        .await
        .map(|(todos, _)| todos)
    }

    /// How many leads there are, and whether there are more than were counted.
    pub(crate) async fn count_leads(&self) -> Result<(usize, bool), CrmError> {
        let (leads, more) = self
            .pages::<IgnoredAny>("/api/leads?limit=100", LEAD_PAGES)
            .await?;
        Ok((leads.len(), more))
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        most: usize,
    ) -> Result<(Vec<T>, bool), CrmError> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..most {
            // A cursor is base64url text: nothing in it needs escaping.
            let next = cursor
                .map(|cursor| format!("&cursor={cursor}"))
                .unwrap_or_default();
            let page: Items<T> = self
                .ask(self.crm.get(&format!("{path}{next}")))
                .send()
                .await
                .map_err(reason)?;
            all.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok((all, false));
            }
        }
        Ok((all, true))
    }

    /// Adds a to-do; the same message adds it once.
    pub(crate) async fn create(&self, title: &str, due: Option<Due>) -> Result<(), CrmError> {
        let due = due.map_or(
            DueFields {
                due_at: None,
                due_date: None,
            },
            Into::into,
        );
        let call = self
            .crm
            .post("/api/todos")
            .idempotency_key(&self.key)
            .json(&NewTodo { title, due });
        self.ask(call).send_empty().await.map_err(reason)
    }

    /// Marks a to-do as done.
    pub(crate) async fn complete(&self, todo: &Target) -> Result<(), CrmError> {
        self.patch(todo, &Completed { completed: true }).await
    }

    /// Gives a to-do another title.
    pub(crate) async fn rename(&self, todo: &Target, title: &str) -> Result<(), CrmError> {
        self.patch(todo, &NewTitle { title }).await
    }

    /// Gives a to-do another due time.
    pub(crate) async fn reschedule(&self, todo: &Target, due: Due) -> Result<(), CrmError> {
        self.patch(todo, &DueFields::from(due)).await
    }

    /// Deletes a to-do. One that is gone is what was wanted.
    pub(crate) async fn delete(&self, todo: &Target) -> Result<(), CrmError> {
        let call = self
            .crm
            .delete(&format!("/api/todos/{}", todo.id))
            .if_match(todo.version);
        match self.ask(call).send_empty().await.map_err(reason) {
            Err(CrmError::Gone) => Ok(()),
            other => other,
        }
    }

    async fn patch(&self, todo: &Target, change: &impl Serialize) -> Result<(), CrmError> {
        let call = self
            .crm
            .patch(&format!("/api/todos/{}", todo.id))
            .if_match(todo.version)
            .json(change);
        self.ask(call).send_empty().await.map_err(reason)
    }

    fn ask(&self, call: Call) -> Call {
        call.bearer(self.token)
    }
}

/// What a failed call means for the user.
fn reason(error: SiblingError) -> CrmError {
    match error {
        SiblingError::Refused {
            status,
            detail,
            errors,
            ..
        } => match status.as_u16() {
            401 | 403 => CrmError::Forbidden,
            404 => CrmError::Gone,
            412 => CrmError::Changed,
            _ => {
                let fault = errors
                    .into_iter()
                    .next()
                    .map(|fault| fault.message.into_owned());
                CrmError::Refused(
                    fault
                        .or(detail)
                        .unwrap_or_else(|| format!("status {status}")),
                )
            }
        },
        SiblingError::Unavailable { sent: false, .. } => CrmError::Unreachable,
        error => {
            tracing::warn!(%error, "the CRM did not answer as it should");
            CrmError::Unavailable
        }
    }
}
