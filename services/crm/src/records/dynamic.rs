//! Work on a record whose type is known only when it is done: by automations, for one.

use std::pin::Pin;

use bz_http::{Problem, validated};
use bz_tenant::TenantTx;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Record, Work, access::Sight, patch::Change, store};

/// What is to be changed of a record.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// These fields, as in a JSON merge patch.
    Fields(Map<String, Value>),
    /// One tag more.
    AddTag(String),
}

/// The future of a piece of work.
pub(crate) type Working<'a, T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send + 'a>>;

/// Reads documents by their ids.
type Read = for<'a> fn(&'a mut TenantTx, Sight, Vec<Uuid>) -> Working<'a, Vec<(Uuid, Value)>>;

/// What can be done with records of a type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operations {
    /// Changes a record that is there and within sight. Answers whether that changed anything.
    pub change: for<'a, 'w> fn(&'a mut Work<'w>, Sight, Uuid, Edit) -> Working<'a, bool>,
    /// Reads the records with these ids that are seen and not in the trash, as documents by their ids.
    pub read: Read,
    /// Creates a record and answers its id.
    pub create: for<'a, 'w> fn(&'a mut Work<'w>, Map<String, Value>) -> Working<'a, Uuid>,
}

impl Operations {
    /// Those of a type.
    pub(crate) const fn of<R: Record>() -> Self {
        Self {
            change: change::<R>,
            read: store::documents::<R>,
            create: create::<R>,
        }
    }
}

fn change<'a, R: Record>(
    work: &'a mut Work<'_>,
    sight: Sight,
    id: Uuid,
    edit: Edit,
) -> Working<'a, bool> {
    Box::pin(async move {
        let found: Option<R> = store::find_for_update(work.tx, sight, id).await?;
        let before = found
            .filter(|record| record.head().deleted_at.is_none())
            .ok_or_else(Problem::not_found)?;
        let members = match edit {
            Edit::Fields(members) => members,
            Edit::AddTag(tag) => {
                let fields = before.fields();
                let mut tags = super::Fields::common(&fields).tags.to_vec();
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
                Map::from_iter([("tags".to_owned(), Value::from(tags))])
            }
        };
        let wanted = Change::<R::Fields>::new(members).onto(&before)?;
        let version = before.head().version;
        let after = work.update(before, wanted).await?;
        Ok(after.head().version != version)
    })
}

fn create<'a, R: Record>(work: &'a mut Work<'_>, members: Map<String, Value>) -> Working<'a, Uuid> {
    Box::pin(async move {
        let bytes = serde_json::to_vec(&members).map_err(Problem::internal)?;
        let wanted: R::Fields = validated(bz_http::extract::parse(&bytes)?)?;
        Ok(work.create::<R>(wanted).await?.head().id)
    })
}
