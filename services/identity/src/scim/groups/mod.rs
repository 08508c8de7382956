//! Groups as a directory sees them (RFC 7643 section 4.2): roles of the tenant's own and who has them.

mod apply;
mod create;
mod delete;
pub(super) mod store;

use std::collections::BTreeSet;

use bz_http::{Errors, Problem};
use bz_kernel::RoleId;
use bz_tenant::{DbError, TenantTx};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    answer,
    body::{member, text},
    discovery::GROUP_SCHEMA,
    error::bad_request,
    patch::Shape,
    query::Wanted,
    resource::{Record, Resource},
};
use crate::{
    app::AppState,
    changes::By,
    roles::{check_role_name, rights::Rights},
};

/// What a directory writes of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WriteGroup {
    pub(super) display_name: String,
    pub(super) external_id: Option<String>,
    pub(super) members: BTreeSet<Uuid>,
}

/// A group.
#[derive(Debug, Clone)]
pub(super) struct ScimGroup {
    pub(super) id: RoleId,
    pub(super) written: WriteGroup,
    /// What its members may do, which people decide.
    pub(super) rights: Rights,
    pub(super) record: Record,
}

impl Resource for ScimGroup {
    type Id = RoleId;
    type Written = WriteGroup;

    const NAME: &'static str = "Group";
    const SCHEMA: &'static str = GROUP_SCHEMA;
    const SHAPE: Shape = Shape {
        single: &["displayName", "externalId"],
        multiple: &["members"],
        read_only: &["id", "meta", "schemas"],
    };

    fn id(&self) -> RoleId {
        self.id
    }

    fn record(&self) -> &Record {
        &self.record
    }

    fn to_resource(&self, app: &AppState) -> Map<String, Value> {
        let written = &self.written;
        let mut resource = Map::new();
        resource.insert("displayName".to_owned(), json!(written.display_name));
        if let Some(id) = &written.external_id {
            resource.insert("externalId".to_owned(), json!(id));
        }
        if !written.members.is_empty() {
            let member = |id: &Uuid| {
                let location = answer::location(app, &format!("Users/{id}"));
                json!({ "value": id, "$ref": location, "type": "User" })
            };
            let members = written.members.iter().map(member).collect();
            resource.insert("members".to_owned(), Value::Array(members));
        }
        resource
    }

    fn read(resource: &Map<String, Value>) -> Result<WriteGroup, Problem> {
        let display_name = text(resource, "displayName", 254)?
            .ok_or_else(|| bad_request("invalidValue", "displayName is required."))?;
        let mut errors = Errors::default();
        check_role_name("/displayName", &display_name, &mut errors);
        if !errors.is_empty() {
            return Err(Problem::validation(errors));
        }
        Ok(WriteGroup {
            display_name,
            external_id: text(resource, "externalId", 254)?,
            members: members(resource)?,
        })
    }

    async fn find(tx: &mut TenantTx, id: RoleId) -> Result<Option<Self>, DbError> {
        store::find(tx, id).await
    }

    async fn list(tx: &mut TenantTx, wanted: &Wanted) -> Result<(i64, Vec<Self>), Problem> {
        store::list(tx, wanted).await
    }

    async fn create(
        tx: &mut TenantTx,
        app: &AppState,
        by: By<'_>,
        wanted: &WriteGroup,
    ) -> Result<RoleId, Problem> {
        create::create(tx, app, by, wanted).await
    }

    async fn apply(
        self,
        tx: &mut TenantTx,
        app: &AppState,
        by: By<'_>,
        wanted: &WriteGroup,
    ) -> Result<(), Problem> {
        apply::apply(tx, app, by, &self, wanted).await
    }

    async fn delete(self, tx: &mut TenantTx, app: &AppState, by: By<'_>) -> Result<(), Problem> {
        delete::delete(tx, app, by, &self).await
    }
}

fn members(resource: &Map<String, Value>) -> Result<BTreeSet<Uuid>, Problem> {
    let all = match member(resource, "members") {
        None => &[],
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let id = |member: &Value| {
        let id = member["value"].as_str().or_else(|| member.as_str());
        id.and_then(|id| id.parse().ok()).ok_or_else(no_member)
    };
    all.iter().map(id).collect()
}

fn no_member() -> Problem {
    bad_request(
        "invalidValue",
        "members must have the ids of users of the tenant.",
    )
}
