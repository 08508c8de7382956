//! Carrying an action out. What is made has an idempotency key of the message that asked for it, and what is changed names
//! the version that was decided on, so that a repeated message changes nothing twice and a changed record is left alone.

use serde_json::{Map, Value, json};

use super::{Action, Target, inverse::Inverse};
use crate::agents::Agents;
use crate::crm::{Change, CrmError, Deal, Kind, Lead, Link, Session, Todo};
use crate::failure::Failure;

/// What became of an action.
#[derive(Debug, Default)]
pub(crate) struct Performed {
    /// The part that was done; `None` when nothing was.
    pub(crate) done: Option<Action>,
    /// The steps back, in the order in which they were made.
    pub(crate) undo: Vec<Inverse>,
    /// The records that it left.
    pub(crate) links: Vec<Link>,
    /// Why the rest was not done.
    pub(crate) error: Option<Failure>,
    /// What the sibling that did it says besides.
    pub(crate) note: Option<String>,
}

impl Performed {
    fn failed(error: impl Into<Failure>) -> Self {
        Self {
            error: Some(error.into()),
            ..Self::default()
        }
    }
}

/// Does it.
pub(crate) async fn perform(action: Action, crm: &Session<'_>, agents: &Agents<'_>) -> Performed {
    match action {
        Action::CreateTodo { ref fields } => {
            let mut body = fields.body();
            body.insert("source".to_owned(), json!("chat"));
            let title = fields.title.clone().unwrap_or_default();
            made(crm.create(Kind::Todo, &title, &body).await, action)
        }
        Action::CreateLead {
            ref name,
            ref fields,
        } => made(crm.create(Kind::Lead, name, fields).await, action),
        Action::RunAgent {
            ref agent,
            ref input,
        } => match agents.run(agent, input).await {
            Ok(note) => Performed {
                done: Some(action),
                note: Some(note),
                ..Performed::default()
            },
            Err(error) => Performed::failed(error),
        },
        action => each(action, crm).await,
    }
}

fn made(made: Result<Target, CrmError>, action: Action) -> Performed {
    match made {
        Ok(record) => Performed {
            done: Some(action),
            links: vec![record.link()],
            undo: vec![Inverse::Delete { record }],
            ..Performed::default()
        },
        Err(error) => Performed::failed(error),
    }
}

/// Does the same to each record, and stops at the first that fails.
async fn each(action: Action, crm: &Session<'_>) -> Performed {
    let mut performed = Performed::default();
    let mut done = Vec::new();
    for target in action.targets() {
        match step(&action, target, crm).await {
            Ok(back) => {
                if !action.deletes() {
                    performed
                        .links
                        .push(Link::to(target.kind, target.id, back.title()));
                }
                performed.undo.push(back);
                done.push(target.clone());
            }
            Err(error) => {
                performed.error = Some(error.into());
                break;
            }
        }
    }
    performed.done = (!done.is_empty()).then(|| action.on(done));
    performed
}

/// Changes one record. Answers the way back.
async fn step(action: &Action, target: &Target, crm: &Session<'_>) -> Result<Inverse, CrmError> {
    match action {
        Action::DeleteTodos { .. } => {
            crm.delete(target).await?;
            Ok(Inverse::Restore {
                record: bare(target, target.version),
            })
        }
        Action::CompleteTodos { .. } => {
            let version = crm.change(target, Change::Complete).await?;
            Ok(put_back(target, version, ["status"]))
        }
        Action::ReopenTodos { .. } => {
            let version = crm.change(target, Change::Reopen).await?;
            Ok(put_back(target, version, ["status"]))
        }
        Action::UpdateTodos { change, .. } => {
            let body = change.body();
            let version = crm.change(target, Change::Fields(&body)).await?;
            let mut back = put_back(target, version, body.keys().map(String::as_str));
            back.retitle(change.title.as_deref());
            Ok(back)
        }
        Action::UpdateLead { change, .. } => {
            let version = crm.change(target, Change::Fields(change)).await?;
            Ok(put_back(target, version, change.keys().map(String::as_str)))
        }
        Action::MoveDeal { stage, .. } => {
            let body = Map::from_iter([("stage_id".to_owned(), json!(stage.id))]);
            let version = crm.change(target, Change::Move(&body)).await?;
            let fields = target
                .before
                .clone()
                .into_iter()
                .filter(|(_, value)| !value.is_null());
            Ok(Inverse::Move {
                record: bare(target, version),
                fields: fields.collect(),
            })
        }
        Action::CreateTodo { .. } | Action::CreateLead { .. } | Action::RunAgent { .. } => {
            Err(CrmError::Refused("there is no record to change".to_owned()))
        }
    }
}

fn bare(target: &Target, version: i64) -> Target {
    Target::new(target.kind, target.id, &target.title, version)
}

/// Gives back what the named fields had.
fn put_back<'a>(
    target: &Target,
    version: i64,
    names: impl IntoIterator<Item = &'a str>,
) -> Inverse {
    let before = |name: &str| target.before.get(name).cloned().unwrap_or(Value::Null);
    let fields = names
        .into_iter()
        .map(|name| (name.to_owned(), before(name)));
    Inverse::Put {
        record: bare(target, version),
        fields: fields.collect(),
    }
}

/// The action on its records as they are now, without those that are gone; `None` when none is left.
pub(crate) async fn refreshed(
    action: Action,
    crm: &Session<'_>,
) -> Result<Option<Action>, CrmError> {
    let mut now = Vec::new();
    for target in action.targets() {
        let found = match target.kind {
            Kind::Todo => crm
                .get::<Todo>(Kind::Todo, target.id)
                .await
                .map(|todo| todo.target()),
            Kind::Deal => crm
                .get::<Deal>(Kind::Deal, target.id)
                .await
                .map(|deal| deal.target()),
            kind => crm
                .get::<Lead>(kind, target.id)
                .await
                .map(|lead| lead.target()),
        };
        match found {
            Ok(target) => now.push(target),
            Err(CrmError::Gone) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((!now.is_empty()).then(|| action.on(now)))
}
