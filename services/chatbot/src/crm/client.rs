//! Calls to the CRM.

use bz_http::client::{Call, Sibling, SiblingError};
use bz_kernel::SecretString;
use bz_service::Core;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{CrmError, Kind, RecordId, Todo};
use crate::actions::Target;
use crate::pages;

/// What is read of a to-do.
const TODO_FIELDS: &str =
    "title,status,completed,priority,recurrence,time_zone,due_at,due_date,assignee_id,version";

/// The CRM. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Crm(Sibling);

impl Crm {
    /// The CRM that is configured.
    pub(crate) fn new(core: &Core) -> anyhow::Result<Self> {
        let base = &core.siblings.crm;
        Ok(Self(Sibling::new("crm", base, &core.sources)?))
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

/// One page of records.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
    /// How many records pass, when that was asked for.
    pub(crate) count: Option<u64>,
}

/// A change of one record that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// These fields.
    Fields(&'a Map<String, Value>),
    /// Done.
    Complete,
    /// Open again.
    Reopen,
    /// Into a stage.
    Move(&'a Map<String, Value>),
}

/// What a change leaves.
#[derive(Debug, Deserialize)]
struct Record {
    version: i64,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Made {
    id: RecordId,
    version: i64,
}

impl Session<'_> {
    /// The to-dos that are done, or that are not, newest first.
    pub(crate) async fn todos(&self, completed: bool) -> Result<Vec<Todo>, CrmError> {
        let path = format!("/api/todos?completed={completed}&limit=100&fields={TODO_FIELDS}");
        Ok(pages::all(&path, |path| self.ask(self.crm.get(path))).await?)
    }

    /// One page of a list with its filter in the body.
    pub(crate) async fn query<T: DeserializeOwned>(
        &self,
        kind: Kind,
        query: &Value,
    ) -> Result<Listed<T>, CrmError> {
        self.post(&format!("/api/{}/query", kind.path()), query)
            .await
    }

    /// What a path of the CRM answers.
    pub(crate) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, CrmError> {
        Ok(self.ask(self.crm.get(path)).send().await?)
    }

    /// What a path answers to a body that only asks. It changes nothing, so it may be repeated.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, CrmError> {
        let call = self.crm.post(path).idempotency_key(&self.key).json(body);
        Ok(self.ask(call).send().await?)
    }

    /// One record.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        kind: Kind,
        id: RecordId,
    ) -> Result<T, CrmError> {
        self.read(&format!("/api/{}/{id}", kind.path())).await
    }

    /// Makes a record; the same message makes it once. Answers it as an action keeps it.
    pub(crate) async fn create(
        &self,
        kind: Kind,
        title: &str,
        fields: &impl Serialize,
    ) -> Result<Target, CrmError> {
        let call = self.crm.post(&format!("/api/{}", kind.path()));
        let call = call.idempotency_key(&self.key).json(fields);
        let made: Made = self.ask(call).send().await?;
        Ok(Target::new(kind, made.id, title, made.version))
    }

    /// Changes a record that is as it was when the change was decided. Answers its new version. When the answer is lost the
    /// record is looked at: one that is exactly one change further and has what was wanted was changed by this call.
    pub(crate) async fn change(
        &self,
        target: &Target,
        change: Change<'_>,
    ) -> Result<i64, CrmError> {
        let path = format!("/api/{}/{}", target.kind.path(), target.id);
        let call = match change {
            Change::Fields(fields) => self.crm.patch(&path).json(fields),
            Change::Complete => self.crm.post(&format!("{path}/complete")),
            Change::Reopen => self.crm.post(&format!("{path}/reopen")),
            Change::Move(fields) => self.crm.post(&format!("{path}/move")).json(fields),
        };
        let done: Result<Record, SiblingError> =
            self.ask(call.if_match(target.version)).send().await;
        match done.map_err(CrmError::from) {
            Ok(record) => Ok(record.version),
            Err(CrmError::Unavailable) => self.look(target, &wanted(change)).await,
            Err(error) => Err(error),
        }
    }

    async fn look(&self, target: &Target, wanted: &Map<String, Value>) -> Result<i64, CrmError> {
        let now: Record = self
            .get(target.kind, target.id)
            .await
            .map_err(|_| CrmError::Unavailable)?;
        let has_it = wanted.iter().all(|(name, value)| {
            let empty = value.is_null() && !now.fields.contains_key(name);
            empty || now.fields.get(name) == Some(value)
        });
        if now.version == target.version + 1 && has_it {
            return Ok(now.version);
        }
        Err(CrmError::Unavailable)
    }

    /// Puts a record into the trash. One that is gone is what was wanted.
    pub(crate) async fn delete(&self, target: &Target) -> Result<(), CrmError> {
        let path = format!("/api/{}/{}", target.kind.path(), target.id);
        let call = self.crm.delete(&path).if_match(target.version);
        match self.ask(call).send_empty().await.map_err(CrmError::from) {
            Err(CrmError::Gone) => Ok(()),
            Err(CrmError::Unavailable) => {
                let now: Result<Value, CrmError> = self.get(target.kind, target.id).await;
                match now {
                    Err(CrmError::Gone) => Ok(()),
                    _ => Err(CrmError::Unavailable),
                }
            }
            other => other,
        }
    }

    /// Takes a record out of the trash. One that is not in it stays as it is, so this may be repeated.
    pub(crate) async fn restore(&self, target: &Target) -> Result<i64, CrmError> {
        let path = format!("/api/{}/{}/restore", target.kind.path(), target.id);
        let call = self.crm.post(&path).idempotency_key(&self.key);
        let record: Record = self.ask(call).send().await?;
        Ok(record.version)
    }

    fn ask(&self, call: Call) -> Call {
        call.bearer(self.token)
    }
}

/// What the record has after a change.
fn wanted(change: Change<'_>) -> Map<String, Value> {
    let of = |value: Value| value.as_object().cloned().unwrap_or_default();
    match change {
        Change::Fields(fields) => fields.clone(),
        Change::Complete => of(json!({ "completed": true })),
        Change::Reopen => of(json!({ "completed": false })),
        Change::Move(fields) => fields.clone(),
    }
}
